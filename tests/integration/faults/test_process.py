"""Processes that die, are stopped, or run twice; what every open page shows then, against the database."""

import math
import os
import signal
import time
from functools import partial

import psutil
import pytest

from tests.integration.bench import Bench, shows

pytestmark = pytest.mark.integration

STOPS_S = 30
"""In which the web process has ended; what hangs is killed after a minute."""
STARTS_S = 60
"""In which processes have started, even where many tests start some at once."""


def test_a_push_is_on_the_page_and_the_page_equals_one_loaded_anew(bench: Bench) -> None:
    with bench.page() as page:
        value = bench.push()
        page.wait(lambda: shows(page, value), "the pushed value")
        page.becomes_right(5)


@pytest.mark.parametrize("worker", ["render", "collect"])
def test_a_worker_killed_while_values_come(bench: Bench, worker: str) -> None:
    with bench.page() as page:
        for _ in range(5):
            bench.push()
        bench.stack.kill(worker)
        value = bench.push()
        page.wait(lambda: shows(page, value), "the value pushed meanwhile", 20)
        page.becomes_right(10)
    bench.stack.wait_until_ready()


@pytest.mark.parametrize(
    ("stopped", "said"),
    [
        (["render"], "Rendering stopped "),
        (["collect"], "Collecting stopped "),
        (["collect", "render"], "Rendering stopped "),
    ],
)
def test_what_stands_still_is_said_on_open_pages_while_it_lasts(bench: Bench, stopped: list[str], said: str) -> None:
    with bench.page() as page:
        page.wait(lambda: "stopped" not in page.widgets["notice"], "what earlier tests stopped", 60)
        with bench.stack.hanging(*stopped):
            page.wait(lambda: said in page.widgets["notice"], "the notice", 25)
            assert said in page.fresh()[0]["notice"]
            told = bench.ready()
            assert all(told[name].startswith("not seen for ") for name in stopped), told
        page.wait(lambda: "stopped" not in page.widgets["notice"], "the notice to go", 40)
        page.becomes_right(10)
        assert page.codes == []
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
        while psutil.pid_exists(asked):
            assert bench.stack.get("/healthz") == 200  # another listens before this one goes
            time.sleep(0.05)
        assert time.monotonic() - began < STOPS_S
        assert one.codes == two.codes == [1012]
        value = bench.push()
        for page in (one, two):
            page.wait(partial(shows, page, value), "a value pushed afterwards", 20)


def test_two_beats_and_two_of_each_worker_collect_each_slot_once(bench: Bench) -> None:
    both = ("collect", "render")
    with bench.stack.another(*both), bench.page() as page:
        with bench.stack.hanging(*both):
            hangs_since = time.time()
            value = bench.push()
            page.wait(partial(shows, page, value), "a value that the second set alone renders", STARTS_S)
            page.wait(lambda: bench.newest_at("host_load") > hangs_since + 4, "what it alone collects", STARTS_S)
        began = time.time() + 1  # what the first set had taken when it began to hang, it does at once
        until = began + 21  # two slots of the demo's slowest source
        while time.time() < until:
            value = bench.push()
            page.wait(partial(shows, page, value), "a value that either set renders", 5)
            time.sleep(0.5)
        page.becomes_right(5)
    runs = bench.runs()
    assert "this machine" in runs
    for name, (every_s, times) in runs.items():
        first, after = math.ceil(began / every_s), int(until // every_s)
        slots = [int(at // every_s) for at in times if first * every_s <= at < after * every_s]
        assert slots == list(range(first, after)), f"{name}, every {every_s} s, was collected at {times}"
