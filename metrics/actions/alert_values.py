"""The newest values of alerts whose state stays as it is, written many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from metrics.models import Alert

_ALERTS = Alert._meta.db_table
_ROW = "(%s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Value:
    """The newest `value` of an alert, which came at `seen_at_ms` (Unix ms); None if nobody could judge it."""

    alert: Alert
    seen_at_ms: int
    value: float | None
    lapses_after_s: float | None


def write(values: Sequence[Value]) -> None:
    """Write `values`, but for those of alerts that changed since they were read: compare and swap, all at once."""
    if not values:
        return
    sql = f"""
        WITH v(id, state, since_ms, seen_at_ms, value, lapses_after_s) AS (VALUES {", ".join([_ROW] * len(values))})
        UPDATE {_ALERTS} SET seen_at_ms = v.seen_at_ms,
            value = COALESCE(CAST(v.value AS double precision), {_ALERTS}.value),
            lapses_after_s = COALESCE(CAST(v.lapses_after_s AS double precision), {_ALERTS}.lapses_after_s)
        FROM v WHERE {_ALERTS}.id = v.id AND {_ALERTS}.state = v.state AND {_ALERTS}.since_ms = v.since_ms
            AND {_ALERTS}.seen_at_ms <= v.seen_at_ms"""
    arguments = [
        part
        for one in sorted(values, key=lambda one: one.alert.pk)
        for part in (
            one.alert.pk,
            one.alert.state,
            one.alert.since_ms,
            one.seen_at_ms,
            one.value,
            one.lapses_after_s,
        )
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
