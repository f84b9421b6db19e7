"""Names of all series, held by this process so that they are found while somebody types.

Each word occurs in the name of the metric, in a label's value or in the name of the source. A result is a metric, or a
metric with the labels that were typed. The catalogue may be a little old: a page that shows a result looks up the
series.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import nsmallest
from itertools import chain, islice
from typing import TypeVar

from django.db import connection
from django.db.models import Count, F, Sum

from metrics.models import Series

RENEWED_EVERY_S = 3.0
"""New series are known after so many seconds."""
REBUILT_EVERY_S = 300.0
"""Series that were removed are forgotten after so many seconds; reading 100,000 of them takes about one."""
WORDS_MOST = 8
METRICS_MOST = 1000
"""So many metrics are looked at for one search, those first whose names have most of the words."""
SETS_MOST, OF_METRIC_LEAST = 2000, 3
"""So many label sets are looked at, of each metric as many, the best first; and of each metric at least so many."""
LABELLED_MOST = 20_000
"""So many series of a metric are looked at for its labels."""
SPECIFIC_MOST = 5000
"""A word in more texts than these is no good word; beginnings of parts of them are not looked for."""
_READ_AT_ONCE = 5000
_SERIES = Series._meta.db_table

EXACT, BEGINS, BEGINS_A_PART, CONTAINS = range(4)
"""How a text has a word, the best first."""
IN_LABEL, IN_SOURCE = 1, 5
"""Words in labels and in the names of sources count less than those in the name of the metric."""
_PARTS = str.maketrans(dict.fromkeys(".:-/ ", "_"))

Row = tuple[int, str, str, int | None]
"""A series: id, metric, labels as JSON, id of the source."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hit:
    """The series of `metric` that have `labels`: how many `series` there are, and the id `pk` of the newest of them.

    `sources` are the ids of where they come from; None stands for pushes without a source. `varies` names the other
    labels that the newest has.
    """

    metric: str
    labels: Mapping[str, str]
    series: int
    pk: int
    sources: frozenset[int | None]
    varies: tuple[str, ...]


@dataclass(slots=True)
class _Metric:
    """A metric: its `rows`, by the number of their label set, each an id and that of a source, the oldest first."""

    name: str
    rows: dict[int, tuple[int, int | None]] = field(default_factory=dict)
    sources: Counter[int | None] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Word:
    """Everything that has one word, by how it has it: metrics, label sets by number; and the ids of sources.

    `label` is the name of the label that it is about, empty for any, and `text` what the value has. `pairs` remembers
    the best label of those sets that were looked at: metrics share their sets.
    """

    label: str
    text: str
    names: Mapping[str, int]
    sets: Mapping[int, int]
    sources: frozenset[int | None]
    pairs: dict[int, tuple[int, int]] = field(default_factory=dict)

    @cached_property
    def best(self) -> list[int]:
        """The label sets, the best first."""
        return sorted(self.sets, key=self.sets.__getitem__)


Ranked = tuple[int, int, str, tuple[int, ...], frozenset[int | None] | None]
"""Rank, place among the hits of the metric, its name, numbers of labels; ids of sources, None for all."""


def rank(text: str, word: str) -> int | None:
    """Return how `text` has `word`, both in lower case: exactly, at its beginning, at that of a part, or anywhere.

    None if it has not.
    """
    if word not in text:
        return None
    if text.startswith(word):
        return EXACT if text == word else BEGINS
    return BEGINS_A_PART if f"_{word}" in text.translate(_PARTS) else CONTAINS


