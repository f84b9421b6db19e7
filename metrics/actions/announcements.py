"""Announcing the changes of alerts: transitions are the queue, and each is announced once.

The process that takes transitions notes in the same transaction that they are processed, and writes all that follows:
to which incident an alert belongs, its timeline, and notifications. A silence, a maintenance, or an alert in front of
it may withhold an alert: it is announced when that is over, if it is bad still. The end of an alert that was never
announced is not announced either. An alert that flaps is announced once, and again when it is calm.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from django.db.models import QuerySet, prefetch_related_objects

from metrics.access.principal import SYSTEM
from metrics.actions import (
    alert_changes,
    alert_charts,
    alert_events,
    alert_notices,
    audience,
    flapping,
    holding,
    incident_messages,
    locks,
    no_data,
    notifications,
    one_by_one,
    timeline,
    withholding,
)
from metrics.actions.errors import Invalid
from metrics.actions.gathering import Gathering, settle
from metrics.actions.notification_settings import ALERT
from metrics.actions.notifications import Notice
from metrics.actions.withholding import Reason
from metrics.alerts.machine import ALERTING, BURNING, State
from metrics.models import Alert, Incident, Transition
from metrics.prepared_query import PreparedQuery
from metrics.times import datetime_of

log = structlog.get_logger(__name__)

AT_ONCE = 500
ONE_BY_ONE = 3
"""So many alerts of an incident are told one by one; more of them are one notification."""


@dataclass(slots=True)
class News:
    """One change of an alert that people should know: it `begins`, or it is over. The same one has the same `key`.

    `text` says it in other words than those of the change: that it flaps, or is calm.
    """

    alert: Alert
    move: Transition
    begins: bool
    text: str = ""

    @property
    def key(self) -> str:
        return f"{key_of(self.alert, self.move)}{':flaps' if self.text else ''}"

    @property
    def said(self) -> str:
        return self.text or alert_notices.said(self.alert, self.move)


@dataclass(slots=True)
class Announcement:
    """All that is said of one incident at once: lines of its timeline, the news, and the events for programs."""

    lines: list[str] = field(default_factory=list)
    events: list[alert_events.Event] = field(default_factory=list)
    news: list[News] = field(default_factory=list)


def key_of(alert: Alert, move: Transition) -> str:
    """Return the idempotency key of a change."""
    return f"alert:{alert.pk}:{move.after}:{move.at.timestamp():.3f}"


def announce(now: float) -> int:
    """Announce what nobody was told of yet, the oldest first; return how many transitions that was."""
    count = 0
    while found := _announce_some(now):
        count += found
    return count


def release(now: float) -> int:
    """Announce the alerts that are bad and withheld no more, and those that flap no more; return how many."""
    return _release_held(now) + _release_calm(now)


def _release_held(now: float) -> int:
    waiting = list(_held_back().values_list("pk", flat=True))
    return one_by_one.each(waiting, partial(_release_these, now=now), _not_released) if waiting else 0


def _release_these(waiting: Sequence[int], now: float) -> int:
    known = _held_back().filter(pk__in=waiting).select_related("rule", "incident").prefetch_related("rule__teams")
    seen = list(known)
    held = holding.reasons(seen, now)
    free_now = [alert for alert in seen if alert.pk not in held]
    if not free_now:
        return 0
    gathering = Gathering(datetime_of(now))
    gathering.lock(free_now)
    rows = locks.alerts(known.filter(pk__in=[one.pk for one in free_now]))  # else one might end meanwhile
    held = holding.reasons(rows, now)
    free = {alert.pk: alert for alert in rows if alert.pk not in held}
    moved = Transition.objects.filter(noun="alert", thing__in=map(str, free)).order_by("at", "pk")
    newest = {int(move.thing): move for move in moved}
    # One that nobody has looked at yet is announced by itself.
    moves = [newest[pk] for pk in free if pk in newest and newest[pk].processed_at and newest[pk].after in ALERTING]
    _announce_moves(moves, free, {}, now, gathering)
    return len(moves)


def _release_calm(now: float) -> int:
    waiting = list(_flapping().values_list("pk", flat=True))
    return one_by_one.each(waiting, partial(_calm_these, now=now), _not_released) if waiting else 0


def _calm_these(waiting: Sequence[int], now: float) -> int:
    flapping_now = _flapping().filter(pk__in=waiting)
    locks.incidents(flapping_now.values_list("incident", flat=True))
    rows = locks.alerts(flapping_now.select_related("rule", "incident").prefetch_related("rule__teams"))
    changes = flapping.changes([one.pk for one in rows], now)
    calm = {one.pk: one for one in rows if flapping.calm(one, changes.get(one.pk, ()), now)}
    held = holding.reasons(list(calm.values()), now)
    before = {pk: one.are_told for pk, one in calm.items()}
    announcements: defaultdict[Incident, Announcement] = defaultdict(Announcement)
    newest = {
        int(one.thing): one
        for one in Transition.objects.filter(noun="alert", thing__in=map(str, calm)).order_by("at", "pk")
    }
    for pk, alert in calm.items():
        alert.flaps_since_ms = None
        is_bad = alert.state in flapping.BAD
        alert.are_told = is_bad and pk not in held
        if alert.incident is None or pk not in newest:
            continue
        change = alert_events.CALM if alert.are_told else alert_events.OVER
        why = alert_notices.WITHHELD if is_bad and pk in held else alert_notices.CALM
        announcements[alert.incident].events.append(alert_events.Event(alert, change, why=why, at=now))
        if is_bad and pk in held:
            continue
        of_it = announcements[alert.incident]
        of_it.lines.append(alert_notices.line_of(alert, "Calm", f"It is {alert_notices.state_of(alert)}."))
        of_it.news.append(News(alert, newest[pk], is_bad, alert_notices.calmed(alert) if is_bad else ""))
    Alert.objects.filter(pk__in=calm).update(flaps_since_ms=None)
    _finish(announcements, calm, before, f"calm:{min(calm, default=0)}:{now:.0f}", now)
    settle({one.incident_id for one in calm.values()}, datetime_of(now))
    return len(calm)


def _not_released(alert: int) -> None:
    log.exception("an alert that people may be told of again was not announced", alert=alert)


def _announce_some(now: float) -> int:
    waiting: dict[int, str] = dict(_WAITING.rows())
    if not waiting:
        return 0
    if State.NODATA in waiting.values():
        no_data.look(now)
    one_by_one.each(list(waiting), partial(_announce_these, now=now), partial(_pass_over, now=now))
    return len(waiting)


def _announce_these(waiting: Sequence[int], now: float) -> int:
    """Announce those transitions (ids) that still wait, in the transaction around this; return how many."""
    moves = list(_unprocessed().filter(pk__in=waiting).select_for_update().order_by("pk"))
    known = Alert.objects.select_related("rule", "incident").prefetch_related("rule__teams")
    gathering = Gathering(datetime_of(now))
    gathering.lock(list(known.filter(pk__in={int(move.thing) for move in moves})))
    rows = locks.alerts(known.filter(pk__in={int(move.thing) for move in moves}))
    alerts = {alert.pk: alert for alert in rows}
    beginning = {int(move.thing) for move in moves if move.after in ALERTING}
    held = holding.reasons([alerts[pk] for pk in sorted(beginning & alerts.keys())], now)
    _announce_moves([move for move in moves if int(move.thing) in alerts], alerts, held, now, gathering)
    Transition.objects.filter(pk__in=[move.pk for move in moves]).update(processed_at=datetime_of(now))
    return len(moves)


def _pass_over(odd: int, now: float) -> None:
    """Note that the transition `odd` can't be announced, and is not to be tried again."""
    log.exception("a change of an alert was not announced", transition=odd)
    Transition.objects.filter(pk=odd).update(processed_at=datetime_of(now))


