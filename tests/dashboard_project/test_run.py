"""Signals that the process which runs all others gets."""

import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings

WAITS = """
import os
from types import SimpleNamespace
from dashboard_project.run import asked_to_stop
ends = SimpleNamespace(kill=lambda: print("killed", flush=True))
asked = asked_to_stop(ends, ends)
print("up", flush=True)
asked.wait()
os._exit(0)  # signals go on
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_however_fast_signals_come(number: signal.Signals) -> None:
    """`make` passes on what the whole group was sent: then the second comes while the first is being handled."""
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WAITS], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            until = time.monotonic() + 20
            while process.poll() is None and time.monotonic() < until:
                process.send_signal(number)
            process.kill()
            assert process.wait() == 0
