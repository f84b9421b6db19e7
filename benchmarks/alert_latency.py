"""How soon people know: from before the push of a bad value, to open pages and to a channel; and a storm of alerts.

The whole system runs as `make run` starts it, on PostgreSQL. Pushes come one at a time, at random moments; each makes
an alert, an incident and a message of its own. The yardstick is the same value in its own tile, beside the alerts.
"""

import argparse
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks import postgresql
from benchmarks.common import milliseconds, percentile, table
from benchmarks.system import RANGE, System
from tests.notify.receivers import Hook, hook

SLUG, METRIC, BESIDE, STORM = "alert-latency", "pressure", "beside", "storm"
LOST_S, STORM_LOST_S = 15.0, 120.0
BATCH = 500
FIRST_VALUE = 101
FIRING = (
    f"from metrics.models import Alert as a; print(a.objects.filter(rule__metric='{STORM}', state='firing').count())"
)
HOST = re.compile(r"host\d+")
WATCH = """() => {
  const shown = (window.shownAt = {});
  const look = () => {
    const now = Date.now() / 1000;
    for (const element of document.querySelectorAll(".bad-alerts .name, main table"))
      for (const [host] of element.textContent.matchAll(/host\\d+/g)) shown[host] ??= now;
    const value = document.querySelector(".widget .value")?.textContent.trim();
    if (value) shown[value] ??= now;
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


def received_at(receiver: Hook, times: list[float]) -> dict[str, float]:
    """Return when the channel first received a message of each host (Unix seconds)."""
    found: dict[str, float] = {}
    for (_, _, body), at in zip(receiver.got, times, strict=False):
        for host in HOST.findall(body.decode()):
            found.setdefault(host, at)
    return found


def one_by_one(system: System, pushes: int) -> dict[str, list[float]]:
    """Return how long each bad value took: to a tile, to the widget and to the list of alerts, to a channel."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import find_or_install

    pushed_at: dict[str, float] = {}
    with ExitStack() as stack:
        receiver, times = stack.enter_context(channel(system))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_or_install(), args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context()
        dashboard, alerts = context.new_page(), context.new_page()
        dashboard.goto(f"{system.url}/d/{SLUG}/?range={RANGE}")
        dashboard.fill("[name=username]", "admin")
        dashboard.fill("[name=password]", system.password)
        dashboard.press("[name=password]", "Enter")
        dashboard.wait_for_selector("body[data-live=live]", state="attached")
        alerts.goto(f"{system.url}/alerts/")
        for page in (dashboard, alerts):
            page.evaluate(WATCH)
        for number in range(pushes):
            host = f"host{number:04}"
            pushed_at[host] = time.time()
            bad = {"metric": METRIC, "value": 97, "labels": {"host": host}}
            beside = {"metric": BESIDE, "value": FIRST_VALUE + number}
            system.post("/api/v1/samples", {"samples": [bad, beside]})
            time.sleep(random.uniform(2.5, 3.5))  # asking the pages whether it is there would delay it
        time.sleep(LOST_S / 3)
        on_dashboard, on_list = (page.evaluate("() => window.shownAt") for page in (dashboard, alerts))
        browser.close()
    received = received_at(receiver, times)
    found: dict[str, Callable[[str], float | None]] = {
        "the tile of its value": lambda host: on_dashboard.get(str(FIRST_VALUE + int(host[4:]))),
        "the widget of alerts": lambda host: on_dashboard.get(host),
        "the list of alerts": lambda host: on_list.get(host),
        "a channel, a webhook": lambda host: received.get(host),
    }
    return {
        what: [at - pushed for host, pushed in pushed_at.items() if (at := when(host)) is not None]
        for what, when in found.items()
    }


