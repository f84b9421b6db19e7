"""All reasons not to tell people of alerts now: silences, maintenance, alerts in front of them, no data at all."""

from collections.abc import Sequence

from metrics.actions import behind, no_data, withholding
from metrics.actions.withholding import Reason
from metrics.models import Alert


def reasons(alerts: Sequence[Alert], at: float) -> dict[int, list[Reason]]:
    """Return the reasons not to tell people of each of `alerts` at a time, by their ids; others are left out."""
    found = withholding.reasons(alerts, at)
    for pk, reason in no_data.reasons(alerts).items():
        found.setdefault(pk, []).append(reason)
    for pk, reason in behind.reasons(alerts, found.keys()).items():
        found.setdefault(pk, []).append(reason)
    return found
