"""Text of every kind in every state: people who listen get the title and what is newest, and no other numbers."""

import re
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from django.template.loader import render_to_string

from metrics.widgets import gallery
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView

VOID = {"br", "hr", "img", "input", "wbr"}
NEWEST: dict[str, Callable[[Any], list[object]]] = {
    "number": lambda view: [view.value],
    "gauge": lambda view: [view.value],
    "progress": lambda view: [view.value, view.goal],
    "line": lambda view: [text for one in view.lines[:4] for text in (one.name, one.value)],
    "bars": lambda view: [text for one in view.bars for text in (one.name, one.value)],
    "table": lambda view: [cell.value for row in view.rows for cell in row.cells],
    "status": lambda view: [view.summary, *(text for one in view.cells for text in (one.name, one.word))],
    "history": lambda view: [text for one in view.rows for text in (one.name, one.word, one.share or "No data")],
    "slo": lambda view: [view.left or "–", *([view.level.word] if view.left else [])],  # noqa: RUF001
    "heatmap": lambda view: [view.least, view.most] if view.cells else ["No samples"],
    "late": lambda view: [view.summary, *(text for one in view.rows for text in (one.name, one.silent))],
    "list": lambda view: [one.value or one.name for one in view.changes] or ["No changes"],
    "text": lambda view: [re.sub("<.*?>", " ", view.html)[:40]],
    "clock": lambda view: [text for one in view.dials for text in (one.name, one.time)],
    "countdown": lambda view: [view.left, view.at],
    "section": lambda view: [],
    "alerts": lambda view: [view.summary, *(text for one in view.rows for text in (one.name, one.severity))],
    "on_call": lambda view: [view.summary, *(text for one in view.rows for text in (one.name, one.people, one.until))],
    "untold": lambda view: [view.summary, *(text for one in view.rows for text in (one.title, one.word))],
    "image": lambda view: [view.alt],
}
"""Texts that have to be said of a view-model, by kind."""
OF_TIMES = {"heatmap", "history"}
"""Kinds that say when something was, which they draw as a place."""
COMBINATIONS = [(kind, state) for kind in sorted(kinds()) for state in gallery.states(kind)]


class Texts(HTMLParser):
    """Sorts the text of a page: `heard` by people who listen, `unseen` of that, and `drawn`."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.unseen: list[str] = []
        self.drawn: list[str] = []
        self.without_text: list[str] = []
        self._open: list[tuple[str, bool, bool]] = [("", False, False)]
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        _, is_silent, is_unseen = self._open[-1]
        is_silent = is_silent or has.get("aria-hidden") == "true"
        is_unseen = is_unseen or tag == "title" or "sr" in (has.get("class") or "").split()
        if (label := has.get("aria-label")) and not is_silent:
            self.heard.append(label)
            self.unseen.append(label)
        if tag in ("svg", "canvas", "img") and not is_silent and has.get("role") != "img":
            inside_svg = any(one == "svg" for one, *_ in self._open)
            self.without_text += [] if inside_svg else [self.get_starttag_text() or tag]
        if tag not in VOID:
            self._open.append((tag, is_silent, is_unseen))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Such as a rect, which has no text."""

    def handle_endtag(self, tag: str) -> None:
        while self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        _, is_silent, is_unseen = self._open[-1]
        if not is_silent:
            self.heard.append(data)
            if is_unseen:
                self.unseen.append(data)
        if not is_unseen:
            self.drawn.append(data)


def plain(texts: list[str]) -> str:
    return re.sub(r"\s+", "", "".join(texts))


def numbers(texts: list[str]) -> set[str]:
    return set(re.findall(r"\d+(?:[.,\u202f]\d+)*", "\n".join(texts)))


@cache
def drawn(kind: str, state: str) -> tuple[WidgetView, Texts]:
    view = gallery.tile(kind, state)
    return view, Texts(render_to_string("widgets/widget.html", {"widget": view}))


def test_there_is_a_row_for_each_kind() -> None:
    assert NEWEST.keys() == kinds().keys()


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_what_is_drawn_is_said(kind: str) -> None:
    for state in gallery.states(kind):
        view, texts = drawn(kind, state)
        said = plain(texts.heard)
        wanted = [view.title, *([view.freshness.state] if view.freshness.state in ("late", "stale") else [])]
        if state == "error":
            wanted += ["can’t be drawn", view.error]  # noqa: RUF001
        elif state == "nodata":
            wanted += ["No data yet", view.hint]
        else:
            wanted += map(str, NEWEST[kind](view.view))
        assert [text for text in wanted if plain([text]) not in said] == [], (kind, state)
        assert texts.without_text == [], (kind, state)


@pytest.mark.parametrize("kind", sorted(kinds().keys() - OF_TIMES))
def test_what_is_only_said_has_no_number_that_is_not_drawn(kind: str) -> None:
    for state in gallery.states(kind):
        view, texts = drawn(kind, state)
        more = {str(len(view.series) - 4)}  # of a line, how many it does not name
        if view.maintenance:  # times that are drawn as a band
            more |= numbers([view.maintenance.said])
        if hasattr(view.view, "annotations"):  # times and texts of what is drawn as marks
            more |= numbers([view.view.annotations.said])
        assert numbers(texts.unseen) - numbers([*texts.drawn, view.title]) - more == set(), (kind, state)


def test_the_states_are_what_they_are_called() -> None:
    found = {state: gallery.tile("number", state) for state in gallery.states("number")}
    assert {state: one.freshness.state for state, one in found.items() if state in ("fresh", "late", "stale")} == {
        "fresh": "fresh",
        "late": "late",
        "stale": "stale",
    }
    assert [state for state, one in found.items() if one.error] == ["error"]
    assert [state for state, one in found.items() if not one.series] == ["nodata", "error"]
    assert len(found["many"].series) == 30
    assert gallery.tile("line", "empty").view.empty  # type: ignore[union-attr]
