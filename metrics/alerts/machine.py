"""States of an alert, as a pure fold over the samples of one series.

The state, since when it lasts and the newest sample are all that is remembered. So folding sample by sample, all of
them at once, or anew after a restart gives the same changes at the same times: those of the samples, and of the timers
that they start, and not those of whoever looked. A value holds until the next sample, or until the series lapses.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

NoData = Literal["nodata", "ok", "keep"]


class State(StrEnum):
    """Of a rule on one series: `pending` until it is bad for long enough, `recovering` until it is good for so long."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    NODATA = "nodata"


BURNING = frozenset({State.FIRING, State.RECOVERING})
"""States in which a value must clear, and not only come back over the line."""
TIMED = {State.PENDING: State.FIRING, State.RECOVERING: State.OK}
"""States that end by themselves, and what follows."""
ALERTING = frozenset({State.FIRING, State.NODATA})
"""States that somebody should know of."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something has to last, in seconds.

    An alert that is bad for `for_s` fires; one that is good for `clear_for_s` has recovered. A series without a sample
    for `lapses_after_s` has no data, None if that can't be: then the state is `no_data`, or kept.
    """

    for_s: float = 0.0
    clear_for_s: float = 0.0
    lapses_after_s: float | None = None
    no_data: NoData = "nodata"


@dataclass(frozen=True, slots=True)
class Status:
    """Where an alert stands: its `state` `since` a time, with the newest sample `seen_at`. Unix seconds.

    `value` is the newest one that could be judged, and None if there is none. Without a `seen_at` nobody knows when the
    newest sample came, and the series does not lapse.
    """

    state: State = State.OK
    since: float = -math.inf
    seen_at: float = -math.inf
    value: float | None = None


class Cause(StrEnum):
    """How a state ended: by a `sample`, by a `timer` that it started, or as the series `lapsed`."""

    SAMPLE = "sample"
    TIMER = "timer"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of state `at` a time (Unix seconds), with the `value` that held then; None if there was none."""

    before: State
    after: State
    at: float
    value: float | None
    cause: Cause = Cause.SAMPLE


IsBad = Callable[[float, bool], bool]
"""Whether a value is bad; the second argument says that it was, so that it has to clear."""


STAYS_IF = {State.OK: False, State.PENDING: True, State.FIRING: True, State.RECOVERING: False, State.NODATA: None}
"""Whether a value has to be bad for a state to stay; None for one that every value ends."""


@dataclass(slots=True)
class _Walk:
    """The way of one alert through time: where it stands by now, and what changed so far.

    Most samples change nothing: what is asked of each of them follows from the state, and is kept beside it.
    """

    state: State
    since: float
    seen_at: float
    timing: Timing
    value: float | None = None
    changes: list[Change] = field(default_factory=list)
    burning: bool = False
    stays_if: bool | None = None
    acts_at: float = math.inf
    """When a timer ends, of the state or of the series."""
    lapse_s: float = math.inf

    def __post_init__(self) -> None:
        if self.timing.lapses_after_s is not None and self.timing.no_data != "keep":
            self.lapse_s = self.timing.lapses_after_s
        self._enter(self.state)

    def see(self, at: float, value: float, is_bad: IsBad) -> None:
        """Take a sample."""
        if at > self.acts_at or at > self.seen_at + self.lapse_s:
            self.pass_time(at)
        self.seen_at = at
        if value != value:  # nan: nobody knows whether it is bad, and that it came is all there is to it
            if self.state is State.NODATA:
                self._become(State.OK, at)
            return
        self.value = value
        bad = is_bad(value, self.burning)
        if bad is self.stays_if:
            return
        if bad:
            if self.state is State.RECOVERING:
                self._become(State.FIRING, at)
            else:
                self._become(State.PENDING if self.timing.for_s else State.FIRING, at)
        elif self.state is State.FIRING:
            self._become(State.RECOVERING if self.timing.clear_for_s else State.OK, at)
        else:
            self._become(State.OK, at)

    def pass_time(self, to: float) -> None:
        """Do what the timers say that is to happen before `to`: a sample of the same moment comes first."""
        lapses_at = self.seen_at + self.lapse_s if self.seen_at > -math.inf else math.inf
        if self.acts_at < min(to, lapses_at):
            self._become(TIMED[self.state], self.acts_at, Cause.TIMER)
        if lapses_at < to:
            self.value = None
            if self.state != self.timing.no_data:
                self._become(State(self.timing.no_data), lapses_at, Cause.LAPSED)

    def _become(self, after: State, at: float, cause: Cause = Cause.SAMPLE) -> None:
        self.changes.append(Change(self.state, after, at, self.value, cause))
        self.since = at
        self._enter(after)

    def _enter(self, state: State) -> None:
        self.state = state
        self.burning, self.stays_if = state in BURNING, STAYS_IF[state]
        lasts_s = self.timing.for_s if state is State.PENDING else self.timing.clear_for_s
        self.acts_at = self.since + lasts_s if state in TIMED else math.inf


def fold(
    status: Status, samples: Iterable[tuple[float, float]], until: float, is_bad: IsBad, timing: Timing
) -> tuple[Status, list[Change]]:
    """Return where an alert stands at `until`, and what changed on the way there.

    `samples` are (Unix seconds, value), oldest first. Before one that comes late, `status` is what stood then.
    """
    walk = _Walk(status.state, status.since, status.seen_at, timing, status.value)
    for at, value in samples:
        walk.see(at, value, is_bad)
    walk.pass_time(math.nextafter(until, math.inf))
    return Status(walk.state, walk.since, walk.seen_at, walk.value), walk.changes
