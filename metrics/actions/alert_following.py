"""Following alerts: where a program begins, what is bad by then, and the events that come after."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import alert_documents, logs
from metrics.live.topic import EVENTS
from metrics.models import Alert, AlertEvent, Incident

PART_MOST = 100
PART_BYTES = 256 * 1024
"""So large are parts of a snapshot, and pages of events, at most: clients that take 1 MiB at once take them."""
EVENTS_MOST = 500


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that people are told is bad: `alerts`, and the `incidents` that are open, as documents."""

    alerts: list[dict[str, Any]]
    incidents: list[dict[str, Any]]

    def parts(self) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]], bool]]:
        """Yield alerts and incidents in parts of at most `PART_MOST` and of `PART_BYTES`, and whether more come."""
        cut = [list(_cut(those, PART_MOST, PART_BYTES // 2)) for those in (self.alerts, self.incidents)]
        parts = list(zip_longest(*cut, fillvalue=[])) or [([], [])]
        for place, (alerts, incidents) in enumerate(parts, 1):
            yield alerts, incidents, place < len(parts)


@dataclass(frozen=True, slots=True)
class Start:
    """Where somebody begins to read: after the event `number`, with a `snapshot` unless they know what was before.

    `lost` is a sentence that says why they have to begin anew, empty if they asked to or need not; the log begins with
    the event `begins`.
    """

    number: int
    begins: int
    snapshot: Snapshot | None = None
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, in order; the next ones come after the event `number`, at once if there are `more`."""

    start: Start
    events: list[dict[str, Any]]
    number: int
    more: bool


def begin(by: Principal, after: int | None) -> Start:
    """Return where `by`, who has the events up to `after`, reads on; None stands for one who has nothing.

    The number is read before the snapshot: an event that is in both is told twice, and none is missing.
    """
    newest = logs.newest([EVENTS])[EVENTS]
    oldest = AlertEvent.objects.order_by("number").values_list("number", flat=True).first()
    begins = newest + 1 if oldest is None else oldest
    if after is None:
        return Start(newest, begins, _snapshot(by))
    if after > newest:
        lost = f"There is no event {after} yet: the newest one is {newest}. The alerts that are bad now follow."
        return Start(newest, begins, _snapshot(by), lost)
    if after + 1 < begins:
        kept = f"Events up to {begins - 1} are kept no more: the log begins with {begins}."
        lost = f"{kept} The alerts that are bad now follow."
        return Start(newest, begins, _snapshot(by), lost)
    return Start(after, begins)


def page(by: Principal, after: int | None, most: int = EVENTS_MOST) -> Page:
    """Return the first events after the number `after` that `by` may see, at most `most` and as many as fit."""
    start = begin(by, after)
    if start.snapshot is not None:
        return Page(start, [], start.number, more=False)
    newest = logs.newest([EVENTS])[EVENTS]
    rows = visible(by, AlertEvent).filter(number__gt=start.number, number__lte=newest).order_by("number")
    found = [one.data for one in rows[: most + 1]]
    shown = next(_cut(found, most, PART_BYTES), [])
    more = len(found) > len(shown)
    return Page(start, shown, shown[-1]["id"] if more else newest, more)


def _cut(things: Iterable[dict[str, Any]], most: int, bytes_most: int) -> Iterator[list[dict[str, Any]]]:
    """Yield `things` in lists of at most `most`, and of so many bytes as JSON, unless one alone has more."""
    part, size = list[dict[str, Any]](), 0
    for one in things:
        its_size = len(json.dumps(one, ensure_ascii=False).encode())
        if part and (len(part) == most or size + its_size > bytes_most):
            yield part
            part, size = [], 0
        part.append(one)
        size += its_size
    if part:
        yield part


def _snapshot(by: Principal) -> Snapshot:
    announced = visible(by, Alert).filter(are_told=True).select_related("rule").order_by("pk")
    open_ = visible(by, Incident).filter(resolved_at=None).prefetch_related("teams").order_by("pk")
    return Snapshot(
        [alert_documents.of_alert(one) for one in announced],
        [alert_documents.of_incident(one, [team.name for team in one.teams.all()]) for one in open_],
    )
