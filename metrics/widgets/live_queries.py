"""Live queries of widgets: what they ask a server, and what they make of its newest answers.

Nothing here asks a server: rendering never waits for one. `metrics.actions.live_queries` has the questions asked.
"""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from django.db.models import QuerySet
from redis import RedisError

from metrics.models import Source
from metrics.redis_state import live_queries as state
from metrics.redis_state import outage
from metrics.redis_state.live_queries import Answer, Question
from metrics.series.read import Point, Track
from metrics.widgets import promql_text
from metrics.widgets.base import QueryConfig, WidgetKind
from metrics.widgets.ranges import RANGES_S, Window

KIND = "promql"
NEWEST_EVERY_S = 30
"""How often newest values are asked for where the steps of a range are longer."""
LABELS_EVERY_S = 60
"""How often the values of a label are asked for."""
PARTED_S, PARTS = 60, 4
"""Steps of at least so many seconds are asked for in so many parts, where the least and the greatest are drawn."""
SCRAPED_S = 15
"""How often a server is taken to scrape, for `$__rate_interval`."""
NAME_CHARACTERS = 60
_NAME = r"__(?:rate_interval|interval|range)(?:_s|_ms)?"
_INTERVAL = re.compile(rf"\$(?:\{{({_NAME})\}}|({_NAME})\b)")

Answers = Mapping[Question, Answer]


@dataclass(frozen=True, slots=True)
class Live:
    """A live query in a window: its `points` and its `newest` values, each a question, or None where none is needed.

    New answers are expected every `every_s` seconds. `problem` is a sentence that says why nothing can be asked.
    """

    query: QueryConfig
    points: Question | None = None
    newest: Question | None = None
    every_s: float = 0.0
    problem: str = ""

    @property
    def questions(self) -> tuple[Question, ...]:
        return tuple(one for one in (self.points, self.newest) if one)


@dataclass(frozen=True, slots=True)
class Said:
    """Sentences about a live query: an `error` if there is nothing to draw, else a `note`, or a `hint` without data."""

    error: str = ""
    note: str = ""
    hint: str = ""


def servers(names: Iterable[str], hidden: Collection[int] = ()) -> dict[str, Source]:
    """Return the sources of these names that could answer, by name, but for those `hidden` (ids)."""
    wanted = set(names)
    if not wanted:
        return {}
    return {one.name: one for one in Source.objects.filter(kind=KIND, name__in=wanted).exclude(pk__in=hidden)}


def to_choose(sources: QuerySet[Source]) -> list[str]:
    """Return the names of those of `sources` that widgets may ask, in order."""
    return sorted(sources.filter(kind=KIND, config__live=True).values_list("name", flat=True), key=str.casefold)


def of_query(
    query: QueryConfig, kind: WidgetKind[Any], window: Window, sources: Mapping[str, Source], *, fine: bool = False
) -> Live:
    """Return what `query` of a widget of `kind` asks in `window`; if `fine`, for points whatever the kind is.

    Times are whole multiples of steps, so that all who ask within a step ask the same.
    """
    source = sources.get(query.source)
    problem = _problem(query, source)
    if source is None or problem:
        return Live(query, problem=problem)
    step_s = window.step_s
    if (kind.extremes or fine) and step_s >= PARTED_S:
        step_s //= PARTS
    every_s = min(RANGES_S.get(window.range, (0, NEWEST_EVERY_S))[1], NEWEST_EVERY_S)
    text = _INTERVAL.sub(lambda found: _length(found[1] or found[2], step_s, window), query.promql)
    server = state.digest([source.config, source.secrets])
    newest = Question(source.pk, server, text, _floor(window.at, every_s))
    windows = max(kind.windows_back, 1 if fine else 0)
    if not windows:
        return Live(query, newest=newest, every_s=every_s)
    pace_s = max(step_s, every_s)
    span_s = round(windows * window.length_s)
    points = Question(source.pk, server, text, _floor(window.at, pace_s), span_s, step_s)
    return Live(query, points, newest if pace_s > every_s else None, every_s)


def of_label(source: Source, label: str, metric: str, at: float) -> Question | None:
    """Return the question for the values of `label`, of `metric` or of all series; None if it may not be asked."""
    if not (source.enabled and source.config.get("live")):
        return None
    server = state.digest([source.config, source.secrets])
    return Question(source.pk, server, metric, _floor(at, LABELS_EVERY_S), label=label)