class Catalogue:
    """Names of series, and what is found among them. `owners` adds up whose they are, so that a change shows."""

    def __init__(self) -> None:
        self.known, self.owners, self.last = 0, 0, 0
        self._metrics: dict[str, _Metric] = {}
        self._lower: dict[str, str] = {}
        self._pairs: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []
        self._texts: list[str] = []
        self._having: list[list[int]] = []
        self._sets: list[tuple[int, ...]] = []
        self._set_of: dict[str, int] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Add series, in the order of their ids."""
        for pk, name, labels, source in rows:
            if (metric := self._metrics.get(name)) is None:
                metric = self._metrics[name] = _Metric(name)
                self._lower[name] = name.lower()
            metric.rows[self._numbered(labels)] = pk, source
            metric.sources[source] += 1
            self.known += 1
            self.owners += pk * (source or 0)
            self.last = pk

    def search(
        self, typed: str, sources: Mapping[int, str], hidden: Collection[int], most: int
    ) -> tuple[list[Hit], bool]:
        """Return the `most` best hits for what was typed, and whether there are more.

        `sources` are names by id; series of the sources `hidden` are left out. Without words, all metrics are hits.
        """
        texts = dict.fromkeys(typed.lower().split())
        words = [self._word(text, sources) for text in islice(texts, WORDS_MOST)]
        found: list[Ranked] = []
        metrics = list(islice(self._candidates(words), METRICS_MOST))
        each = max(OF_METRIC_LEAST, SETS_MOST // max(1, len(metrics)))
        for metric in metrics:
            found += self._of(metric, words, frozenset(hidden), each)[: most + 1]
        best = nsmallest(most, found, key=lambda one: (*one[:2], len(one[2]) if words else 0, one[2]))
        return [self._hit(*one[2:]) for one in best], len(found) > most

    def labels(self, metric: str, hidden: Collection[int]) -> dict[str, dict[str, int]]:
        """Return the labels of `metric` with their values, and how many of its newest series have each.

        An empty `metric` stands for all of them, with the newest series of each.
        """
        found: dict[str, dict[str, int]] = {}
        metrics = [self._metrics[metric]] if metric in self._metrics else [] if metric else [*self._metrics.values()]
        each = max(OF_METRIC_LEAST, LABELLED_MOST // max(1, len(metrics)))
        for rows in [one.rows for one in metrics]:
            for number in islice(reversed(rows), each):
                if rows[number][1] in hidden:
                    continue
                for name, value in map(self._names.__getitem__, self._sets[number]):
                    of_name = found.setdefault(name, {})
                    of_name[value] = of_name.get(value, 0) + 1
        return found

    def _numbered(self, labels: str) -> int:
        """Return the number of a label set; sets written alike are one."""
        if (number := self._set_of.get(labels)) is None:
            number = self._set_of[labels] = len(self._sets)
            pairs = tuple(self._pair(*one) for one in sorted(json.loads(labels).items()))
            self._sets.append(pairs)
            for pair in pairs:
                self._having[pair].append(number)
        return number

    def _pair(self, name: str, value: str) -> int:
        if (number := self._pairs.get((name, value))) is None:
            number = self._pairs[name, value] = len(self._names)
            self._names.append((name, value))
            self._texts.append(value.lower())
            self._having.append([])
        return number

    def _word(self, text: str, sources: Mapping[int, str]) -> _Word:
        """Return all that has the word `text`. A word such as host=web is about a label of that name.

        A single letter is looked for at the beginning of values only.
        """
        label, is_named, value = text.partition("=")
        if is_named:
            pairs = [
                pair
                for pair, (name, _) in enumerate(self._names)
                if value in self._texts[pair] and name.lower() == label
            ]
        elif len(text) == 1:
            pairs = [pair for pair, one in enumerate(self._texts) if one.startswith(text)]
        else:
            pairs = [pair for pair, one in enumerate(self._texts) if text in one]
        text, label = (value, label) if is_named else (text, "")
        sets: dict[int, int] = {}
        for how, those in reversed(_by_rank(pairs, self._texts.__getitem__, text)):
            sets |= dict.fromkeys(chain.from_iterable(map(self._having.__getitem__, those)), how)
        names: dict[str, int] = {}
        if not is_named:
            containing = [name for name, lower in self._lower.items() if text in lower]
            for how, found in _by_rank(containing, self._lower.__getitem__, text):
                names |= dict.fromkeys(found, how)
        own = frozenset(pk for pk, name in sources.items() if not is_named and text in name.lower())
        return _Word(label, text, names, sets, own)

    def _candidates(self, words: Sequence[_Word]) -> Iterator[_Metric]:
        """Return the metrics that may have all of `words`: first those whose names have them all, the best first."""
        if not words:
            yield from (self._metrics[name] for name in sorted(self._metrics))
            return
        fewest, *rest = sorted(words, key=lambda word: len(word.names))
        for name in fewest.names:  # the best first
            if all(name in word.names for word in rest):
                yield self._metrics[name]
        in_names = [word.names for word in words if not word.sets and not word.sources]
        others: Collection[str] = min(in_names, key=len, default=self._metrics.keys())
        for name in others:
            missing = [word for word in words if name not in word.names]
            metric = self._metrics[name]
            if missing and all(
                not metric.rows.keys().isdisjoint(word.sets) or not word.sources.isdisjoint(metric.sources)
                for word in missing
            ):
                yield metric

    def _of(self, metric: _Metric, words: Sequence[_Word], hidden: frozenset[int], most: int) -> list[Ranked]:
        """Return the hits of `metric`, the best first, after looking at `most` of its label sets."""
        score, labelled, within = 0, [], None
        for word in words:
            if metric.name in word.names:
                score += word.names[metric.name]
            elif not metric.rows.keys().isdisjoint(word.sets):
                labelled.append(word)
            else:
                score += IN_SOURCE
                within = word.sources if within is None else within & word.sources
        sources = metric.sources.keys() - hidden
        sources = sources if within is None else sources & within
        if not sources:
            return []
        only = None if len(sources) == len(metric.sources) else frozenset(sources)
        if not labelled:
            return [(score, 0, metric.name, (), only)]
        groups: dict[tuple[int, ...], int] = {}
        for number in self._best_sets(metric, labelled, only, most):
            if len(labelled) == 1:
                how, pair = self._best_pair(number, labelled[0])
                groups.setdefault((pair,), how)
                continue
            ranked = [self._best_pair(number, word) for word in labelled]
            groups.setdefault(tuple(sorted({pair for _, pair in ranked})), sum(how for how, _ in ranked))
        best = sorted(groups.items(), key=lambda one: (one[1], one[0]))
        return [(score + how, place, metric.name, pairs, only) for place, (pairs, how) in enumerate(best)]

    def _best_sets(
        self, metric: _Metric, words: Sequence[_Word], only: frozenset[int | None] | None, most: int
    ) -> list[int]:
        first, *others = words
        rows = metric.rows
        if len(first.sets) > len(rows):
            ordered = sorted(rows.keys() & first.sets.keys(), key=first.sets.__getitem__)
        else:
            ordered = first.best  # looked at until there are enough, which mostly is soon
        found = (
            number
            for number in ordered
            if number in rows
            and all(number in word.sets for word in others)
            and (only is None or rows[number][1] in only)
        )
        return list(islice(found, most))

    def _best_pair(self, number: int, word: _Word) -> tuple[int, int]:
        """Return how a label of the set has `word` best, and the number of that label."""
        if (known := word.pairs.get(number)) is None:
            known = word.pairs[number] = min(
                (how + IN_LABEL, pair)
                for pair in self._sets[number]
                if (how := rank(self._texts[pair], word.text)) is not None
                and word.label in ("", self._names[pair][0].lower())
            )
        return known

    def _hit(self, name: str, pairs: tuple[int, ...], only: frozenset[int | None] | None) -> Hit:
        metric = self._metrics[name]
        numbers: Collection[int] = metric.rows.keys()
        if pairs:
            numbers = set(metric.rows).intersection(*(self._having[pair] for pair in pairs))
        if only is not None:
            numbers = {number for number in numbers if metric.rows[number][1] in only}
        newest = next(number for number in reversed(metric.rows) if number in numbers)
        return Hit(
            metric=name,
            labels=dict(sorted(self._names[pair] for pair in pairs)),
            series=len(numbers),
            pk=metric.rows[newest][0],
            sources=frozenset(metric.rows[number][1] for number in numbers)
            if pairs
            else frozenset(only or metric.sources),
            varies=tuple(self._names[pair][0] for pair in self._sets[newest] if pair not in pairs),
        )


def _by_rank(found: list[T], text_of: Callable[[T], str], word: str) -> list[tuple[int, list[T]]]:
    """Return those of `found`, whose texts have `word`, by how they have it, the best first."""
    begins = [one for one in found if text_of(one).startswith(word)]
    exact = [one for one in begins if text_of(one) == word]
    if exact:
        begins = [one for one in begins if text_of(one) != word]
    parts: list[T] = []
    if len(found) <= SPECIFIC_MOST:
        parts = [one for one in found if rank(text_of(one), word) == BEGINS_A_PART]
    better = {*exact, *begins, *parts}
    others = [one for one in found if one not in better] if len(better) < len(found) else []
    return [(EXACT, exact), (BEGINS, begins), (BEGINS_A_PART, parts), (CONTAINS, others)]


class _Held:
    """The catalogue of this process, and when it was last read."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.catalogue, self.renewed = Catalogue(), 0.0
        self.built: float | None = None

    def renew(self, now: float) -> None:
        """Have the catalogue know all series that there are; `now` counts seconds."""
        if self.built is not None and now < self.renewed + RENEWED_EVERY_S:
            return
        self._read_on()
        if self.built is None:
            self.built = now
        elif now >= self.built + REBUILT_EVERY_S:
            if not self._fits():
                self.catalogue = Catalogue()
                self._read_on()
            self.built = now
        self.renewed = now

    def _fits(self) -> bool:
        """Return whether no series is gone, and none has another source."""
        found = Series.objects.order_by().aggregate(known=Count("pk"), owners=Sum(F("pk") * F("source_id")))
        return (self.catalogue.known, self.catalogue.owners) == (found["known"], int(found["owners"] or 0))

    def _read_on(self) -> None:
        while rows := _rows_behind(self.catalogue.last):
            self.catalogue.add(rows)


