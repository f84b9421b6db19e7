"""A page that is kept up by frames equals the page loaded anew.

A page is loaded once and then only ever changed by the frames of a real `Stream`, which gets its messages
through the real channel layer and its snapshot from the real Redis, while samples go their one way in. After
every step of time it is compared with the same widgets drawn anew at that very moment.

Two things are left out of the comparison, because time alone changes them on the page, where
`static/js/freshness.js` computes them from the thresholds beside them: the attribute `data-state` of a widget,
and the words in its `data-freshness`. Everything else must be the same, to the last character.

Between two sweeps that draw everything, what nobody marked may be as old as the sweep's period
(`PERIOD_MOST_S`, or the step of the range where that is shorter), so the moments that are compared are those
at which a period begins, and in between them the widgets whose series just got samples, and the notice, which
appears and goes meanwhile.
"""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from itertools import groupby
from types import SimpleNamespace
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.template.loader import render_to_string

from consumers.access import Decision
from consumers.frame import Frame
from consumers.holders import Credential
from consumers.outlet import Hear
from consumers.stream import Stream
from consumers.viewer import Viewer
from metrics.actions import arrivals, facts, notice, render
from metrics.alerts.matchers import parse, to_json
from metrics.health import store as health
from metrics.live import bus, snapshot
from metrics.live.topic import Topic
from metrics.models import Dashboard, Maintenance, MaintenanceSpan, Override, Schedule, Silence, Source
from metrics.redis_state.round_trip import ask
from metrics.sample import Sample
from metrics.times import datetime_of
from metrics.widgets.ranges import RANGES_S
from metrics.widgets.registry import kinds
from metrics.widgets.render import render as draw
from metrics.widgets.render import render_all
from metrics.widgets.section import raised
from tests import loop, make
from tests.make import AT
from tests.promql_server import PromqlServer, answer_at_once, promql_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

STEP_S = 5
UNTIL_S = 240

LOAD, UP, DISK, GONE, SILENT = "load", "up", "disk", "gone", "silent"
CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("number", {"queries": [{"metric": LOAD}], "thresholds": {"warn": 3, "critical": 5}, "better": "lower"}),
    ("number", {"queries": [{"metric": DISK}], "combine": "max"}),
    ("number", {"queries": [{"metric": "never"}], "hint": "Nobody sends this."}),
    ("line", {"queries": [{"metric": LOAD, "legend": "{host}"}, {"metric": GONE}]}),
    ("line", {"queries": [{"metric": DISK}], "stacked": True, "min": 0, "annotations": ["deploy"]}),
    ("line", {"queries": [{"metric": LOAD}, {"metric": DISK, "axis": "right"}], "right": {"scale": "log"}}),
    ("line", {"queries": [{"source": "prom", "promql": "up"}, {"metric": LOAD}]}),
    ("status", {"queries": [{"metric": UP, "legend": "{check}"}]}),
    ("bars", {"queries": [{"metric": DISK, "legend": "{mount}"}], "thresholds": {"warn": 80}}),
    ("bars", {"queries": [{"metric": GONE}]}),
    ("gauge", {"queries": [{"metric": LOAD}], "max": 10}),
    ("progress", {"queries": [{"metric": LOAD}], "goal": 1000}),
    ("table", {"queries": [{"metric": DISK}, {"metric": LOAD}], "thresholds": [{"warn": 80}]}),
    ("slo", {"queries": [{"metric": UP}], "days": 1}),
    ("heatmap", {"queries": [{"metric": DISK}], "days": 2}),
    ("late", {"queries": [{"metric": SILENT}, {"metric": GONE}]}),
    ("late", {"row_link": "/d/shop/", "links": [{"title": "There", "url": "/d/shop/"}]}),
    ("list", {"queries": [{"metric": UP}, {"metric": DISK}], "rows": 5}),
    ("list", {"annotations": ["deploy"], "rows": 5}),
    ("history", {"queries": [{"metric": UP, "legend": "{check}"}], "days": 2}),
    ("image", {"picture": "0" * 64}),
    ("section", {"folded": True}),
    ("alerts", {"matchers": 'env="prod"', "rows": 3}),
    ("on_call", {"rows": 3}),
    ("untold", {"rows": 5}),
    ("text", {"text": "Call *Ada*."}),
    ("clock", {"places": [{"zone": "Asia/Tokyo"}]}),
    ("countdown", {"until": "2026-11-20T12:02:00Z"}),
]