def _problem(query: QueryConfig, source: Source | None) -> str:
    if source is None:
        return f"There is no source {query.source!r} of the kind {KIND} that this dashboard may ask."
    if not source.config.get("live"):
        return f"Widgets may not ask the source {source.name}: its field live says so."
    if not source.enabled:
        return f"The source {source.name} is off."
    if loose := promql_text.loose_variable(_INTERVAL.sub("1m", query.promql)):
        return f"PromQL: {loose} can't stand there: it is no variable here, or its value is no name, number or period."
    return ""


def _floor(at: float, step_s: float) -> float:
    return math.floor(at / step_s) * step_s


def _length(name: str, step_s: int, window: Window) -> str:
    """Return what a variable of Grafana's stands for: a period, or a number of seconds or milliseconds."""
    seconds = {
        "__interval": step_s,
        "__rate_interval": max(step_s + SCRAPED_S, 4 * SCRAPED_S),
        "__range": round(window.length_s),
    }[re.sub("_m?s$", "", name)]
    return str(seconds) if name.endswith("_s") else str(1000 * seconds) if name.endswith("_ms") else f"{seconds}s"


# --- Answers ------------------------------------------------------------------------------------------------


def answers(asked: Iterable[Live]) -> Answers:
    """Return the newest answers, as far as there are any; of the past where those were asked for."""
    questions = [one for live in asked for one in live.questions]
    if not questions:
        return {}
    try:
        found = state.answers([*questions, *(replace(one, fixed=True) for one in questions)])
    except RedisError as error:
        outage.log("answers of live queries not read", error)
        return {one: Answer(one.end, error=outage.words(error)) for one in questions}
    either = {one: found.get(replace(one, fixed=True)) or found.get(one) for one in questions}
    return {question: answer for question, answer in either.items() if answer is not None}


def shown(live: Live, found: Answers, window: Window) -> tuple[list[Track], Said]:
    """Return the series that were answered, in the order of their labels, and what there is to say."""
    if live.problem:
        return [], Said(error=live.problem)
    known = [found[one] for one in live.questions if one in found]
    errors = [one.error for one in known if one.error]
    if not any(one.end for one in known):
        if errors:
            return [], Said(error=errors[0])
        return [], Said(hint=f"Waiting for the answer of {live.query.source}.")
    notes = list(dict.fromkeys([*errors, *(note for one in known for note in one.notes)]))
    tracks = list(_tracks(live, found, window))
    is_known = any(one.series for one in known)
    none = "answers nothing that is a number" if is_known else "knows no such series"
    return tracks, Said(note=" ".join(map(_sentence, notes)), hint=f"{live.query.source} {none}.")


def _tracks(live: Live, found: Answers, window: Window) -> Iterator[Track]:
    points = {_key(labels): values for labels, values in _values(live.points, found, window.at)}
    newest = {_key(labels): values for labels, values in _values(live.newest, found, window.at)}
    for key in sorted({*points, *newest}):
        labels = dict(key)
        values = points.get(key, [])
        latest = (newest.get(key) or values)[-1:]
        yield Track(
            metric=labels.get("__name__") or short(live.query.promql),
            labels={name: value for name, value in key if not name.startswith("__")},
            unit=live.query.unit or "",
            every_s=live.every_s,
            latest=latest[0] if latest else None,
            points=tuple(_in_steps(values, window, live.points)),
        )


def _values(question: Question | None, found: Answers, at: float) -> Iterator[tuple[dict[str, str], list[Point]]]:
    """Return labels and values of each series of an answer, up to `at`; none that was not finite."""
    answer = found.get(question) if question else None
    if question is None or answer is None or not answer.end:
        return
    for labels, values in answer.series:
        pairs = ((answer.start + place * question.step_s, value) for place, value in enumerate(values))
        if points := [Point(moment, value) for moment, value in pairs if value is not None and moment <= at]:
            yield labels, points


def _in_steps(values: Sequence[Point], window: Window, question: Question | None) -> Iterator[Point]:
    """Return the values in `window` and those before it; of values that lie closer than its steps, means of these."""
    span_s = question.span_s if question else 0
    values = [one for one in values if window.end - span_s <= one.at < window.end]
    if question is None or question.step_s >= window.step_s:
        yield from values
        return
    steps: dict[int, list[float]] = {}
    for one in values:
        steps.setdefault(int((one.at - window.start) // window.step_s), []).append(one.value)
    for number, of_step in steps.items():
        yield Point(window.start + number * window.step_s, fmean(of_step), min(of_step), max(of_step))


def _key(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def short(text: str) -> str:
    """Return the beginning of PromQL, in one line."""
    text = " ".join(text.split())
    return text if len(text) <= NAME_CHARACTERS else f"{text[: NAME_CHARACTERS - 1]}…"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