def _unprocessed() -> QuerySet[Transition]:
    return Transition.objects.filter(processed_at=None, noun="alert")


_WAITING = PreparedQuery(lambda: _unprocessed().order_by("pk").values_list("pk", "after")[:AT_ONCE])


def _held_back() -> QuerySet[Alert]:
    return Alert.objects.filter(state__in=ALERTING, are_told=False).order_by("pk")


def _flapping() -> QuerySet[Alert]:
    return Alert.objects.exclude(flaps_since_ms=None).order_by("pk")


def _announce_moves(
    moves: Sequence[Transition],
    alerts: Mapping[int, Alert],
    held: Mapping[int, Collection[Reason]],
    now: float,
    gathering: Gathering,
) -> None:
    """Tell of `moves` of `alerts`, by their ids, but for what is `held` back for some reasons."""
    announcements: defaultdict[Incident, Announcement] = defaultdict(Announcement)
    before = {pk: alert.are_told for pk, alert in alerts.items()}
    known: dict[int, Incident] = {}
    changes = flapping.changes(alerts.keys(), min(move.at.timestamp() for move in moves)) if moves else {}
    flapped: list[Alert] = []
    withheld: list[withholding.Note] = []
    for move in moves:
        alert = alerts[int(move.thing)]
        reasons = held.get(alert.pk, ())
        if reasons and move.after in ALERTING and not alert.are_told:
            withheld += [withholding.Note(one, alert, key_of(alert, move)) for one in reasons]
            continue
        if alert.flaps_since_ms is not None:
            if move.after in ALERTING:
                withheld.append(withholding.Note(flapping.reason(alert, now), alert, key_of(alert, move)))
            continue
        incident = _follow(alert, move, announcements, gathering, changes.get(alert.pk, ()))
        if incident is not None:
            alert.incident = known.setdefault(incident.pk, incident)
            alert_changes.note("alert", [alert.pk])
        if alert.flaps_since_ms is not None:
            flapped.append(alert)
    gathering.store()
    Alert.objects.bulk_update(flapped, ["flaps_since_ms"])
    withholding.note(withheld, now)
    if moves:
        _finish(
            announcements,
            alerts,
            before,
            f"moves:{moves[0].pk}:{moves[0].processed_at is None}",
            now,
            gathering.changed,
        )


