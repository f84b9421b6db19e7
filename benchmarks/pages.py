"""Pages in Chromium: 24 widgets in a browser without a cache, and a tile that somebody moves and publishes.

The whole system runs as `make run` starts it. The yardstick of a first load is the same page without its scripts, that
of publishing is the answer that whoever publishes gets. A task of the page is as long as the processor works on it,
whatever else the machine does.
"""

import argparse
import json
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.common import milliseconds, percentile, table
from benchmarks.history import session
from benchmarks.system import RANGE, System, widgets

SLUG, WIDGETS, TILE = "pages", 24, "widget-0"
BYTES_MOST, SCRIPTS_MOST, TASK_MOST_MS, MOVED_MOST_S = 120_000, 60_000, 50, 0.5
TRACED = ["toplevel", "devtools.timeline"]
WATCH_TILE = """(id) => {
  const tile = () => document.getElementById(id).className;
  let before = tile();
  window.movedAt = [];
  new MutationObserver(() => {
    if (tile() !== before) window.movedAt.push(Date.now() / 1000);
    before = tile();
  }).observe(document.getElementById("widgets"), { attributes: true, childList: true, subtree: true });
}"""
PUBLISH = """() => new Promise((done) => {
  const began = Date.now() / 1000;
  new MutationObserver((_, observer) => {
    if (!document.querySelector("#editor-said .said-success")) return;
    observer.disconnect();
    done([began, Date.now() / 1000]);
  }).observe(document.getElementById("editor"), { childList: true, subtree: true });
  document.querySelector("[data-publish]").click();
})"""


def first_load(browser: Any, system: System, cookies: list[dict[str, str]], *, scripts: bool) -> dict[str, float]:
    """Return what one load without a cache takes: seconds until it is live, bytes as sent, and the longest task."""
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 1280, "height": 800})
    context.add_cookies(cookies)
    page = context.new_page()
    tools = context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    bytes_of: dict[str, float] = {}
    tools.on("Network.responseReceived", lambda told: kinds.update({told["requestId"]: told["type"]}))
    tools.on(
        "Network.loadingFinished", lambda told: bytes_of.update({told["requestId"]: float(told["encodedDataLength"])})
    )
    tools.send("Network.enable")
    browser.start_tracing(page=page, categories=TRACED)
    began = time.perf_counter()
    page.goto(f"{system.url}/d/{SLUG}/?range={RANGE}")
    if scripts:
        page.wait_for_selector("body[data-live=live]", state="attached")
    took = time.perf_counter() - began
    page.wait_for_timeout(1000)
    longest_ms = longest_task_ms(json.loads(browser.stop_tracing())["traceEvents"])
    context.close()
    of_scripts = sum(size for request, size in bytes_of.items() if kinds.get(request) == "Script")
    return {"s": took, "bytes": sum(bytes_of.values()), "scripts": of_scripts, "task_ms": longest_ms}


def longest_task_ms(events: list[dict[str, Any]]) -> float:
    """Return the CPU time of the longest task of a page's main thread."""
    names = [one for one in events if one["name"] == "thread_name"]
    main = {(one["pid"], one["tid"]) for one in names if one["args"]["name"] == "CrRendererMain"}
    tasks = [one for one in events if "RunTask" in one["name"] and (one["pid"], one["tid"]) in main]
    return max(float(one.get("tdur", 0)) for one in tasks) / 1000


def moved(browser: Any, system: System, cookies: list[dict[str, str]], times: int) -> tuple[list[float], list[float]]:
    """Return after how many seconds a second page had each move, and whoever published it an answer."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies(cookies)
    editor, watcher = context.new_page(), context.new_page()
    watcher.goto(f"{system.url}/d/{SLUG}/?range={RANGE}")
    watcher.wait_for_selector("body[data-live=live]", state="attached")
    watcher.evaluate(WATCH_TILE, f"w-{TILE}")
    editor.bring_to_front()
    shown, answered = [], []
    for number in range(times):
        editor.goto(f"{system.url}/d/{SLUG}/edit/")
        editor.locator(f"#tile-{TILE}").focus()
        for key in ("Enter", "Shift+ArrowDown" if number % 2 == 0 else "Shift+ArrowUp", "Enter"):
            editor.keyboard.press(key)
        editor.wait_for_selector("[data-publish]:not([disabled])")
        began, answer_at = editor.evaluate(PUBLISH)
        answered.append(answer_at - began)
        watcher.wait_for_function(f"() => window.movedAt.length > {number}", polling=100, timeout=20_000)
        shown.append(watcher.evaluate(f"() => window.movedAt[{number}]") - began)
        editor.wait_for_timeout(2500)  # by then the page has followed all of the revision
    context.close()
    return shown, answered


def main(arguments: Sequence[str]) -> None:
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import find_or_install

    parser = argparse.ArgumentParser(prog="python -m benchmarks pages", description=__doc__)
    parser.add_argument("--times", type=int, default=10, help="loads, and moves (%(default)s)")
    parser.add_argument("--full", action="store_true", help="nothing larger")
    chosen = parser.parse_args(arguments)
    with System() as system, sync_playwright() as playwright:
        for round_ in range(30):
            system.push({f"pushed_{number}": number + round_ % 7 for number in range(WIDGETS)})
        system.make_dashboard(SLUG, widgets(WIDGETS))
        name, _, value = session(system).partition("=")
        cookies = [{"name": name, "value": value, "url": system.url}]
        browser = playwright.chromium.launch(executable_path=find_or_install(), args=["--no-sandbox", "--disable-gpu"])
        both = [
            (
                first_load(browser, system, cookies, scripts=True),
                first_load(browser, system, cookies, scripts=False),
            )
            for _ in range(chosen.times)
        ]
        shown, answered = moved(browser, system, cookies, chosen.times)
        browser.close()
    loads, bare = zip(*both, strict=True)
    middle, bare_middle = (percentile([one["s"] for one in those], 50) for those in (loads, bare))
    task, bare_task = (percentile([one["task_ms"] for one in those], 50) for those in (loads, bare))
    rows = [
        ["bytes, compressed", f"{loads[0]['bytes']:,.0f}", f"{BYTES_MOST:,}", f"{bare[0]['bytes']:,.0f}"],
        ["bytes of scripts, compressed", f"{loads[0]['scripts']:,.0f}", f"{SCRIPTS_MOST:,}", "-"],
        ["longest task, p50 (ms of CPU)", f"{task:.0f}", f"{TASK_MOST_MS}", f"{bare_task:.0f}"],
        ["until it is live, p50 (ms)", milliseconds(middle), "-", milliseconds(bare_middle)],
        ["the same, ratio", f"{middle / bare_middle:.2f}", "-", "1.00"],
    ]
    headers = ["first load of 24 widgets, no cache", "measured", "at most", "without scripts"]
    table("A dashboard in a browser without a cache", headers, rows)
    p50, p95, answer = percentile(shown, 50), percentile(shown, 95), percentile(answered, 50)
    cells = [milliseconds(p50), milliseconds(p95), milliseconds(MOVED_MOST_S), milliseconds(answer)]
    headers = ["p50 (ms)", "p95 (ms)", "at most (ms)", "the answer to who publishes, p50 (ms)", "ratio"]
    table("A moved tile on a second open page, after publishing", headers, [[*cells, f"{p50 / answer:.2f}"]])
