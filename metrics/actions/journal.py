"""The journal: an entry for each thing that somebody did, and a transition for each change of a state.

Both are written in the transaction of the change itself: neither can be without the other. Credentials are never in it;
callers name those that were given, and not what they are.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Model

from metrics.access.principal import Principal
from metrics.actions import alert_changes, alert_events
from metrics.models import AuditEntry, Transition
from metrics.times import datetime_of

NAME_MOST = 200
TRANSITIONS_KEPT = timedelta(days=400)
NOTHING: tuple[Any, ...] = (None, "", [], {})
"""Values that say nothing of what is made or removed."""


def record(
    by: Principal,
    verb: str,
    thing: Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    is_change: bool = True,
) -> None:
    """Write that `by` did `verb` to `thing`; of `before` and `after` the fields that differ are kept.

    Both are values as in JSON. None means that there was, or is, no such thing, or that its fields say nothing. A
    change without a difference is none. One that leaves the thing itself as it is (`is_change`), such as that somebody
    watches it, has nothing drawn anew.
    """
    _check_transaction()
    if before is not None and before == after:
        return
    AuditEntry.objects.create(
        at=datetime.now(UTC),
        by=by.name[:NAME_MOST],
        address=by.address,
        verb=verb,
        noun=noun_of(thing),
        thing=str(thing.pk),
        name=str(thing)[:NAME_MOST],
        before=_where_other(before, after),
        after=_where_other(after, before),
    )
    if is_change:
        alert_changes.did(noun_of(thing), thing.pk)
        alert_events.did(by, verb, thing)


def transition(thing: Model, before: str, after: str, at: float, why: str, value: float | None = None) -> Transition:
    """Return the row that says that the state of `thing` changed `at` (Unix seconds); `why` is a sentence.

    `value` is the one that it had then, of what has values.
    """
    return Transition(
        noun=noun_of(thing),
        thing=str(thing.pk),
        name=str(thing)[:NAME_MOST],
        before=before,
        after=after,
        at=datetime_of(at),
        why=why,
        value=value,
    )


def moved(transitions: Iterable[Transition]) -> None:
    """Write `transitions`."""
    _check_transaction()
    made = Transition.objects.bulk_create(transitions)  # no query without any
    for one in made:
        alert_changes.note(one.noun, [one.thing])
    alert_events.moved(made)


def forget(now: float) -> None:
    """Remove transitions that are older than `TRANSITIONS_KEPT` at `now` (Unix seconds). Audit entries are kept."""
    Transition.objects.filter(at__lt=datetime_of(now) - TRANSITIONS_KEPT).delete()


def noun_of(thing: Model) -> str:
    """Return how the journal calls what `thing` is, such as source."""
    return str(thing._meta.model_name)


def _where_other(these: Mapping[str, Any] | None, those: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if these is None:
        return None
    if those is None:
        return {name: value for name, value in these.items() if value not in NOTHING}
    return {name: value for name, value in these.items() if name not in those or those[name] != value}


def _check_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("The journal is written in the transaction of the change.")
