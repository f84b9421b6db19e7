"""The review of an incident: a draft in Markdown of what happened, for people to go on writing elsewhere."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.utils import timezone

from metrics.access.principal import SYSTEM, Principal
from metrics.actions import incidents
from metrics.actions.deliveries import address_of
from metrics.markdown import literal
from metrics.models import Alert, AuditEntry, Delivery, Incident, Message, Notification, Transition
from metrics.models.log import sender
from metrics.widgets import units

LINES_MOST = 1000
ALERTS_MOST = 100
TEXT_MOST = 500
TAKEN = ("acknowledge", "hand over")
TO_WRITE = ("What was the cause?", "What went well?", "What went badly?", "What is to be done, by whom, until when?")


def markdown(by: Principal, id: int) -> str:
    """Return the review of an incident that `by` may see, as Markdown. Raises Missing."""
    incident = incidents.find(by, id)
    alerts = incidents.alerts_of(by, incident)
    parts = [
        [f"# {_line(incident.title)}", "", f"A draft. Times are {timezone.get_current_timezone_name()}."],
        ["## In short", "", *_facts(incident, alerts)],
        ["## What was seen", "", *_seen(alerts)],
        ["## What happened", "", *_happened(incident, alerts)],
        ["## Notified people", "", *_notified(incident)],
        *([f"## {heading}", "", "…"] for heading in TO_WRITE),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _facts(incident: Incident, alerts: Sequence[Alert]) -> Iterator[str]:
    ended, taken = incident.resolved_at, _taken_at(incident)
    yield f"- Severity: {incident.severity}, with {len(alerts)} alert{'' if len(alerts) == 1 else 's'}"
    yield f"- Began: {_time(incident.opened_at)}"
    yield f"- Ended: {f'{_time(ended)}, after {_lasted(incident.opened_at, ended)}' if ended else 'not yet'}"
    yield f"- Taken after: {_lasted(incident.opened_at, taken) if taken else 'nobody took it'}"
    if ended:
        yield f"- Ended by: {_line(sender(incident.resolved_by)) or 'itself, as all of its alerts ended'}"
    people = _people(incident)
    yield f"- People: {', '.join(people) if people else 'nobody wrote or did anything'}"
    teams = sorted(_line(team.name) for team in incident.teams.all())
    yield f"- Teams: {', '.join(teams) if teams else 'everyone'}"
    yield f"- Page: {address_of(f'/incidents/{incident.pk}/')}"


def _seen(alerts: Sequence[Alert]) -> Iterator[str]:
    if not alerts:
        yield "Its alerts are not there any more, or are not for you to see."
    for alert in alerts[:ALERTS_MOST]:
        value = "" if alert.value is None else f", last {units.show(alert.value, alert.unit)}"
        yield f"- `{_code(alert)}`: {alert.state}{value} ({address_of(f'/alerts/{alert.pk}/')})"
    if len(alerts) > ALERTS_MOST:
        yield f"- And {len(alerts) - ALERTS_MOST} more"


def _happened(incident: Incident, alerts: Sequence[Alert]) -> Iterator[str]:
    ids = [str(one.pk) for one in alerts]
    rows = Transition.objects.filter(noun="alert", thing__in=ids, at__gte=incident.opened_at)
    if incident.resolved_at is not None:
        rows = rows.filter(at__lte=incident.resolved_at)
    moves = rows.order_by("at", "pk")[:LINES_MOST]
    said = Message.objects.filter(room__incident=incident, deleted_at=None).order_by("number")[:LINES_MOST]
    lines = [(one.at, f"**{one.after}** `{_code(one.name)}` {_line(one.why)}") for one in moves]
    lines += [(one.at, _said(one)) for one in said if not one.client_id.startswith(("moves:", "calm:"))]
    if not lines:
        yield "Nothing."
    day = None
    for at, text in sorted(lines, key=lambda one: one[0])[:LINES_MOST]:
        local = timezone.localtime(at)
        if local.date() != day:
            day = local.date()
            yield f"### {day:%A, %d %B %Y}\n"
        yield f"- {local:%H:%M:%S} {text}"


def _said(message: Message) -> str:
    text = _cut(message.text)
    return text if message.by == SYSTEM.name else f"**{_line(message.sender)}**: {text}"


def _notified(incident: Incident) -> Iterator[str]:
    page = Notification.objects.filter(about=f"/incidents/{incident.pk}/").select_related("user")
    counts = Counter((one.user.get_username(), one.read_at is not None) for one in page[:LINES_MOST])
    for name in sorted({name for name, _ in counts}):
        read = counts[name, True]
        yield f"- {_line(name)}, in the page: {read + counts[name, False]} times, {read} of them read"
    rows = Delivery.objects.filter(conversation=f"incident:{incident.pk}").select_related("channel").order_by("pk")
    found = list(rows[:LINES_MOST])
    for one in found:
        how = f"arrived {_time(one.sent_at)}" if one.sent_at else WORDS.get(one.state, one.state)
        what = f"“{one.document.get('state', '')}” of {_time(one.created_at)}"
        yield f"- {_line(one.channel.name)} ({one.channel.kind}), {what}: {how}"
    if not counts and not found:
        yield "Nobody."


WORDS = {
    Delivery.WAITING: "has not arrived yet",
    Delivery.SENDING: "has not arrived yet",
    Delivery.FAILED: "did not arrive",
    Delivery.REPLACED: "was replaced by a newer one",
    Delivery.HELD: "waits for a digest",
    Delivery.GATHERED: "went with a digest",
}


def _taken_at(incident: Incident) -> datetime | None:
    """Return when somebody took it first."""
    rows = AuditEntry.objects.filter(noun="incident", thing=str(incident.pk), verb__in=TAKEN)
    return rows.order_by("at").values_list("at", flat=True).first() or incident.acknowledged_at


def _people(incident: Incident) -> list[str]:
    """Return the names of those who wrote or did something."""
    wrote = Message.objects.filter(room__incident=incident, deleted_at=None).values_list("by", flat=True).distinct()
    did = AuditEntry.objects.filter(noun="incident", thing=str(incident.pk)).values_list("by", flat=True).distinct()
    return sorted({_line(sender(by)) for by in (*_all(wrote), *_all(did)) if by != SYSTEM.name})


def _all(found: Iterable[str]) -> list[str]:
    return list(found)


def _lasted(since: datetime, until: datetime) -> str:
    return units.lasted((until - since).total_seconds())


def _time(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def _line(text: str) -> str:
    """Return `text`, which may come from outside, as one line of Markdown that shows it as it is."""
    return literal(_cut(text))


def _cut(text: str) -> str:
    """Return Markdown that people wrote as one line of it."""
    found = " ".join(text.split())
    return f"{found[:TEXT_MOST]}…" if len(found) > TEXT_MOST else found


def _code(thing: object) -> str:
    """Return the name of a thing as it can stand between backticks."""
    return _cut(str(thing)).replace("`", "'")
