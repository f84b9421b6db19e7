"""Everything that people are not told: silences, acknowledgements, maintenance, and parts that can't work.

`GATHERED` are functions, one a kind; a part that may keep quiet, such as a channel, adds its own.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Max, Min, Model, QuerySet

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import (
    alert_webhooks,
    channel_configs,
    rule_index,
    schedules,
    withholding,
)
from metrics.actions.source_status import DOWN, FAILING, LATE, OFF, status_of
from metrics.alerts.escalation import is_readable
from metrics.alerts.machine import State
from metrics.heartbeat import State as Beat
from metrics.models import (
    Alert,
    AlertWebhook,
    Channel,
    Delivery,
    Escalation,
    Heartbeat,
    Maintenance,
    MaintenanceSpan,
    Rule,
    Schedule,
    Silence,
    Source,
    Transition,
)
from metrics.models.calendar import Feed
from metrics.models.log import sender
from metrics.times import datetime_of
from metrics.widgets.untold import Kind

OFF_TEXT = "It is turned off."
TAKEN_MOST = 200
"""So many alerts that somebody has taken are listed, those that were taken first."""


@dataclass(frozen=True, slots=True)
class Untold:
    """One reason not to be told: of which `kind`, what it is (`title`, at the path `url`), by whom and why (`text`).

    It is so `since` a time, if that is known, and until another, if that is known. `id` names it for
    `metrics.actions.withholding.counts`; `withheld` is what that says, and `last` when it last did. It stands for so
    many of its kind (`count`).
    """

    kind: Kind
    id: str
    title: str
    url: str
    text: str = ""
    by: str = ""
    since: datetime | None = None
    until: datetime | None = None
    withheld: int = 0
    last: datetime | None = None
    count: int = 1


Gather = Callable[[Principal, float], list[Untold]]


def untold(by: Principal, now: float) -> list[Untold]:
    """Return all that keeps quiet at `now` (Unix seconds), of what `by` may see, the oldest first."""
    found = [one for gather in GATHERED for one in gather(by, now)]
    counts = withholding.counts((one.kind, one.id) for one in found)
    found.sort(key=lambda one: one.since.timestamp() if one.since else now)
    return [_counted(one, counts.get((one.kind, one.id))) for one in found]


def _counted(one: Untold, counted: withholding.Counted | None) -> Untold:
    return replace(one, withheld=counted.count, last=counted.last) if counted else one


def without_words(one: Untold) -> Untold:
    """Return `one` without the words of others, which may name what is not for everyone."""
    is_ours = one.kind == "digest" or one.text == OFF_TEXT
    return replace(one, text=one.text if is_ours else "It can't deliver.", by="")


def _silences(by: Principal, now: float) -> list[Untold]:
    moment = datetime_of(now)
    return [
        Untold(
            "silence",
            str(one.pk),
            one.comment,
            f"/silences/#silence-{one.pk}",
            "" if withholding.matchers_of(one) is not None else withholding.UNREADABLE,
            by=sender(one.by),
            since=one.starts_at,
            until=one.ends_at,
        )
        for one in visible(by, Silence).filter(starts_at__lte=moment, ends_at__gt=moment)
    ]


def _acknowledgements(by: Principal, now: float) -> list[Untold]:
    taken = visible(by, Alert).select_related("rule").exclude(state=State.OK).exclude(acknowledged_at=None)
    found = [
        Untold(
            "acknowledgement",
            str(one.pk),
            str(one),
            f"/alerts/{one.pk}/",
            text=one.reason,
            by=sender(one.acknowledged_by),
            since=one.acknowledged_at,
            until=one.acknowledged_until,
        )
        for one in taken.order_by("acknowledged_at", "pk")[:TAKEN_MOST]
    ]
    more = taken.count() - len(found) if len(found) == TAKEN_MOST else 0
    return [*found, Untold("acknowledgement", "", f"And {more} more", "/alerts/", count=more)] if more else found


def _maintenance(by: Principal, now: float) -> list[Untold]:
    moment, mine = datetime_of(now), visible(by, Maintenance).order_by().values("pk")
    spans = MaintenanceSpan.objects.select_related("maintenance")
    running = spans.filter(starts_at__lte=moment, ends_at__gt=moment, maintenance__in=mine, maintenance__enabled=True)
    return [
        Untold(
            "maintenance",
            str(one.maintenance_id),
            one.maintenance.comment,
            f"/maintenance/#maintenance-{one.maintenance_id}",
            "" if withholding.matchers_of(one.maintenance) is not None else withholding.UNREADABLE,
            by=sender(one.maintenance.by),
            since=one.starts_at,
            until=one.ends_at,
        )
        for one in running
    ]


def _sources(by: Principal, now: float) -> list[Untold]:
    bad = {one.pk: (one, status_of(one, now)) for one in visible(by, Source)}
    bad = {pk: (one, status) for pk, (one, status) in bad.items() if status in (DOWN, FAILING, LATE, OFF)}
    moved = _moved("source", [pk for pk, (_, status) in bad.items() if status in (DOWN, FAILING)])
    found = []
    for pk, (one, status) in bad.items():
        text = OFF_TEXT if status == OFF else one.last_error or f"It is {status.word}."
        since = one.last_run_at if status in (LATE, OFF) else moved.get(str(pk)) or one.last_success_at
        found.append(Untold("source", str(pk), one.name, f"/sources/{pk}/", text, since=since))
    return found


def _moved(noun: str, ids: Iterable[int]) -> dict[str, datetime]:
    """Return when the state of each thing last changed, of those of which that is known."""
    rows = Transition.objects.filter(noun=noun, thing__in=[str(id) for id in ids])
    return dict(rows.order_by().values_list("thing").annotate(Max("at")))


def _heartbeats(by: Principal, now: float) -> list[Untold]:
    paused = list(visible(by, Heartbeat).filter(state=Beat.PAUSED))
    moved = _moved("heartbeat", [one.pk for one in paused])
    return [
        Untold(
            "heartbeat", str(one.pk), one.name, f"/heartbeats/{one.pk}/", "It is paused.", since=moved.get(str(one.pk))
        )
        for one in paused
    ]


def _rules(by: Principal, now: float) -> list[Untold]:
    found = []
    for one in visible(by, Rule):
        why = "This release can't read it." if one.enabled else OFF_TEXT
        if not one.enabled or not rule_index.is_read(one):
            found.append(
                Untold("rule", str(one.pk), one.name, f"/rules/#rule-{one.pk}", text=why, since=one.changed_at)
            )
    return found


def _calendars(by: Principal, now: float) -> list[Untold]:
    found: list[tuple[Feed, str]] = []
    found += [(one, f"/on-call/{one.pk}/") for one in visible(by, Schedule).exclude(problem="")]
    found += [(one, f"/maintenance/#maintenance-{one.pk}") for one in visible(by, Maintenance).exclude(problem="")]
    return [Untold("calendar", path, str(one), path, text=one.problem, since=one.good_at) for one, path in found]


def _answers(by: Principal, now: float) -> list[Untold]:
    """Return how teams answer and who is on call where this release can't read it."""
    found = []
    for one in visible(by, Escalation).select_related("team"):
        if not is_readable(one.spec, one.version):
            url = f"/access/teams/{one.team_id}/escalation/" if one.team_id else "/access/escalation/"
            text = "This release can't read it: it answers as if it said nothing of its own."
            found.append(Untold("escalation", str(one.pk), f"Escalation of {one}", url, text))
    for row in visible(by, Schedule).filter(url=""):
        if not schedules.is_readable(row):
            text = "This release can't read it: by it, only those who stand in are on call."
            found.append(Untold("schedule", str(row.pk), row.name, f"/on-call/{row.pk}/", text))
    return found


