"""Waiting for the system to be ready, and saying so."""

import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from dashboard_project.preparation import Facts

READY_WITHIN_S = 60.0
INTERVAL_S = 0.1
DEMO_PATH = "/d/this-machine/"


def announce_when_ready(say: Callable[[str], None], facts: Facts, sign_in: str, stopped: threading.Event) -> None:
    """Print, from a thread of its own, where to look and how to sign in, once /readyz says yes."""

    def wait() -> None:
        answer = wait_until_ready(facts.asked_url, stopped)
        if stopped.is_set():
            return
        if answer:
            say(f"Watchfloor is not ready after {READY_WITHIN_S:.0f} s: {answer}")
        else:
            say(banner(facts.base_url, sign_in))

    threading.Thread(target=wait, name="readiness", daemon=True).start()


def wait_until_ready(base_url: str, stopped: threading.Event, for_s: float = READY_WITHIN_S) -> str:
    """Return "" once /readyz answers 200, or else its last answer when time is up or `stopped` is set."""
    until = time.monotonic() + for_s
    while True:
        answer = ask(base_url)
        if not answer or time.monotonic() >= until or stopped.wait(INTERVAL_S):
            return answer


def ask(base_url: str) -> str:
    """Return "" when /readyz answers 200, else what came instead."""
    try:
        with urllib.request.urlopen(f"{base_url}/readyz", timeout=5):  # noqa: S310 (our own http://)
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.read(2000).decode(errors='replace')}".strip()
    except (OSError, http.client.HTTPException) as error:
        return str(error)


def banner(base_url: str, sign_in: str) -> str:
    """Return the lines that say where the demo is, how to sign in, and how to stop."""
    line = "─" * 72
    return "\n".join(
        [line, f"  Watchfloor is ready: {base_url}{DEMO_PATH}", f"  {sign_in}", "  Ctrl-C stops it.", line]
    )
