"""Locks on the rows of alerts and incidents, in the one order that all transactions keep.

Two transactions that lock the same rows in different orders wait for each other until the database ends one of them. So
each locks what it needs of these in this order, and rows of one kind in the order of their ids:

1. transitions that are announced;
2. rules;
3. incidents;
4. alerts, all that are written, at once and before: an `UPDATE` of many rows locks them as they lie in the table;
5. logs: that of the events of alerts, then those of rooms, then those of people: `metrics.actions.logs.hold`;
6. a channel, and deliveries.

Rules, incidents and alerts are locked without their keys: rows that refer to them are written meanwhile, by others who
hold a log, and would wait.

A transaction that changes several kinds of these, such as that of `manage.py dashboards`, has rules before channels: a
rule that is changed locks incidents and alerts, whose holders wait for channels.

A transaction that finds out which incidents it needs only by its alerts reads these first, locks the incidents, then
locks the alerts, and looks at them again.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, Q, QuerySet

from metrics.actions.errors import Missing
from metrics.models import Alert, Incident, Rule

Row = TypeVar("Row", bound=Model)


def locked(found: Row, *, no_key: bool = False) -> Row:
    """Lock the row that was found, in the transaction around this, and return it as it is now.

    With `no_key`, others may write rows that refer to it meanwhile; so it is not to be removed. Raises Missing if
    somebody removed it since.
    """
    try:
        return type(found)._default_manager.select_for_update(no_key=no_key).get(pk=found.pk)
    except ObjectDoesNotExist:
        raise Missing(f"Somebody removed {found} meanwhile.") from None


def rules(ids: Iterable[int]) -> dict[int, Rule]:
    """Lock rules (ids), in the transaction around this, and return them by id; those that are gone are left out."""
    found = Rule.objects.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk")
    return {one.pk: one for one in found}


def incidents(ids: Iterable[int | None], keys: Iterable[str] = ()) -> list[Incident]:
    """Lock incidents (ids), and the open ones with one of `keys`, in the transaction around this; return them."""
    wanted = Q(pk__in={id for id in ids if id is not None}) | Q(key__in=set(keys), resolved_at=None)
    return list(Incident.objects.select_for_update(no_key=True).filter(wanted).order_by("pk"))


def alerts(rows: QuerySet[Alert]) -> Sequence[Alert]:
    """Lock the alerts `rows`, in the transaction around this, and return them in the order of their ids."""
    return list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk"))
