"""Suggestions of series for what somebody types into a query: which series, and how they stand."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from metrics.series import read
from metrics.widgets import ranges, units
from metrics.widgets.spark import spark
from metrics.widgets.units import Shown

MOST = 12
RANGE = "1h"
TITLE_MOST = 100
VARIES_MOST = 4
UNITS = re.compile(r"_(percent|ratio|bytes|seconds|milliseconds|ms|total|info|count)(_total)?$")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Series to choose: those of `metric` that have `labels`, which are also given as the `pairs` of a form.

    `title` is what a widget of it may be called. `series` is how many there are; `varies` says which labels tell them
    apart, in words. `sources` says where they come from. `value` and `spark`, SVG path data in a box of 1000 by 200,
    are those of the newest series: of the only one, or one for example.
    """

    metric: str
    labels: tuple[tuple[str, str], ...]
    pairs: str
    title: str
    series: int
    varies: str
    sources: str
    value: Shown | None
    spark: str


@dataclass(frozen=True, slots=True)
class LabelSuggestion:
    """A label or its value: the `text` to put into the line, and how many `series` have it, or `values` it has."""

    text: str
    series: int = 0
    values: int = 0


def suggest(typed: str, at: float, names: Mapping[int, str], hidden: Collection[int]) -> tuple[list[Suggestion], bool]:
    """Return the best suggestions for what was `typed` as of `at` (Unix seconds), and whether there are more.

    `names` are those of the sources by id; series of those `hidden` are left out.
    """
    hits, is_more = read.search(typed, names, hidden, MOST)
    window = ranges.window(RANGE, at)
    drawn = read.Window(window.at, window.start, window.end, window.step_s, window.start)
    tracks = read.of_ids([hit.pk for hit in hits], drawn, hidden)
    return [_suggestion(hit, tracks[hit.pk], window, names) for hit in hits if hit.pk in tracks], is_more


def suggest_labels(metric: str, line: str, hidden: Collection[int]) -> list[LabelSuggestion]:
    """Return the best labels of `metric` for a `line` without a colon, else values of the label before it."""
    name, is_value, typed = line.partition(":")
    found, typed = read.labels(metric, hidden), (typed if is_value else name).strip().lower()
    if is_value:
        of_label = found.get(name.strip(), {})
        return [LabelSuggestion(f"{name.strip()}: {one}", of_label[one]) for one in _best(of_label, typed)]
    return [LabelSuggestion(f"{one}: ", values=len(found[one])) for one in _best(found, typed)]


def suggest_names(metric: str, typed: str, hidden: Collection[int]) -> list[LabelSuggestion]:
    """Return the best labels of `metric`, or of all metrics if it is empty, for what was `typed` of a name."""
    found = read.labels(metric, hidden)
    return [LabelSuggestion(one, values=len(found[one])) for one in _best(found, typed.strip().lower())]


def _best(texts: Collection[str], typed: str) -> list[str]:
    found = [(how, text) for text in texts if (how := read.rank(text.lower(), typed)) is not None]
    return [text for _, text in sorted(found)[:MOST]]


def _suggestion(hit: read.Hit, track: read.Track, window: ranges.Window, names: Mapping[int, str]) -> Suggestion:
    more = len(hit.varies) - VARIES_MOST
    varies = ", ".join(hit.varies[:VARIES_MOST]) + (f" and {more} more" if more > 0 else "")
    return Suggestion(
        metric=hit.metric,
        labels=tuple(hit.labels.items()),
        pairs="\n".join(f"{name}: {value}" for name, value in hit.labels.items()),
        title=title_of(hit.metric, hit.labels),
        series=hit.series,
        varies=varies,
        sources=_sources([names.get(one, "") if one is not None else "" for one in hit.sources]),
        value=units.show(track.latest.value, track.unit) if track.latest else None,
        spark=spark(track, None, window),
    )


def title_of(metric: str, labels: Mapping[str, str]) -> str:
    """Return a title for a widget of a metric: its name in words without its unit, and the values of `labels`."""
    words = re.sub(r"[_.:\-\s]+", " ", UNITS.sub("", metric)).strip() or metric
    title = ", ".join([words[:1].upper() + words[1:], *labels.values()])
    return title if len(title) <= TITLE_MOST else title[: TITLE_MOST - 1] + "…"


def _sources(names: Collection[str]) -> str:
    named = sorted(filter(None, names))
    return named[0] if len(names) == 1 and named else f"{len(names)} sources" if named else ""