def _webhooks(by: Principal, now: float) -> list[Untold]:
    text = "This release can't read its mapping: what is sent to it is refused."
    return [
        Untold("webhook", str(one.pk), one.name, f"/alert-webhooks/{one.pk}/edit/", text)
        for one in visible(by, AlertWebhook)
        if not alert_webhooks.is_readable(one)
    ]


def _digests(rows: Collection[Channel]) -> list[Untold]:
    """Return the channels that hear of something later, in a digest."""
    held = Delivery.objects.filter(channel__in=rows, state=Delivery.HELD).order_by().values_list("channel")
    waiting = {pk: more for pk, *more in held.annotate(Count("pk"), Min("created_at"), Min("next_at"))}
    found = []
    for one in rows:
        if one.pk in waiting:
            count, since, until = waiting[one.pk]
            text = f"It hears of {count} message{'' if count == 1 else 's'} in its next digest."
            url = f"/channels/{one.pk}/"
            found.append(Untold("digest", str(one.pk), one.name, url, text, since=since, until=until))
    return found


def _channels(by: Principal, now: float) -> list[Untold]:
    return of_channels(visible(by, Channel))


def of_channels(channels: QuerySet[Channel]) -> list[Untold]:
    """Return those of `channels` that are turned off, or failed to deliver the last time."""
    rows = list(channels)
    ended = Delivery.objects.filter(channel__in=rows, state__in=(Delivery.SENT, Delivery.FAILED)).order_by()
    newest = [pk for _, pk in ended.values_list("channel").annotate(Max("pk"))]
    failed = {one.channel_id: one for one in ended.filter(pk__in=newest, state=Delivery.FAILED)}
    found = _digests(rows)
    for one in rows:
        last, url = failed.get(one.pk), f"/channels/{one.pk}/"
        if not one.enabled:
            found.append(Untold("channel", str(one.pk), one.name, url, OFF_TEXT, since=one.changed_at))
        elif not channel_configs.where(one):
            found.append(Untold("channel", str(one.pk), one.name, url, "Its config can't be read: enter it again."))
        elif last is not None:
            found.append(Untold("channel", str(one.pk), one.name, url, last.error, since=last.next_at))
    return found


GATHERED: list[Gather] = [
    _silences,
    _acknowledgements,
    _maintenance,
    _sources,
    _heartbeats,
    _rules,
    _calendars,
    _channels,
    _answers,
    _webhooks,
]
"""A function a kind; each returns what `by` may see."""
TABLES: Mapping[Kind, tuple[type[Model], ...]] = {
    "silence": (Silence,),
    "acknowledgement": (Alert,),
    "maintenance": (Maintenance,),
    "digest": (Channel,),
    "source": (Source,),
    "heartbeat": (Heartbeat,),
    "rule": (Rule,),
    "calendar": (Schedule, Maintenance),
    "channel": (Channel,),
    "escalation": (Escalation,),
    "schedule": (Schedule,),
    "webhook": (AlertWebhook,),
}
"""The tables that reasons of each kind are read from."""
