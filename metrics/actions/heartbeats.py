"""Heartbeats: making them, taking their pings, noticing those that do not come."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, DateTimeField, Q, QuerySet

from metrics.access.policy import CHANGE, CREATE, DELETE, check
from metrics.access.principal import Principal
from metrics.actions import journal, samples, watches
from metrics.actions.errors import Invalid, check_storable
from metrics.heartbeat import LEVELS, Condition, Signal, State, ends, judged, pinged, set_back
from metrics.heartbeat import Ping as Pinged
from metrics.models import Heartbeat, Ping, Transition
from metrics.models.heartbeat import new_key
from metrics.prepared_query import Given, PreparedQuery
from metrics.sample import BadSamples, Sample
from metrics.schedule import CLOCKS_DIFFER_S, BadSchedule, Schedule
from metrics.times import datetime_of, seconds_of

log = structlog.get_logger(__name__)

STATE_METRIC, DURATION_METRIC = "heartbeat_state", "heartbeat_duration_seconds"
REPORT_EVERY_S = 30
REPORTED_AT_ONCE = 1000
PINGS_KEPT = 100
TIMES = ("last_at", "late_at", "down_at")
CONDITION = ("state", *TIMES, "duration_s", "starts")
CHANGED = ("name", "every_s", "cron", "time_zone", "grace_s", "late_at", "down_at")
"""Fields that a change writes: neither the key, nor the fields that pings write meanwhile."""
GRACE_MOST_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Arrived:
    """A ping for the heartbeat with this key, which is a credential: it is not shown where this is."""

    key: str = field(repr=False)
    ping: Pinged


def record(arrived: Sequence[Arrived]) -> list[bool]:
    """Store the pings, all in one transaction; return for each whether there is such a heartbeat."""
    if not arrived:
        return []
    with transaction.atomic():
        keys = {one.key for one in arrived if one.key.isascii() and one.key.isprintable()}  # others can't be asked for
        # In one order for all, or two processes that take the same pings in different orders would deadlock.
        found = {one.key: one for one in Heartbeat.objects.select_for_update().filter(key__in=keys).order_by("pk")}
        before = {key: one.state for key, one in found.items()}
        taken = [_take(found[one.key], one.ping) for one in arrived if one.key in found]
        rows = [row for row, _ in taken]
        moved = [moved for _, moved in taken if moved]
        journal.moved(moved)
        watches.notify_of_transitions(moved)
        Ping.objects.bulk_create(rows)
        Heartbeat.objects.bulk_create(
            found.values(), update_conflicts=True, unique_fields=["id"], update_fields=CONDITION
        )
    changed = [one for key, one in found.items() if one.state != before[key]]
    states = [_state(one, one.last_at.timestamp()) for one in changed if one.last_at]
    _store(states + [_duration(row) for row in rows if row.duration_s is not None], max(one.ping.at for one in arrived))
    return [one.key in found for one in arrived]


def _take(heartbeat: Heartbeat, ping: Pinged) -> tuple[Ping, Transition | None]:
    """Give `heartbeat` the state that it has with `ping`; return the row of that, and the transition if it is one."""
    before, after = heartbeat.state, pinged(condition_of(heartbeat), ping, schedule_of(heartbeat), heartbeat.grace_s)
    _set(heartbeat, after)
    row = Ping(
        heartbeat=heartbeat,
        at=datetime_of(ping.at),
        signal=ping.signal,
        exit_status=ping.exit_status,
        run=ping.run,
        body=ping.body[: settings.PING_BODY_LIMIT_BYTES],
        duration_s=None if ping.signal is Signal.START else after.duration_s,
    )
    if before == after.state:
        return row, None
    return row, journal.transition(heartbeat, before, after.state, ping.at, _why(ping))


def _why(ping: Pinged) -> str:
    """Return what `ping` said, in a sentence."""
    if ping.exit_status is not None:
        return f"Its job ended with exit code {ping.exit_status}."
    return {Signal.START: "Its job started.", Signal.FAIL: "Its job failed."}.get(ping.signal, "Its ping came.")


def _overdue(now: Given) -> QuerySet[Heartbeat]:
    """Return those whose ping did not come until `now`, and that do not count as late or down yet."""
    down = Q(state__in=[State.NEW, State.UP, State.LATE], down_at__lte=now)
    return Heartbeat.objects.filter(down | Q(state__in=[State.NEW, State.UP], late_at__lte=now))


_AHEAD = PreparedQuery(lambda latest: Heartbeat.objects.filter(last_at__gt=latest), DateTimeField())
_OVERDUE = PreparedQuery(_overdue, DateTimeField())
_REPORTED = PreparedQuery(
    lambda: Heartbeat.objects.filter(state__in=LEVELS).order_by("pk").values_list("name", "state")
)


def evaluate(now: float) -> int:
    """Have those count as late or down whose ping did not come until `now`; return how many that were."""
    for one in _AHEAD.objects(Heartbeat, datetime_of(now + CLOCKS_DIFFER_S)):
        _set_back(one, now)
    changed = [one for one in _OVERDUE.objects(Heartbeat, datetime_of(now)) if _judge(one, now)]
    _store([_state(one, now) for one in changed], now)
    return len(changed)


def _set_back(heartbeat: Heartbeat, now: float) -> None:
    """Compare and swap, too: a ping that came meanwhile is one by the clock as it is now."""
    seen = Heartbeat.objects.filter(pk=heartbeat.pk, state=heartbeat.state, last_at=heartbeat.last_at)
    _set(heartbeat, set_back(condition_of(heartbeat), now, schedule_of(heartbeat), heartbeat.grace_s))
    seen.update(**{name: getattr(heartbeat, name) for name in CONDITION})


def _judge(heartbeat: Heartbeat, now: float) -> bool:
    """Compare and swap: False, if a ping came meanwhile, another process was faster, or a run goes on."""
    state = judged(condition_of(heartbeat), now)
    if state == heartbeat.state:
        return False
    seen = Heartbeat.objects.filter(pk=heartbeat.pk, state=heartbeat.state, down_at=heartbeat.down_at)
    with transaction.atomic():
        if not seen.update(state=state):
            return False
        moved = [journal.transition(heartbeat, heartbeat.state, state, now, "Its ping did not come in time.")]
        journal.moved(moved)
        watches.notify_of_transitions(moved)
    heartbeat.state = state
    return True


def report(now: float) -> None:
    """Store the state of every heartbeat as a sample, once each `REPORT_EVERY_S` however often this is called."""
    at = now // REPORT_EVERY_S * REPORT_EVERY_S
    every = _REPORTED.rows()
    for begin in range(0, len(every), REPORTED_AT_ONCE):
        _store([_state_of(name, state, at) for name, state in every[begin : begin + REPORTED_AT_ONCE]], now)


def prune() -> None:
    """Forget the oldest pings of those heartbeats that have more than are kept."""
    many = Heartbeat.objects.annotate(kept=Count("pings")).filter(kept__gt=PINGS_KEPT).values_list("pk", flat=True)
    for pk in many:
        newest = Ping.objects.filter(heartbeat=pk).order_by("-id").values_list("pk", flat=True)
        Ping.objects.filter(heartbeat=pk, pk__lte=newest[PINGS_KEPT]).delete()


def _store(found: Sequence[Sample], now: float) -> None:
    """Store `found`. A failure to store must not undo a ping, and the next report says the same again."""
    if not found:
        return
    try:
        (accepted,) = samples.accept([samples.checked(found, None, now, whole=False)], now)
        if accepted.refused:
            log.warning("state of heartbeats not stored", error=accepted.refused.sentence(len(found)))
    except BadSamples as problem:
        log.warning("state of heartbeats not stored", error=str(problem))


def _duration(ping: Ping) -> Sample:
    assert ping.duration_s is not None
    return Sample(DURATION_METRIC, ping.duration_s, {"heartbeat": ping.heartbeat.name}, ping.at.timestamp(), "seconds")


def _state(heartbeat: Heartbeat, at: float) -> Sample:
    return _state_of(heartbeat.name, heartbeat.state, at)


def _state_of(name: str, state: str, at: float) -> Sample:
    return Sample(
        STATE_METRIC,
        LEVELS[State(state)],
        {"heartbeat": name},
        at,
        expected_every_s=REPORT_EVERY_S,
        expires_after_s=10 * REPORT_EVERY_S,  # one that is deleted or paused has no state any more
    )


def condition_of(heartbeat: Heartbeat) -> Condition:
    fields = {name: getattr(heartbeat, name) for name in CONDITION}
    times = {name: seconds_of(fields[name]) for name in TIMES}
    return Condition(**{**fields, **times, "state": State(heartbeat.state)})


def _set(heartbeat: Heartbeat, condition: Condition) -> None:
    for name in CONDITION:
        value = getattr(condition, name)
        setattr(heartbeat, name, datetime_of(value) if name in TIMES else value)


def schedule_of(heartbeat: Heartbeat) -> Schedule:
    return Schedule(heartbeat.every_s, heartbeat.cron, heartbeat.time_zone)


def _expect(heartbeat: Heartbeat, since: float) -> None:
    """Note by when the next ping has to come, if the newest came at `since` (Unix seconds)."""
    late_at, down_at = ends(since, schedule_of(heartbeat), heartbeat.grace_s)
    heartbeat.late_at, heartbeat.down_at = datetime_of(late_at), datetime_of(down_at)


def create(by: Principal, name: str, **schedule: Any) -> Heartbeat:
    """Make a heartbeat; `schedule` is every_s, or cron and time_zone, and grace_s. Raises Forbidden or Invalid.

    Its first ping is awaited from now on: a job that was never set up is noticed as one that stopped.
    """
    check(by, CREATE, Heartbeat)
    made = Heartbeat(name=name, **schedule)
    _check(made)
    _expect(made, time.time())
    with transaction.atomic():
        _save(made)
        journal.record(by, "create", made, after=_facts(made))
    return made


def change(by: Principal, heartbeat: Heartbeat, **fields: Any) -> Heartbeat:
    """Change its name, its schedule, or its grace. Raises Forbidden or Invalid, and then nothing is changed."""
    check(by, CHANGE, heartbeat)
    before = _facts(heartbeat)
    if fields.get("every_s") is not None:
        fields.setdefault("cron", "")
    elif fields.get("cron"):
        fields.setdefault("every_s", None)
    for name, value in fields.items():
        setattr(heartbeat, name, value)
    _check(heartbeat)
    if heartbeat.state != State.PAUSED:
        _expect(heartbeat, seconds_of(heartbeat.last_at) or time.time())
    with transaction.atomic():
        _save(heartbeat, CHANGED)
        journal.record(by, "change", heartbeat, before, _facts(heartbeat))
    return heartbeat


def delete(by: Principal, heartbeat: Heartbeat) -> None:
    """Delete it and its pings; its series stay. Raises Forbidden."""
    check(by, DELETE, heartbeat)
    with transaction.atomic():
        journal.record(by, "delete", heartbeat, before=_facts(heartbeat))
        heartbeat.delete()


def ping_url(heartbeat: Heartbeat, root: str) -> str:
    """Return where it is pinged: under PUBLIC_URL, or else under `root`, as which this system was just reached."""
    return f"{(settings.PUBLIC_URL or root).rstrip('/')}/ping/{heartbeat.key}"


def rotate(by: Principal, heartbeat: Heartbeat) -> None:
    """Give it a new key; a ping with the old one finds nobody from now on. Raises Forbidden."""
    check(by, CHANGE, heartbeat)
    with transaction.atomic():
        heartbeat.key = new_key()
        heartbeat.save(update_fields=["key"])
        journal.record(by, "rotate", heartbeat)
    log.info("heartbeat got a new key", heartbeat=heartbeat.name)


def pause(by: Principal, heartbeat: Heartbeat) -> None:
    """Expect nothing until the next ping. Raises Forbidden."""
    check(by, CHANGE, heartbeat)
    with transaction.atomic():
        before = Heartbeat.objects.select_for_update().get(pk=heartbeat.pk).state
        Heartbeat.objects.filter(pk=heartbeat.pk).update(state=State.PAUSED, late_at=None, down_at=None, starts={})
        if before != State.PAUSED:
            why = f"{by.name} paused it."
            journal.moved([journal.transition(heartbeat, before, State.PAUSED, time.time(), why)])
        journal.record(by, "pause", heartbeat)
    heartbeat.refresh_from_db()


def _check(heartbeat: Heartbeat) -> None:
    if not heartbeat.name.strip() or len(heartbeat.name) > 100:
        raise Invalid("name", "name is not a text of 1 to 100 characters.")
    check_storable(heartbeat.name, "name")
    if not 0 <= heartbeat.grace_s <= GRACE_MOST_S:
        raise Invalid("grace", f"grace is not a number of seconds from 0 to {GRACE_MOST_S}.")
    try:
        schedule_of(heartbeat)
    except BadSchedule as problem:
        raise Invalid(problem.field, str(problem)) from None


def _facts(heartbeat: Heartbeat) -> dict[str, Any]:
    """Return what the journal keeps of a heartbeat; its key is a credential."""
    return {name: getattr(heartbeat, name) for name in ("name", "every_s", "cron", "time_zone", "grace_s")}


def _save(heartbeat: Heartbeat, fields: Sequence[str] | None = None) -> None:
    try:
        with transaction.atomic():
            heartbeat.save(update_fields=fields)
    except IntegrityError:
        raise Invalid("name", f"There is a heartbeat {heartbeat.name!r} already.") from None