def _finish(
    announcements: Mapping[Incident, Announcement],
    alerts: Mapping[int, Alert],
    before: Mapping[int, bool],
    key: str,
    now: float,
    changed: Mapping[Incident, str] | None = None,
) -> None:
    """Note which of `alerts` are announced, end incidents that are over, and send `announcements`, once by `key`."""
    locks.incidents(one.pk for one in announcements)
    for are_told in (True, False):
        ids = [pk for pk, alert in alerts.items() if alert.are_told is are_told is not before[pk]]
        Alert.objects.filter(pk__in=ids).update(are_told=are_told)
    events = [alert_events.Event(incident, change) for incident, change in (changed or {}).items()]
    alert_events.record([*events, *(event for of_it in announcements.values() for event in of_it.events)])
    settle({one.pk for one in announcements}, datetime_of(now))
    timeline.hold(announcements)
    _say(announcements, key, now)


def _follow(
    alert: Alert,
    move: Transition,
    announcements: defaultdict[Incident, Announcement],
    gathering: Gathering,
    changes: Collection[float],
) -> Incident | None:
    """Note what one change means: for the incident of its alert, and for those who are to be told.

    `changes` are times at which it became bad or good: many of them are told as one.
    """
    begins = move.after in ALERTING and not (alert.are_told and move.before == State.RECOVERING)
    is_over = alert.are_told and move.after in (State.OK, State.PENDING) and move.before in (*BURNING, State.NODATA)
    if begins:
        incident = gathering.incident_of(alert, move.at)
    elif alert.are_told and alert.incident is not None:
        incident = alert.incident
    else:
        alert.are_told = alert.are_told and not is_over
        return None
    of_it, at = announcements[incident], move.at.timestamp()
    if (begins or is_over) and flapping.begins(alert, changes, at):
        alert.are_told, alert.flaps_since_ms = True, round(at * 1000)
        how = flapping.said(changes, at)
        of_it.lines.append(alert_notices.line_of(alert, "Flaps", f"{how}; it is told again once it calms."))
        of_it.news.append(News(alert, move, True, alert_notices.flaps(alert, how)))
        of_it.events.append(alert_events.Event(alert, alert_events.FLAPS, move=move))
        return incident
    alert.are_told = not is_over
    of_it.lines.append(alert_notices.line(alert, move))
    change = alert_events.BEGAN if begins else alert_events.OVER if is_over else alert_events.CHANGED
    of_it.events.append(alert_events.Event(alert, change, move=move))
    if begins or is_over:
        of_it.news.append(News(alert, move, begins))
    return incident


