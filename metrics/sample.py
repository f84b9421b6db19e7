"""A sample, and the rules every sample obeys, however it arrives."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct, field, structs

from metrics import names

UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")
METRIC_NAME_MOST = 200
VALUE_MOST = 1e150
"""Beyond it, databases that compute means and variances run over."""
LABELS_MOST = 20
LABEL_NAME_MOST = 100
LABEL_VALUE_MOST = 200
UNIT_MOST = 20
FUTURE_MOST_S = 600
DIGITS_MOST = 1000
"""More than a float has, and fewer than Python reads: it refuses thousands, because they take it long."""
PERIOD_MOST_S = 366 * 86_400
TYPES = frozenset({"gauge", "counter"})
NAMES_KEPT = 50_000
"""Names and labels that were checked lately: most come again and again."""


class Sample(Struct, frozen=True):
    """One measured value.

    `at` is the time of measuring in Unix seconds; None means "when it is accepted". `unit` is one of the
    words in `metrics.widgets.units`, or free text shown behind the value; None keeps the series' unit.

    The rest also speaks of the series, and None keeps what was said before: its `type` in Prometheus' sense, a
    gauge or a counter; `expected_every_s`, after how many seconds the next sample should come;
    `expires_after_s`, after how many seconds without one the last value no longer counts.

    `value` is what was measured, and `since` when it began to be counted from zero (Unix seconds, None if that is not
    known); unless the sample `adds`: then it is by how much the series rose since, and the running total is stored. A
    sample that `ends` has no value: from `at` on the last one no longer counts, until another comes.
    """

    metric: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    at: float | None = None
    unit: str | None = None
    type: str | None = None
    expected_every_s: float | None = None
    expires_after_s: float | None = None
    adds: bool = False
    since: float | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of every series of a metric; None says nothing. The fields are those of a sample."""

    type: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a field of the sample at `index` of a batch is refused; `message` is a sentence for the sender.

    An index of None speaks of the batch as a whole. `metric` is the name of the sample, for senders who don't count
    theirs.
    """

    index: int | None
    field: str
    message: str
    metric: str = dataclass_field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.metric}: {self.message}" if self.metric else self.message


class BadSamples(Exception):
    """A batch that is refused as a whole, with at least one of its problems and at most `PROBLEMS_MOST`."""

    PROBLEMS_MOST = 100

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems[0].message)
        self.problems = problems[: self.PROBLEMS_MOST]


def check(samples: Sequence[Sample], now: float) -> None:
    """Raise BadSamples if one of `samples` is not acceptable at `now` (Unix seconds)."""
    problems = [
        Problem(index, field, message, sample.metric)
        for index, sample in enumerate(samples)
        for field, message in problems_of(tidy(sample), now)
    ]
    if problems:
        raise BadSamples(problems)


def tidy(sample: Sample) -> Sample:
    """Return `sample` with names as `metrics.names` has them, and without labels that have no value.

    One with names that are too long is returned as it is.
    """
    if len(sample.metric) > METRIC_NAME_MOST or any(len(name) > LABEL_NAME_MOST for name in sample.labels):
        return sample
    if _is_name(sample.metric) and all(sample.labels.values()) and _are_usual(sample.labels):
        return sample
    return structs.replace(sample, metric=names.metric(sample.metric), labels=names.labels(sample.labels.items()))


def labels_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return these names and values as tidy labels, for several samples. Raises ValueError if they are too many."""
    labels = names.labels(pairs)
    if len(labels) > LABELS_MOST:
        raise ValueError(_too_many(labels))
    return labels


def is_usual(sample: Sample, latest: float) -> bool:
    """Return whether `sample` is tidy, has the most usual form and is acceptable: a quick look, which nearly all pass.

    `latest` is up to when (Unix seconds) its time may be.
    """
    at = sample.at
    return (
        len(sample.labels) <= LABELS_MOST
        and _are_usual(sample.labels)
        and len(sample.metric) <= METRIC_NAME_MOST
        and _is_name(sample.metric)
        and -VALUE_MOST <= sample.value <= VALUE_MOST
        and (at is None or 0 <= at <= latest)
        and sample.unit is None
        and sample.type is None
        and sample.expected_every_s is None
        and sample.expires_after_s is None
        and sample.since is None
    )


