"""Samples that arrive together: good ones, and beside them refused ones, so that one does not lose the others."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import compress

from metrics.sample import (
    FUTURE_MOST_S,
    METRIC_NAME_MOST,
    BadSamples,
    Metadata,
    Problem,
    Sample,
    is_usual,
    problems_of,
    tidy,
)

SHOWN_MOST = 3


@dataclass(slots=True)
class Refused:
    """Samples that can't be stored: the `places` of all, and the first `BadSamples.PROBLEMS_MOST` problems with them.

    A place is the number by which the sender knows a sample; several may have the same, such as those of one line.
    """

    places: set[int] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.places)

    def add(self, place: int, problems: Iterable[tuple[str, str]], metric: str = "") -> None:
        """Refuse what is at `place` for these fields and sentences."""
        self.places.add(place)
        room = BadSamples.PROBLEMS_MOST - len(self.problems)
        if room > 0:
            self.problems += [
                Problem(place, *one, metric[:METRIC_NAME_MOST]) for _, one in zip(range(room), problems, strict=False)
            ]

    def update(self, others: "Refused") -> None:
        """Add what is in `others`."""
        self.places |= others.places
        self.problems += others.problems[: BadSamples.PROBLEMS_MOST - len(self.problems)]

    def sentence(self, total: int) -> str:
        """Return how many of `total` samples can't be stored, and why the first can't; empty if all can."""
        return f"{len(self)} of {total} samples can't be stored, such as {self.reasons()}" if self.places else ""

    def reasons(self) -> str:
        """Return why the first ones can't be stored."""
        reasons = dict.fromkeys(str(one).rstrip(".") for one in self.problems)
        return "; ".join(list(reasons)[:SHOWN_MOST]) + "."


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many samples were stored, and what was `refused`."""

    count: int
    refused: Refused


@dataclass(slots=True)
class Parsed:
    """Contents of a body: `samples`, the entries that can't be samples, and `metadata` of metrics, by name.

    `places` are those of the samples (see Refused); if there are none, the place of a sample is its index. `names` are
    of all metrics that the body names, also of those without samples, in the formats that replace what was there.
    """

    samples: list[Sample] = field(default_factory=list)
    refused: Refused = field(default_factory=Refused)
    places: list[int] = field(default_factory=list)
    metadata: Mapping[str, Metadata] = field(default_factory=dict)
    names: Set[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sifted:
    """The `good` ones of some samples, tidy, with their `places`; and what is `refused`."""

    good: Sequence[Sample]
    places: Sequence[int]
    refused: Refused


def sift(samples: Sequence[Sample], now: float, places: Sequence[int] = ()) -> Sifted:
    """Tell those of `samples` that can be stored at `now` (Unix seconds) from the others; these have `places`."""
    latest, refused, places = now + FUTURE_MOST_S, Refused(), places or range(len(samples))
    unusual = [index for index, sample in enumerate(samples) if not is_usual(sample, latest)]
    if not unusual:
        return Sifted(samples, places, refused)
    tidied, bad = list(samples), set[int]()
    for index in unusual:
        sample = tidied[index] = tidy(samples[index])
        if problems := list(problems_of(sample, now)):
            bad.add(index)
            refused.add(places[index], problems, samples[index].metric)
    is_good = [index not in bad for index in range(len(tidied))] if bad else []
    return Sifted(
        list(compress(tidied, is_good)) if bad else tidied,
        list(compress(places, is_good)) if bad else places,
        refused,
    )