def _say(announcements: Mapping[Incident, Announcement], key: str, now: float) -> None:
    """Tell people the news, and say in the timelines what alerts did."""
    news = [incident for incident, of_it in announcements.items() if of_it.news]
    open_ = Incident.objects.filter(
        pk__in=[one.pk for one in news], resolved_at=None
    )  # an end is noted by who ended it
    open_.filter(untold_since=None).update(untold_since=datetime_of(now))
    open_.update(changed_at=datetime_of(now))
    prefetch_related_objects(news, "teams")
    audiences = audience.of_incidents(news, now)
    notices = [
        (incident, Notice(to, text[: notifications.TEXT_MOST], f"/incidents/{incident.pk}/", once))
        for incident in news
        for text, once in _texts(incident, announcements[incident].news)
        for to in audiences[incident.pk].people
    ]
    reached: defaultdict[Incident, list[tuple[Notice, int | Invalid]]] = defaultdict(list)
    outcomes = notifications.send_all(SYSTEM, ALERT, [one for _, one in notices])
    for (incident, one), outcome in zip(notices, outcomes, strict=True):
        reached[incident].append((one, outcome))
    timeline.say_all(
        [
            line
            for incident, of_it in announcements.items()
            if of_it.lines
            for line in _lines(incident, of_it, reached[incident], key, now)
        ]
    )
    incident_messages.ask({one.kind for found in audiences.values() for one in found.channels})


def _lines(
    incident: Incident,
    announcement: Announcement,
    reached: Sequence[tuple[Notice, int | Invalid]],
    key: str,
    now: float,
) -> list[timeline.Line]:
    """Return what the timeline of an incident says of it all, and of the people who were `reached`."""
    begun = [one for one in announcement.news if one.begins]
    drawing = alert_charts.drawing(begun[0].alert, now) if begun else ""
    lines, counts = list[timeline.Line](), dict[str, int]()
    for one, outcome in reached:
        to = str(one.to)
        if isinstance(outcome, Invalid):  # the user or the team is gone
            lines.append(timeline.Line(incident, f"{to} can't be told: {outcome}", f"{one.key}:{to}"[:100]))
        else:
            counts[to] = max(counts.get(to, 0), outcome)
    lines.append(timeline.moved(incident, announcement.lines, key, drawing))
    return [*lines, *timeline.notified(incident, counts)] if begun else lines


def _texts(incident: Incident, news: Sequence[News]) -> list[tuple[str, str]]:
    """Return the sentences that people are told, and the key of each."""
    if len(news) <= ONE_BY_ONE:
        return [(one.said, one.key) for one in news]
    begun, over = sum(one.begins for one in news), sum(not one.begins for one in news)
    parts = [
        f"{begun} alert{'' if begun == 1 else 's'} began" if begun else "",
        f"{over} {'is' if over == 1 else 'are'} over" if over else "",
    ]
    return [(f"{incident.title}: {' and '.join(filter(None, parts))}.", f"alerts:{news[0].key}")]
