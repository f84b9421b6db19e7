"""The series that rules look at, and what functions, groups, expressions and conditions make of them.

The same functions read and judge the present and a rehearsal.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.timezone import get_current_timezone

from metrics.alerts.base import ConditionConfig, Samples
from metrics.alerts.past import Steps
from metrics.alerts.rule import RuleQuery, RuleSpec
from metrics.sample import series_key
from metrics.series import read
from metrics.series.read import Asked, Found, Track, Window
from metrics.widgets import arithmetic
from metrics.widgets.group import group, top

CALCULATED_MOST_S = 300.0
"""Over how long a function is, where its query does not say it."""
Chosen = list[list[Found]]
"""The series of each query of a rule."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A rule's document with the config of its condition, and the series that were `chosen` for its queries."""

    spec: RuleSpec
    condition: ConditionConfig
    chosen: Chosen


def chosen(specs: Sequence[RuleSpec], hidden: Iterable[int], *, counters_alone: bool = True) -> list[Chosen]:
    """Return the series of each of `specs`, all of them, having asked once.

    Of a plain query the gauges are left out, which are followed sample by sample, if `counters_alone`.
    """
    queries = [query.query() for spec in specs for query in queries_of(spec)]
    found = iter(read.find(queries, frozenset(hidden), most=None))
    return [
        [
            [one for one in next(found) if not counters_alone or not spec.is_plain() or one.type == "counter"]
            for _ in queries_of(spec)
        ]
        for spec in specs
    ]


def queries_of(spec: RuleSpec) -> list[RuleQuery]:
    """Return the queries of a rule, in their order."""
    return [spec.query, *spec.queries]


def moment(spec: RuleSpec, at: float) -> Window:
    """Return the window that ends `at` a moment (Unix seconds) and that functions are over."""
    over_s = spec.query.over_s or CALCULATED_MOST_S
    return Window(at, at - over_s, at, over_s, at - over_s)


def tracks(
    readings: Sequence[Reading], windows: Sequence[Window], at: float, *, points: bool, extremes: bool = False
) -> list[list[Track]]:
    """Return what each rule looks at over its window, as of `at`, having read all at once."""
    asked = [
        Asked(
            query.query(),
            query.chosen_function(),
            window,
            points=points,
            over_s=query.over_s,
            extremes=extremes and query.is_plain(),
        )
        for reading, window in zip(readings, windows, strict=True)
        for query in queries_of(reading.spec)
    ]
    found = iter(read.of_chosen(asked, [of_query for reading in readings for of_query in reading.chosen], at))
    return [
        made(reading.spec, [next(found) for _ in reading.chosen], window.step_s)
        for reading, window in zip(readings, windows, strict=True)
    ]


def made(spec: RuleSpec, found: Sequence[list[Track]], step_s: float) -> list[Track]:
    """Return what groups and the expression of a rule make of what its queries found."""
    fewer = [_fewer(query, of_query, step_s) for query, of_query in zip(queries_of(spec), found, strict=True)]
    if not spec.expression:
        return fewer[0]
    named = {query.name: of_query for query, of_query in zip(queries_of(spec), fewer, strict=True) if query.name}
    results = arithmetic.evaluate(spec.expression, named, step_s)
    return results if spec.unit is None else [replace(one, unit=spec.unit) for one in results]


def _fewer(query: RuleQuery, found: list[Track], step_s: float) -> list[Track]:
    if query.group_by is not None:
        found = group(found, query.group_by, query.aggregate, step_s)
    return found if query.top is None else top(found, query.top)


def key_of(track: Track) -> str:
    """Return the key that tells what a rule looks at from the others of it."""
    return series_key(track.metric, track.labels)


def steps_of_tracks(
    readings: Sequence[Reading], moments: tuple[float, float], at: float
) -> list[dict[str, list[Steps]]]:
    """Return the past that the condition of each rule needs for the moments from the first to the last, by key."""
    zone = get_current_timezone()
    wanted = [
        (place, past, past.window(*moments, zone))
        for place, reading in enumerate(readings)
        for past in reading.spec.kind.past(reading.condition)
    ]
    windows = [Window(at, start, end, past.step_s, start) for _, past, (start, end) in wanted]
    found = tracks([readings[place] for place, *_ in wanted], windows, at, points=True)
    steps: list[dict[str, list[Steps]]] = [defaultdict(list) for _ in readings]
    number = [0] * len(readings)
    for (place, past, _), of_past in zip(wanted, found, strict=True):
        for track in of_past:
            of_key = steps[place][key_of(track)]
            of_key += [Steps(past.step_s, [], [])] * (number[place] - len(of_key))
            of_key.append(Steps.of(((point.at, point.value) for point in track.points), past.step_s))
        number[place] += 1
    return steps


def steps_of_series(wanted: Sequence[tuple[Any, ConditionConfig, int, Samples]], at: float) -> list[list[Steps]]:
    """Return the past that each (condition, its config, id of a series, its samples) needs, having read all at once."""
    zone = get_current_timezone()
    windows: dict[tuple[float, float, float], dict[int, None]] = defaultdict(dict)
    places = []
    for kind, config, pk, samples in wanted:
        of_one = [(*past.window(samples[0][0], samples[-1][0], zone), past.step_s) for past in kind.past(config)]
        for window in of_one:
            windows[window][pk] = None
        places.append(of_one)
    found = dict(zip(windows, read.means([(list(ids), *window) for window, ids in windows.items()], at), strict=True))
    return [
        [Steps.of(((point.at, point.value) for point in found[window].get(pk, ())), window[2]) for window in of_one]
        for (_, _, pk, _), of_one in zip(wanted, places, strict=True)
    ]


def judged(
    spec: RuleSpec, condition: ConditionConfig, samples: Samples, steps: Sequence[Steps], since: float
) -> list[tuple[float, float]]:
    """Return what `condition` compares at each of `samples` from `since` on (Unix seconds)."""
    zone = get_current_timezone()
    of_all = spec.kind.measured(condition, samples, steps, zone)
    return [one for one in of_all if one[0] >= since]


def without_steps(spec: RuleSpec, condition: ConditionConfig) -> list[Steps]:
    """Return the past of a series of which there is none."""
    return [Steps(past.step_s, [], []) for past in spec.kind.past(condition)]


def steps_for(spec: RuleSpec, condition: ConditionConfig, of_key: Mapping[str, list[Steps]], key: str) -> list[Steps]:
    """Return the past of one series; where there is none of a part, it is empty."""
    empty = without_steps(spec, condition)
    known = of_key.get(key, [])
    return [*known, *empty[len(known) :]]
