"""Processes that die, are stopped, or run twice; what every open page shows then, against the database."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import psutil
import pytest

from tests.integration.bench import Bench, shows
from tests.integration.stack import ROOT

pytestmark = pytest.mark.integration


def test_a_push_is_on_the_page_and_the_page_equals_one_loaded_anew(bench: Bench) -> None:
    with bench.page() as page:
        value = bench.push()
        page.wait(lambda: shows(page, value), "the pushed value")
        page.becomes_right(5)


@pytest.mark.parametrize("worker", ["render", "collect", "beat"])
def test_a_worker_killed_while_values_come(bench: Bench, worker: str) -> None:
    with bench.page() as page:
        for _ in range(5):
            bench.push()
        bench.stack.kill(worker)
        value = bench.push()
        page.wait(lambda: shows(page, value), "the value pushed meanwhile", 20)
        page.becomes_right(10)
    bench.stack.wait_until_ready()


def test_web_killed_with_pages_open(bench: Bench) -> None:
    with bench.page() as one, bench.page() as two:
        killed = bench.stack.kill("web")
        one.wait(lambda: bench.stack.is_back("web", killed), "the web process")
        bench.stack.wait_until_ready()
        value = bench.push()
        for page in (one, two):
            page.wait(partial(shows, page, value), "the value pushed meanwhile", 20)
            page.becomes_right(5)


def test_web_asked_to_stop_tells_every_page_to_come_back(bench: Bench) -> None:
    with bench.page() as one, bench.page() as two:
        asked = bench.stack.pid_of("web")
        began = time.monotonic()
        os.kill(asked, signal.SIGTERM)
        one.wait(lambda: not psutil.pid_exists(asked), "the end of the web process")
        assert time.monotonic() - began < 10
        assert one.codes == two.codes == [1012]
        bench.stack.wait_until_ready()
        value = bench.push()
        for page in (one, two):
            page.wait(partial(shows, page, value), "a value pushed afterwards", 20)


def test_two_beats_collect_each_slot_once(bench: Bench) -> None:
    second = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "dashboard_project", "beat"],
        cwd=ROOT,
        env=bench.stack.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(3)
        began = time.time()
        time.sleep(12)
        ended = time.time()
    finally:
        second.terminate()
        second.wait(20)
    times = _sample_times(bench, "host_load", began, ended)
    slots = [int(at // 2) for at in times]  # the demo collects the host every two seconds
    assert len(slots) >= 5
    assert len(slots) == len(set(slots)), "a slot was collected twice"


def _sample_times(bench: Bench, metric: str, start: float, end: float) -> list[float]:
    """Return the times of the stored samples of one series of `metric`."""
    code = (
        "from metrics.models import Sample;"
        f"found = Sample.objects.filter(series__metric='{metric}', series__labels__over='1m');"
        f"found = found.filter(at_ms__gte={start * 1000:.0f}, at_ms__lt={end * 1000:.0f});"
        "print(list(found.values_list('at_ms', flat=True)))"
    )
    return [at_ms / 1000 for at_ms in json.loads(bench.stack.manage("shell", "-v0", "-c", code))]