class Page:
    """The page: what was loaded, and what frames made of it."""

    def __init__(self, loaded: dict[str, str]) -> None:
        self.widgets = loaded
        self.frames = 0
        self.seen: set[str] = set()
        self.notices: list[str] = []

    def write(self, frame: Frame) -> None:
        self.frames += 1
        for widget, html in re.findall(
            r'hx-target="#(?:w-)?([\w-]+)" hx-swap="outerMorph">(.*?)</hx-partial>', frame.text, re.S
        ):
            self.widgets[widget] = html
            self.seen.add(html)
            self.notices += [html] if widget == "notice" else []

    def waiting_bytes(self) -> int:
        return 0

    def listen(self, hear: Hear) -> None:
        """Nothing is heard here."""

    def close(self, code: int) -> None:
        raise AssertionError(f"closed with {code}")


def timeless(html: str) -> str:
    """Leave out what the page computes from time itself."""
    html = re.sub(r'data-state="\w+"', "", html)
    return re.sub(r"(data-freshness>)[^<]*", r"\1", html)


def measured(second: int, slow: Source) -> Iterator[tuple[list[Sample], Source | None]]:
    """Samples that arrive at `second`: regular, irregular, late, from clocks that are ahead, ending, and beginning."""
    at = AT + second
    yield [Sample(LOAD, 2 + 2 * math.sin(second / 40), {"host": host}, at) for host in ("a", "b")], None
    if second % 15 == 0:
        yield [Sample(UP, float(second % 45 != 0), {"check": name}, at) for name in ("shop", "mail")], slow
    if second % 20 == 0:
        yield [Sample(DISK, 40 + second / 10, {"mount": "/"}, at - 2, "percent")], None
    if second >= 100:
        yield [Sample(DISK, 85.0, {"mount": "/new"}, at + 3, "percent")], None  # a sender whose clock is ahead
    if second < 60:
        yield [Sample(GONE, 1.0, {}, at, expires_after_s=100)], None  # its last value lapses, and no sample says so
    if second in (75, 130):
        yield [Sample(LOAD, 9.0, {"host": "a"}, at - 60.5)], None  # held up on its way
    if not 90 <= second < 190:
        yield [Sample(SILENT, 1.0, {"host": host}, at, expected_every_s=5) for host in "abcd"], None
    if second == 150:
        yield [Sample(LOAD, 99.0, {"host": "a"}, AT + 100)], None  # a retry, whose first value counts


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PromqlServer]:
    """A server that answers live queries at once."""
    with promql_server() as one:
        answer_at_once(monkeypatch)
        yield one


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, server: PromqlServer) -> Callable[[float], None]:
    """Set the time at which renders draw."""
    now = SimpleNamespace(time=lambda: AT, perf_counter=lambda: 0.0)
    monkeypatch.setattr(render, "time", now)
    monkeypatch.setattr("metrics.live.marks.DEBOUNCE_S", 0)
    monkeypatch.setattr("consumers.stream.FLUSH_S", 0)

    def set_(at: float) -> None:
        now.time = lambda: at

    return set_


@pytest.fixture
async def _closed() -> AsyncIterator[None]:
    yield
    await loop.close()


def build(url: str) -> tuple[Dashboard, Source, set[str], set[str]]:
    """Make a dashboard of all kinds and a source, and one that asks `url`; return the two.

    Return also the keys of all widgets, and of those that show `LOAD`.
    """
    make.source("promql", "prom", 60, url=url, live=True)
    keep_quiet()
    assert {kind for kind, _ in CONFIGS} == set(kinds())
    widgets = [
        {"kind": kind, "title": f"{kind} {i}", "config": config, **({"w": 12} if kind == "section" else {})}
        for i, (kind, config) in enumerate(CONFIGS)
    ]
    made = make.dashboard(widgets=widgets)
    shows_load = {widget.key for widget in made.widgets.all() if f"'{LOAD}'" in str(widget.config)}
    return made, make.source(name="checks", every_s=15), {widget.key for widget in made.widgets.all()}, shows_load


def keep_quiet() -> None:
    """Have a shift, a silence and maintenance begin and end between sweeps of everything; an incident goes on."""
    make.incident("The shop is slow")
    ada, spec = make.user("ada"), {"layers": [{"people": ["ada"], "start": "2026-11-21T09:00", "unit": "days"}]}
    on_duty = Schedule.objects.create(name="Ops", spec=spec)
    Override.objects.create(schedule=on_duty, user=ada, **ends(42, 103), by="system")
    given = to_json(parse(f'metric="{LOAD}"'))
    Silence.objects.create(matchers=given, by="ada", comment="Disks", **ends(33, 122))
    disks = Maintenance.objects.create(matchers=given, by="ada", comment="Disks")
    MaintenanceSpan.objects.create(maintenance=disks, **ends(52, 113))