def problems_of(sample: Sample, now: float) -> Iterator[tuple[str, str]]:
    """Yield each field of a tidy `sample` that is not acceptable at `now` (Unix seconds), and why in a sentence."""
    if len(sample.metric) > METRIC_NAME_MOST:
        yield "metric", f"metric is longer than {METRIC_NAME_MOST} characters."
    elif not _is_name(sample.metric):
        yield "metric", f"metric {sample.metric!r} is not a name such as http_requests_total."
    if not sample.ends and (not math.isfinite(sample.value) or abs(sample.value) > VALUE_MOST):
        yield "value", f"value is not a number between {-VALUE_MOST:g} and {VALUE_MOST:g}."
    if sample.at is not None:
        if math.isnan(sample.at) or sample.at < 0:
            yield "at", "at is not a time after 1970."
        elif sample.at > now + FUTURE_MOST_S:
            yield "at", f"at is more than {FUTURE_MOST_S // 60} minutes in the future."
    if sample.since is not None and not 0 <= sample.since <= (now if sample.at is None else sample.at):
        yield "since", "since is not a time between 1970 and at."
    if sample.unit is not None and (len(sample.unit) > UNIT_MOST or not _is_storable(sample.unit)):
        yield "unit", f"unit is longer than {UNIT_MOST} characters, or has one that can't be stored."
    if sample.type is not None and sample.type not in TYPES:
        yield "type", f"type is not one of {', '.join(sorted(TYPES))}."
    for name, period_s in (("expected_every", sample.expected_every_s), ("expires_after", sample.expires_after_s)):
        if period_s is not None and not 0 < period_s <= PERIOD_MOST_S:
            yield name, f"{name} is not a number of seconds between 0 and {PERIOD_MOST_S}."
    yield from _label_problems(sample.labels)


def _label_problems(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if len(labels) > LABELS_MOST:
        yield "labels", _too_many(labels)
        return
    for name, value in labels.items():
        if problem := _label_problem(name, value):
            yield "labels", problem


def _too_many(labels: Mapping[str, str]) -> str:
    return f"labels has {len(labels)} entries, more than {LABELS_MOST}."


def _are_usual(labels: Mapping[str, str]) -> bool:
    for label in labels.items():
        # Labels that are too long are not kept in memory either.
        if len(label[0]) > LABEL_NAME_MOST or len(label[1]) > LABEL_VALUE_MOST or not _is_good_label(label):
            return False
    return True


@lru_cache(NAMES_KEPT)
def _is_name(metric: str) -> bool:
    return names.METRIC_NAME.fullmatch(metric) is not None


@lru_cache(NAMES_KEPT)
def _is_good_label(label: tuple[str, str]) -> bool:
    return not _label_problem(*label)


def _label_problem(name: str, value: str) -> str:
    """Return what is wrong with a label as a sentence, empty if nothing is."""
    if len(name) > LABEL_NAME_MOST or not names.is_label(name):
        return f"label {name[:LABEL_NAME_MOST]!r} is not a name such as instance."
    if len(value) > LABEL_VALUE_MOST:
        return f"label {name} is longer than {LABEL_VALUE_MOST} characters."
    if not _is_storable(value):
        return f"label {name} has a character that can't be stored."
    return ""


def _is_storable(text: str) -> bool:
    """Return whether every database takes `text`: no NUL, and no half of a surrogate pair."""
    return UNSTORABLE.search(text) is None


def number(value: float | Decimal) -> float:
    """Return `value` as a float, and for one that can't be one what no sample may have.

    That is infinity for what is too large, and NaN for a Decimal's signalling NaN.
    """
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except ValueError:
        return math.nan


def whole_number(text: str) -> float:
    """Return the whole number in `text`, as JSON has it; one of so many digits that Python won't read is infinity."""
    return int(text) if len(text) < DIGITS_MOST else float(text)


def series_key(metric: str, labels: Mapping[str, str]) -> str:
    """Return the identity of a series: 64 hex digits of SHA-256 over the name and the sorted labels.

    A label with an empty value is the same as no label, as in Prometheus.
    """
    canonical = json.dumps([metric, sorted((k, v) for k, v in labels.items() if v)], ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