def storm(system: System, count: int) -> dict[str, Any]:
    """Have `count` series go bad within ten seconds; return what became of it."""
    with channel(system) as (receiver, times):
        for value in (1.0, 97.0):  # known first, as series are that go bad one day
            began = time.time()
            for begin in range(0, count, BATCH):
                labels = [{"host": f"host{number:05}"} for number in range(begin, min(begin + BATCH, count))]
                samples = [{"metric": STORM, "value": value, "labels": one} for one in labels]
                system.post("/api/v1/samples", {"samples": samples})
            pushed_s = time.time() - began
            if value < 2:
                time.sleep(5)
        firing, slowest_s, until = 0, 0.0, time.time() + STORM_LOST_S
        while firing < count and time.time() < until:
            time.sleep(0.5)
            before = time.time()
            system.push({BESIDE: 1})
            slowest_s = max(slowest_s, time.time() - before)
            firing = int(system.manage("shell", "-v0", "-c", FIRING))
        all_s = time.time() - began
        time.sleep(max(0.0, began + 60 - time.time()))
        received = [json.loads(body) for _, _, body in receiver.got]
    return {
        "alerts pushed / firing": f"{count:,} / {firing:,}",
        "pushed within (s)": f"{pushed_s:.1f}",
        "all firing within (s)": f"{all_s:.1f}",
        "slowest push meanwhile (ms)": milliseconds(slowest_s),
        "messages in the first minute": len(received),
        "first message after (s)": f"{times[0] - began:.1f}" if times else "-",
        "alerts that they count": f"{max((len(one['alerts']) + one['more'] for one in received), default=0):,}",
    }


@contextmanager
def channel(system: System) -> Iterator[tuple[Hook, list[float]]]:
    """Have a channel to a webhook of ours meanwhile; yields what it was sent, and when (Unix seconds)."""
    times: list[float] = []
    with hook(before=lambda: times.append(time.time())) as receiver:
        config = {"url": receiver.url, "secret": "correct horse battery"}
        body = {"kind": "webhook", "name": f"receiver {receiver.url}", "config": config}
        path = f"/api/v1/channels/{system.post('/api/v1/channels', body)['id']}"
        yield receiver, times
        system.post(path, {"enabled": False}, "PATCH")


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks alert_latency", description=__doc__)
    parser.add_argument("--pushes", type=int, default=60, help="bad values one by one (%(default)s)")
    parser.add_argument("--storm", type=int, default=1000, help="series that go bad at once (%(default)s)")
    parser.add_argument("--full", action="store_true", help="a storm of 5,000")
    chosen = parser.parse_args(arguments)
    series = 5000 if chosen.full else chosen.storm
    with postgresql.server() as url, System(DATABASE_URL=url, SERIES_PER_SOURCE="20000") as system:
        widgets = [
            {"kind": "number", "title": "Beside", "config": {"queries": [{"metric": BESIDE}]}},
            {"kind": "alerts", "title": "Alerts", "config": {}},
        ]
        system.make_dashboard(SLUG, widgets)
        steps = {"group_by": ["host"], "steps": [{"tell": ["channels"]}]}
        system.post("/api/v1/escalations/installation", steps, "PUT")
        condition = {"kind": "threshold", "above": 90}
        query = {"metric": METRIC}
        system.post("/api/v1/rules", {"name": "Pressure", "query": query, "condition": condition})
        found = one_by_one(system, chosen.pushes)
        system.post("/api/v1/escalations/installation", {**steps, "group_by": []}, "PUT")
        rule = {"name": "Storm", "query": {"metric": STORM}, "condition": condition, "labels": {"storm": "yes"}}
        system.post("/api/v1/rules", rule)
        stormy = storm(system, series)
    yardstick = percentile(found["the tile of its value"], 50)
    rows = [
        [
            what,
            len(times),
            *(milliseconds(percentile(times, at)) for at in (50, 99)),
            f"{percentile(times, 50) / yardstick:.2f}",
        ]
        for what, times in found.items()
    ]
    headers = ["from the push to", "arrived", "p50 (ms)", "p99 (ms)", "p50, ratio to the tile"]
    table(f"A value over the line: {chosen.pushes} one by one", headers, rows)
    table(f"A storm of {series:,} alerts", list(stormy), [list(stormy.values())])
