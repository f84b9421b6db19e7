"""All reasons not to tell people of alerts now: silences, maintenance, alerts in front of them, no data at all."""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Model

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import behind, no_data, withholding
from metrics.actions.withholding import Kind, Reason
from metrics.models import Alert, Incident, Maintenance, Silence


def reasons(alerts: Sequence[Alert], at: float) -> dict[int, list[Reason]]:
    """Return the reasons not to tell people of each of `alerts` at a time, by their ids; others are left out."""
    found = withholding.reasons(alerts, at)
    for pk, reason in no_data.reasons(alerts).items():
        found.setdefault(pk, []).append(reason)
    for pk, reason in behind.reasons(alerts, found.keys()).items():
        found.setdefault(pk, []).append(reason)
    return found


OF: Mapping[Kind, type[Model]] = {
    "silence": Silence,
    "maintenance": Maintenance,
    "behind": Alert,
    "no data": Incident,
    "flapping": Alert,
}
"""The things that the ids of reasons are of, by their kinds."""


def seen(by: Principal, reasons: Iterable[Reason]) -> frozenset[Reason]:
    """Return those of `reasons` of which `by` may see the thing; of others its text and its times are not for them."""
    given = frozenset(reasons)
    found: set[Reason] = set()
    for kind, model in OF.items():
        ids = {one.id for one in given if one.kind == kind}
        rows = visible(by, model).filter(pk__in=ids).values_list("pk", flat=True) if ids else ()
        mine = {str(pk) for pk in rows}
        found |= {one for one in given if one.kind == kind and one.id in mine}
    return frozenset(found)
