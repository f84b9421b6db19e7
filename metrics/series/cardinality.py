"""A limit on the number of series: a label that is different every time would fill the disk."""

from collections import Counter
from collections.abc import Sequence

from django.conf import settings

from metrics.models import Series, Source
from metrics.sample import BadSamples, Problem
from metrics.series.labels import labels_of


class TooManySeries(BadSamples):
    """New series beyond the limit; `keys` are those for which there is no room, if the others are made."""

    def __init__(self, problem: Problem, keys: frozenset[str]) -> None:
        super().__init__([problem])
        self.keys = keys


def check(new: Sequence[Series], source: Source | None) -> None:
    """Raise TooManySeries if there would be too many with the `new` ones, saying which label made them so many."""
    if source is not None:
        _check(
            f"Source {source.name}",
            Series.objects.filter(source=source).count(),
            settings.SERIES_PER_SOURCE,
            new,
            source,
        )
    _check("This installation", Series.objects.count(), settings.SERIES_TOTAL, new, None)


def _check(who: str, there: int, limit: int, new: Sequence[Series], source: Source | None) -> None:
    if there + len(new) > limit:
        beyond = frozenset(one.key for one in new[max(0, limit - there) :])
        raise TooManySeries(_problem(who, there + len(new), limit, new, source), beyond)


def _problem(who: str, count: int, limit: int, new: Sequence[Series], source: Source | None) -> Problem:
    ((metric, _),) = Counter(one.metric for one in new).most_common(1)
    stored = labels_of([metric], None if source is None else source.pk).get(metric, [])
    values = {label.name: label.values for label in stored}
    of_new: dict[str, set[str]] = {}
    for one in new:
        for name, value in one.labels.items() if one.metric == metric else ():
            of_new.setdefault(name, set()).add(value)
    # A value may be in both; which label has most is clear all the same.
    sums = {name: values.get(name, 0) + len(of_new.get(name, ())) for name in {*values, *of_new}}
    message = f"{who} would have {count:,} series, and may have {limit:,}"
    if sums:
        name = max(sums, key=lambda label: (sums[label], label))
        message += f"; label {name} of {metric} has {max(values.get(name, 0), len(of_new.get(name, ()))):,} values"
    return Problem(None, "labels", f"{message}.")
