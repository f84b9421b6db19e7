"""The hand-over of a shift: what is open, who has it, what is silenced, and what happened in the last hours."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from metrics.access.policy import visible
from metrics.access.principal import SYSTEM, Principal
from metrics.actions import incidents
from metrics.actions.deliveries import address_of
from metrics.markdown import literal
from metrics.models import AuditEntry, Incident, Message, Rule, Silence
from metrics.models.log import sender
from metrics.times import datetime_of

HOURS_USUAL, HOURS_MOST = 8, 72
LINES_MOST = 100
TEXT_MOST = 300


@dataclass(frozen=True, slots=True)
class Shift:
    """The hours that are handed over: from `since` until `now`, as `by` sees them."""

    by: Principal
    since: datetime
    now: datetime


def markdown(by: Principal, hours: int, now: float) -> str:
    """Return what the last `hours` before `now` (Unix seconds) leave to the next ones, as Markdown."""
    moment = datetime_of(now)
    shift = Shift(by, moment - timedelta(hours=hours), moment)
    parts = [
        f"# Hand-over of {_time(moment)}",
        f"The last {hours} h. Times are {timezone.get_current_timezone_name()}.",
    ]
    for title, find in PARTS.items():
        lines = list(find(shift))
        more = [f"- And {len(lines) - LINES_MOST} more"] if len(lines) > LINES_MOST else []
        parts.append("\n".join([f"## {title}", "", *(lines[:LINES_MOST] or ["Nothing."]), *more]))
    return "\n\n".join(parts) + "\n"


def _open(shift: Shift) -> Iterator[str]:
    yield from (_incident(one) for one in _incidents(shift) if not one.acknowledged_at)


def _taken(shift: Shift) -> Iterator[str]:
    for one in _incidents(shift):
        if one.acknowledged_at:
            until = f" until {_time(one.acknowledged_until)}" if one.acknowledged_until else ""
            why = f": {_line(one.reason)}" if one.reason else ""
            yield f"{_incident(one)}; {_line(sender(one.acknowledged_by))} has it{until}{why}"


def _ended(shift: Shift) -> Iterator[str]:
    rows = visible(shift.by, Incident).filter(resolved_at__gte=shift.since, resolved_at__lte=shift.now)
    for one in rows.order_by("-resolved_at")[: LINES_MOST * 2]:
        assert one.resolved_at is not None
        by = f" by {_line(sender(one.resolved_by))}" if one.resolved_by else ""
        yield f"{_incident(one)}; over {_time(one.resolved_at)}{by}"


def _silenced(shift: Shift) -> Iterator[str]:
    rows = visible(shift.by, Silence).filter(starts_at__lte=shift.now, ends_at__gt=shift.now).order_by("ends_at")
    for one in rows[: LINES_MOST * 2]:
        yield f"- {_line(one.comment)}, by {_line(sender(one.by))}, until {_time(one.ends_at)}"


def _rules(shift: Shift) -> Iterator[str]:
    """Rules that were made, changed or deleted: of those that there are, which are for the reader to see."""
    names = {str(pk): name for pk, name in visible(shift.by, Rule).values_list("pk", "name")}
    rows = AuditEntry.objects.filter(noun="rule", at__gte=shift.since, at__lte=shift.now, thing__in=names)
    for one in rows.order_by("-at")[: LINES_MOST * 2]:
        yield f"- {_time(one.at)} {_line(sender(one.by))}: {one.verb} {_line(names[one.thing])}"


def _talk(shift: Shift) -> Iterator[str]:
    seen = visible(shift.by, Incident).order_by().values("pk")
    rows = Message.objects.filter(room__incident__in=seen, at__gte=shift.since, at__lte=shift.now, deleted_at=None)
    rows = rows.exclude(by=SYSTEM.name).select_related("room__incident", "token").order_by("at")
    for one in rows[: LINES_MOST * 2]:
        assert one.room.incident is not None
        yield f"- {_time(one.at)} {_line(one.sender)} in “{_line(one.room.incident.title)}”: {_cut(one.text)}"


PARTS: dict[str, Callable[[Shift], Iterator[str]]] = {
    "Open, and nobody has it": _open,
    "Somebody has it": _taken,
    "Over": _ended,
    "Silenced now": _silenced,
    "Rules that were edited": _rules,
    "What was talked about": _talk,
}


def _incidents(shift: Shift) -> Sequence[Incident]:
    return incidents.listed(shift.by)


def _incident(one: Incident) -> str:
    return f"- {one.severity}: {_line(one.title)}, since {_time(one.opened_at)} ({address_of(f'/incidents/{one.pk}/')})"


def _time(at: datetime) -> str:
    return f"{timezone.localtime(at):%a %H:%M}"


def _line(text: str) -> str:
    """Return `text`, which may come from outside, as one line of Markdown that shows it as it is."""
    return literal(_cut(text))


def _cut(text: str) -> str:
    """Return Markdown that people wrote as one line of it."""
    found = " ".join(text.split())
    return f"{found[:TEXT_MOST]}…" if len(found) > TEXT_MOST else found
