"""States of an alert, as a pure fold over the samples of one series.

The state and since when it lasts are all that is remembered. So folding sample by sample, all of them at once, or anew
after a restart gives the same changes at the same times: those of the samples, and of the timers that they start, and
not those of whoever looked. A value holds until the next sample, or until the series lapses.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
TOLD = frozenset({State.FIRING, State.NODATA})
"""States that somebody should know of."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something has to last, in seconds.

    What is bad for `for_s` fires; what is good for `clear_for_s` has recovered. A series without a sample for
    `lapses_after_s` has no data, None if that can't be: then the state is `no_data`, or kept.
    """

    for_s: float = 0.0
    clear_for_s: float = 0.0
    lapses_after_s: float | None = None
    no_data: NoData = "nodata"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alert stands: its `state` `since` a time, with the newest sample `seen_at`. Unix seconds."""

    state: State = State.OK
    since: float = -math.inf
    seen_at: float = -math.inf


@dataclass(frozen=True, slots=True)
class Change:
    """One change of state `at` a time (Unix seconds), with the `value` that held then; None if there was none."""

    before: State
    after: State
    at: float
    value: float | None


IsBad = Callable[[float, bool], bool]
"""Whether a value is bad; the second argument says that it was, so that it has to clear."""


def fold(
    standing: Standing, samples: Iterable[tuple[float, float]], until: float, is_bad: IsBad, timing: Timing
) -> tuple[Standing, list[Change]]:
    """Return where an alert stands at `until`, and what changed on the way there.

    `samples` are (Unix seconds, value), oldest first; those that are not newer than the newest one seen are for
    `rewound`.
    """
    state, since, seen_at = standing.state, standing.since, standing.seen_at
    changes: list[Change] = []
    value: float | None = None

    def become(after: State, at: float) -> None:
        nonlocal state, since
        changes.append(Change(state, after, at, value))
        state, since = after, at

    def pass_time(to: float) -> None:
        """Do what the timers say that is to happen before `to`: a sample of the same moment comes first."""
        lapses_at = math.inf if timing.lapses_after_s is None else seen_at + timing.lapses_after_s
        ends_at = since + (timing.for_s if state is State.PENDING else timing.clear_for_s)
        if state in TIMED and ends_at < min(to, lapses_at):
            become(TIMED[state], ends_at)
        if -math.inf < lapses_at < to and timing.no_data != "keep" and state != timing.no_data:
            become(State(timing.no_data), lapses_at)

    for at, value_now in samples:
        pass_time(at)
        value, seen_at = value_now, at
        if is_bad(value_now, state in BURNING):
            if state is State.RECOVERING:
                become(State.FIRING, at)
            elif state in (State.OK, State.NODATA):
                become(State.PENDING if timing.for_s else State.FIRING, at)
        elif state is State.FIRING:
            become(State.RECOVERING if timing.clear_for_s else State.OK, at)
        elif state in (State.PENDING, State.NODATA):
            become(State.OK, at)
    pass_time(math.nextafter(until, math.inf))
    return Standing(state, since, seen_at), changes
