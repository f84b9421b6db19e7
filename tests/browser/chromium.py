"""The Chromium that the browser tests drive: `python -m tests.browser.chromium` makes sure there is one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ("chromium-headless-shell", "chromium")
"""Of Debian. The first is Chromium without windows, which opens a page in a third of the other's time."""
NAMES = (*PACKAGES, "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL_S = 600


class NoChromiumError(Exception):
    """No Chromium was found and none could be installed; the text is one sentence."""


def find_or_install() -> str:
    """Return the path of a Chromium: one on PATH, Playwright's, else a newly installed one. Raises NoChromiumError."""
    found = _on_path() or _from_playwright() or _through_apt() or _through_playwright()
    if not found:
        raise NoChromiumError("The browser tests need Chromium, and it could not be installed: install chromium.")
    return found


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _from_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _through_apt() -> str | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    _try(["apt-get", "update", "-qq"], quiet)
    for package in PACKAGES:
        _try(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], quiet)
        if found := _on_path():
            return found
    return None


def _through_playwright() -> str | None:
    _try([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ))
    return _from_playwright()


def _try(command: list[str], env: dict[str, str]) -> None:
    try:
        subprocess.run(command, env=env, check=False, stdout=subprocess.DEVNULL, timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        print(f"{command[0]} took longer than {INSTALL_S} s.", file=sys.stderr)


if __name__ == "__main__":
    try:
        print(find_or_install())
    except NoChromiumError as error:
        sys.exit(str(error))