def ends(start: float, end: float) -> dict[str, datetime]:
    return {"starts_at": datetime_of(AT + start), "ends_at": datetime_of(AT + end)}


def noticed(at: float) -> notice.Notice:
    return notice.of(ask(health.noted()), at)


def fresh(dashboard: Dashboard, range: str, at: float, keys: set[str]) -> dict[str, str]:
    """Draw the notice, and those widgets."""
    said = {"notice": noticed(at)}
    widgets = raised(list(dashboard.widgets.all()))
    known = facts.on(dashboard.pk, widgets, at)
    drawn = render_all([one for one in widgets if one.key in keys], range, at, known)
    return {**drawn, "notice": render_to_string("notice/notice.html", said).strip()}


def one_by_one(dashboard: Dashboard, range: str, at: float) -> dict[str, str]:
    """Draw each widget without the others."""
    widgets = raised(list(dashboard.widgets.all()))
    known = facts.on(dashboard.pk, widgets, at)
    return {one.key: draw(one, range, at, known) for one in widgets}


def advance(variant: Topic, second: int, slow: Source) -> None:
    """Do what the system does at `second`: accept what arrives, sweep, render."""
    at = AT + second
    make.watch(variant, now=at)
    for batch, source in measured(second, slow):
        make.accepted(batch, source, at)
    if second % 10 == 0:
        arrivals.look(at)
    render.sweep(at)
    while render.render(variant):  # what servers answer is drawn at once
        pass


@pytest.mark.parametrize("range", ["15m", "6h"])
@pytest.mark.usefixtures("_closed")
async def test_a_page_kept_up_by_frames_equals_the_page_loaded_anew(
    range: str, clock: Callable[[float], None], server: PromqlServer
) -> None:
    period_s = min(RANGES_S[range][1], render.PERIOD_MOST_S)
    dashboard, slow, every, shows_load = await database_sync_to_async(build)(server.url)
    variant = make.variant("shop", range)
    layer: Any = get_channel_layer()
    channel = await layer.new_channel("test.")
    await layer.group_add(bus.group(variant), channel)
    page = Page(await database_sync_to_async(fresh)(dashboard, range, AT - 1, every))
    stream = Stream(variant)
    stream.fed = True
    stream.load(await snapshot.read(variant))
    viewer = Viewer(page, Credential("", ""), Decision(None, "user:1", "ada"))
    stream.join(viewer, "", 0)
    compared = 0
    for second in [*_steps()]:
        clock(AT + second)
        before = stream.version
        await database_sync_to_async(advance)(variant, second, slow)
        ((_, version),) = await snapshot.read_versions([variant])
        while stream.version < version:
            message = await asyncio.wait_for(layer.receive(channel), 5)
            if not stream.take(message):
                stream.load(await snapshot.read(variant))
        await _flushed(stream, viewer)
        said = await database_sync_to_async(noticed)(AT + second)  # as the hub does
        stream.notify(notice.fragment(said), said)
        stream.pulse()
        stream.acknowledge(viewer, stream.version)
        concerned = every if (AT + second) % period_s == 0 else shows_load
        anew = await database_sync_to_async(fresh)(dashboard, range, AT + second, concerned)
        for widget in sorted(anew):
            assert timeless(page.widgets[widget]) == timeless(anew[widget]), f"{second} s, w-{widget}"
            compared += 1
        assert stream.version > before
    whole = await database_sync_to_async(fresh)(dashboard, range, AT + second, every)
    assert {**whole, **await database_sync_to_async(one_by_one)(dashboard, range, AT + second)} == whole
    assert server.asked
    assert any('class="in-maintenance"' in html for html in page.seen), "maintenance began"
    assert any(">ada<" in html for html in page.seen), "a shift began"
    assert compared > 2 * len(_steps())
    assert page.frames > len(_steps())
    shown = [tuple(re.findall("<strong>(.*)</strong>", html)) for html in page.notices]
    assert [said for said, _ in groupby(shown)] == [(), ("Pushes stopped at 12:01 UTC.",), ()]


def _steps() -> list[int]:
    return list(range(0, UNTIL_S, STEP_S))


async def _flushed(stream: Stream, viewer: Viewer) -> None:
    async with asyncio.timeout(5):
        while viewer.sent < stream.version:  # noqa: ASYNC110 (a stream has no event for it)
            await asyncio.sleep(0.001)
