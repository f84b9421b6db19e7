"""Trouble: every kind that draws something as critical says so in its frame, where a wall looks for it."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.template.loader import render_to_string

from metrics.models import Widget
from metrics.series.read import Point, Track
from metrics.widgets import bad_alert, gallery
from metrics.widgets.facts import Facts
from metrics.widgets.on_call import Duty
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView, view_of_tracks
from tests.widgets.make import AT, EVERY_S, track

BELOW = {"critical": 1, "direction": "below"}
BAD: dict[str, dict[str, Any]] = {
    "number": {"thresholds": BELOW},
    "bars": {"thresholds": BELOW},
    "gauge": {"thresholds": BELOW},
    "list": {"thresholds": BELOW},
    "table": {"thresholds": [BELOW]},
    "progress": {"goal": 100, "since": "2026-11-01T00:00:00Z", "by": "2026-11-20T11:00:00Z"},
    "slo": {"days": 1},
    "status": {},
    "history": {"days": 0},
    "alerts": {},
    "on_call": {},
}
"""A config of each kind that has something critical, which series of zeros are; and the facts below."""
NEVER = {"line", "heatmap", "late", "untold", "image", "text", "clock", "countdown", "section"}
"""Kinds that draw nothing as critical: at most as a warning."""
FACTS = Facts(
    alerts=[bad_alert.made_up(1, "Site down", "shop", "critical", since=AT - 300)],
    on_call=[Duty(1, "Databases", (), (), AT + 7200)],
)
CRITICAL = re.compile(r"\b(level-critical|mark-critical|cell-down|now-down|duty-gap|severity-critical)\b")
PAST = re.compile(r"<li [^>]*level-critical.*?</li>", re.DOTALL)
"""Changes in a list: one that was critical may be over."""


def zeros() -> Track:
    return track(0.0, [Point(AT - EVERY_S * back, 0.0) for back in range(360, 0, -1)])


def drawn(kind: str) -> WidgetView:
    """Return a widget of `kind` that has something critical."""
    is_still = kind in gallery.STILL
    fields = BAD[kind] if is_still else {"queries": [{"metric": "m"}], **BAD[kind]}
    widget = Widget(key="w", kind=kind, title="T", x=0, y=0, w=3, h=1, config=fields)
    return view_of_tracks(widget, [] if is_still else [[zeros()]], "1h", AT, FACTS)


def is_trouble(view: WidgetView) -> bool:
    head = render_to_string("widgets/widget.html", {"widget": view}).partition(">")[0]
    return " data-trouble" in head


def test_every_kind_is_one_or_the_other() -> None:
    assert BAD.keys() | NEVER == kinds().keys()
    assert not BAD.keys() & NEVER


@pytest.mark.parametrize("kind", BAD)
def test_what_is_critical_is_trouble(kind: str) -> None:
    view = drawn(kind)
    assert (view.error, view.freshness.state in ("fresh", "still")) == ("", True)
    assert is_trouble(view)


def test_an_alert_on_its_series_is_trouble_if_it_is_critical() -> None:
    for severity, expected in (("critical", True), ("warning", False)):
        of_series = bad_alert.OnSeries(1, severity, "/alerts/1/", "1 alert here", "1")
        assert is_trouble(replace(gallery.tile("line", "one"), alerts=of_series)) is expected


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_in_the_gallery_it_is_trouble_where_something_is_drawn_as_critical(kind: str) -> None:
    for state in gallery.states(kind):
        view = gallery.tile(kind, state)
        html = render_to_string("widgets/widget.html", {"widget": view})
        seen = CRITICAL.search(PAST.sub("", html) if kind == "list" else html)
        if view.freshness.state not in ("stale", "nodata"):
            assert is_trouble(view) >= bool(seen), state
