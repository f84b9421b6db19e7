"""The rules of heartbeats: what a ping changes, and when a job that does not ping is late and down.

The signals, the grace and what a start means are those of Healthchecks (https://healthchecks.io/docs/signaling_failures/),
so that its users' crontabs go on working.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice

from metrics.schedule import Schedule

RUNS_MOST = 20
"""How many runs of one job may go on at once, and have their time taken."""
EXIT_STATUS_MOST = 255
RUN_MOST = 100
TOLERANCE_SHARE, TOLERANCE_MOST_S = 0.1, 60.0
"""Clocks differ, and jobs take their time: by how much of the gap between two pings one may miss its time, at most."""


class State(StrEnum):
    """Of one job: `new` until its first ping is due, `late` within the grace, `down` behind it or after a failure."""

    NEW = "new"
    UP = "up"
    LATE = "late"
    DOWN = "down"
    PAUSED = "paused"


LEVELS = {State.UP: 1.0, State.LATE: 0.5, State.DOWN: 0.0}
"""Values of the states as samples; the other states have none."""


class Signal(StrEnum):
    """Meaning of a ping."""

    SUCCESS = "success"
    START = "start"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Ping:
    """One ping at `at` (Unix seconds). `run` tells runs apart that overlap; `body` is what the job had to say."""

    at: float
    signal: Signal
    exit_status: int | None = None
    run: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Where a job stands. Times are Unix seconds.

    `late_at` and `down_at` are when it will count as that if it does not ping; `duration_s` is how long its last
    run took, as far as it said when it began; `starts` are the runs that go on, by name, oldest first.
    """

    state: State
    last_at: float | None = None
    late_at: float | None = None
    down_at: float | None = None
    duration_s: float | None = None
    starts: Mapping[str, float] = field(default_factory=dict)


def pinged(before: Condition, ping: Ping, schedule: Schedule, grace_s: float) -> Condition:
    """Return the condition after `ping`."""
    if ping.signal is Signal.START:
        return _started(before, ping, grace_s)
    starts = dict(before.starts)
    began = starts.pop(ping.run, None)
    late_at, down_at = ends(ping.at, schedule, grace_s)
    return Condition(
        state=State.UP if ping.signal is Signal.SUCCESS else State.DOWN,
        last_at=ping.at,
        late_at=late_at,
        down_at=down_at,
        duration_s=None if began is None else max(0.0, ping.at - began),
        starts=starts,
    )


def ends(at: float, schedule: Schedule, grace_s: float) -> tuple[float, float]:
    """Return when a job is late and when it is down, if nothing comes after its ping, or its making, `at`.

    A ping that comes a little before a time of cron is the one for that time, and one that comes a little after its
    time is not late: a little is a tenth of the gap between the two times, and at most a minute.
    """
    if schedule.every_s is not None:
        due, gap_s = at + schedule.every_s, schedule.every_s
    else:
        due, gap_s = schedule.after(at), schedule.gap_s(at)
        if due - at <= _tolerance_s(gap_s):
            due, gap_s = schedule.after(due), schedule.gap_s(due)
    late_at = due + _tolerance_s(gap_s)
    return late_at, max(late_at, due + grace_s)


def _tolerance_s(gap_s: float) -> float:
    return min(TOLERANCE_MOST_S, TOLERANCE_SHARE * gap_s)


def _started(before: Condition, ping: Ping, grace_s: float) -> Condition:
    """A run has the grace to end in; one that starts again and again does not put off when it had to end."""
    newest = {**{run: at for run, at in before.starts.items() if run != ping.run}, ping.run: ping.at}
    starts = dict(islice(newest.items(), max(0, len(newest) - RUNS_MOST), None))
    due = ping.at if before.late_at is None else min(before.late_at, ping.at)
    return replace(before, down_at=due + grace_s, starts=starts)


def set_back(condition: Condition, now: float, schedule: Schedule, grace_s: float) -> Condition:
    """Return the condition after the clock was set back behind its last ping: that ping counts as one of `now`.

    Left in the future, it would have the job be late, and down, only when the clock has caught up.
    """
    late_at, down_at = ends(now, schedule, grace_s)
    if condition.starts:
        down_at = now + grace_s
    return replace(
        condition,
        last_at=now,
        late_at=None if condition.late_at is None else min(condition.late_at, late_at),
        down_at=None if condition.down_at is None else min(condition.down_at, down_at),
        starts={run: min(at, now) for run, at in condition.starts.items()},
    )


def judged(condition: Condition, now: float) -> State:
    """Return the state at `now` (Unix seconds), if no ping came."""
    if condition.state not in (State.NEW, State.UP, State.LATE):
        return condition.state
    if condition.down_at is not None and now >= condition.down_at:
        return State.DOWN
    if condition.late_at is not None and now >= condition.late_at and not _runs(condition):
        return State.LATE
    return condition.state


def _runs(condition: Condition) -> bool:
    """Return whether a run began since the last ping: its start came in time, and it has the grace to end in."""
    return any(condition.last_at is None or at >= condition.last_at for at in condition.starts.values())


def signal_of(word: str) -> tuple[Signal, int | None] | None:
    """Return what the last part of a ping's path says, with the exit status if it is one; None if it is neither."""
    if word in ("", Signal.START, Signal.FAIL):
        return Signal(word or Signal.SUCCESS), None
    if word.isascii() and word.isdecimal() and len(word) <= 3 and int(word) <= EXIT_STATUS_MOST:
        return Signal.FAIL if int(word) else Signal.SUCCESS, int(word)
    return None
