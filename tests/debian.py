"""Programs out of Debian packages, for tests against the real thing: `python -m tests.debian` installs all at once."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

KEPT = Path(__file__).parent / "output" / "debian"
PACKAGES = {
    "check_dummy": "monitoring-plugins-basic",
    "dnsmasq": "dnsmasq-base",
    "faketime": "faketime",
    "mariadbd": "mariadb-server-core",
    "node": "nodejs",
    "pgbouncer": "pgbouncer",
}
"""Packages that are installed, by a program of each. None of them starts anything when it is installed."""
DOWNLOAD_S = 300
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/lib/nagios/plugins"])


class NoProgramError(Exception):
    """The program is nowhere and can't be fetched; the text is one sentence."""


@cache
def program(name: str, package: str = "") -> str:
    """Return the path of a program: on PATH, else out of its package (of the same name unless told), unpacked here.

    Unpacked, not installed: nothing of it is started or configured, and what it depends on is not fetched. So this is
    for programs that need no more than the C library. Raises NoProgramError.
    """
    package = package or name
    found = shutil.which(name) or _file(package, f"usr/bin/{name}", f"usr/sbin/{name}")
    if not found:
        raise NoProgramError(f"This test needs {name}: install the Debian package {package}.")
    return found


@cache
def module(name: str) -> str:
    """Return the path of a module of Node's, out of the package that Debian has of it. Raises NoProgramError."""
    found = _file(f"node-{name}", f"usr/share/nodejs/{name}/index.js")
    if not found:
        raise NoProgramError(f"This test needs the module {name} of Node: the Debian package node-{name}.")
    return found


@cache
def installed(name: str) -> str:
    """Return the path of a program: on PATH, else out of its package, installed with all that it needs.

    Raises NoProgramError.
    """
    found = shutil.which(name, path=PATH) or (_install(PACKAGES[name]) and shutil.which(name, path=PATH))
    if not found:
        raise NoProgramError(f"This test needs {name}: install the Debian package {PACKAGES[name]}.")
    return found


def install_all() -> None:
    """Install what is missing in one go, which takes as long as one of them. Tests say what they miss even so."""
    missing = [package for name, package in PACKAGES.items() if not shutil.which(name, path=PATH)]
    if missing:
        _install(*missing)


def _install(*packages: str) -> bool:
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    return _run(command, Path()) or (_run(["apt-get", "update", "-qq"], Path()) and _run(command, Path()))


def _file(package: str, *paths: str) -> str:
    """Return the first of `paths` that there is in a package, which is unpacked here; "" for none."""
    folder = KEPT / package
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"{package}.lock").open("w") as lock:  # or one worker would run what another unpacks
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _inside(folder, paths) or (_inside(folder, paths) if _unpack(package, folder) else "")


def _inside(folder: Path, paths: Sequence[str]) -> str:
    return next((str(folder / path) for path in paths if (folder / path).is_file()), "")


def _unpack(package: str, folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    # as somebody else, apt can't be told to fetch into this folder
    command = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", package]
    if not _run(command, folder) and not (_run(["apt-get", "update", "-qq"], folder) and _run(command, folder)):
        return False
    return all(_run(["dpkg-deb", "-x", file.name, "."], folder) for file in folder.glob("*.deb"))


def _run(command: list[str], folder: Path) -> bool:
    if not shutil.which(command[0]):
        return False
    quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    done = subprocess.run(command, cwd=folder, env=quiet, check=False, capture_output=True, timeout=DOWNLOAD_S)
    return done.returncode == 0


if __name__ == "__main__":
    install_all()