def _rows_behind(last: int) -> list[Row]:
    sql = f"SELECT id, metric, labels, source_id FROM {_SERIES} WHERE id > %s ORDER BY id LIMIT {_READ_AT_ONCE}"
    with connection.cursor() as cursor:
        cursor.execute(sql, [last])
        rows: list[Row] = cursor.fetchall()
    return rows


_held = _Held()


def search(
    text: str, sources: Mapping[int, str], hidden: Collection[int], most: int, now: float | None = None
) -> tuple[list[Hit], bool]:
    """Return the `most` best hits for what was typed, and whether there are more; `now` counts seconds.

    `sources` are names by id. Series of the sources `hidden` (ids) are left out.
    """
    with _held.lock:
        _held.renew(time.monotonic() if now is None else now)
        return _held.catalogue.search(text, sources, hidden, most)


def labels(metric: str, hidden: Collection[int], now: float | None = None) -> dict[str, dict[str, int]]:
    """Return the labels of `metric`, by name their values, and by value how many series there are.

    An empty `metric` stands for all. Series of the sources `hidden` (ids) are left out.
    """
    with _held.lock:
        _held.renew(time.monotonic() if now is None else now)
        return _held.catalogue.labels(metric, hidden)


def forget() -> None:
    """Know nothing any more."""
    _held.forget()
