"""An alert as a row of a list: the same words on every page that lists alerts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from metrics.actions.source_status import SourceStatus
from metrics.actions.withholding import Reason
from metrics.alerts.machine import State
from metrics.models import Alert
from metrics.models.log import sender
from metrics.times import datetime_of
from metrics.widgets import units

LEVELS = {
    State.FIRING: "critical",
    State.NODATA: "nodata",
    State.RECOVERING: "warn",
    State.PENDING: "warn",
    State.OK: "ok",
}
WORDS = {State.NODATA: "no data"}
MUTED = {"silence": "silenced", "maintenance": "in maintenance"}


@dataclass(frozen=True, slots=True)
class Row:
    """One alert in the list: `status` is its state, `since` and `value` are words, `who` has taken it, if somebody has.

    `labels` are those that tell it from others of its rule. While nobody is told of it, `muted` has why and until when;
    None if that is not for the reader to see.
    """

    id: int
    rule: str
    labels: list[tuple[str, str]]
    severity: str
    status: SourceStatus
    since: str
    value: str
    who: str
    reason: str
    until: datetime | None
    muted: tuple[tuple[str, datetime | None], ...] = ()


def row(alert: Alert, now: float, muted: Iterable[Reason] = (), seen: Collection[Reason] = ()) -> Row:
    """Return `alert` as the list shows it.

    `muted` are the reasons why nobody is told of it now, and `seen` those that are for the reader to see.
    """
    value = "" if alert.value is None else str(units.show(alert.value, alert.unit))
    return Row(
        id=alert.pk,
        rule=alert.rule.name,
        labels=sorted(alert.labels.items()),
        severity=alert.severity,
        status=status(alert.state),
        since=units.age(max(0.0, now - alert.since_ms / 1000)),
        value="" if alert.state == State.NODATA else value,
        who=sender(alert.acknowledged_by) if alert.acknowledged_by else "",
        reason=alert.reason,
        until=alert.acknowledged_until,
        muted=tuple((MUTED[one.kind], datetime_of(one.until) if one in seen else None) for one in muted),
    )


def status(state: str) -> SourceStatus:
    """Return the mark of a state, and its word."""
    return SourceStatus(WORDS.get(State(state), state), LEVELS[State(state)])
