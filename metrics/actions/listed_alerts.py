"""Alerts as an Alertmanager lists them: those that are bad, whoever evaluates them, and why people are not told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import alert_notices, withholding
from metrics.actions.alert_labels import labels_of
from metrics.actions.withholding import Reason
from metrics.alerts import matchers
from metrics.alerts.machine import BURNING, State
from metrics.alerts.matchers import Matcher
from metrics.ingest.alerts import fingerprint
from metrics.models import Alert, Maintenance, Silence
from metrics.widgets import units

LISTED_MOST = 20_000
BAD = [*BURNING, State.NODATA]
EVERYONE = "everyone"
SEEN: dict[str, type[Silence] | type[Maintenance]] = {"silence": Silence, "maintenance": Maintenance}


@dataclass(frozen=True, slots=True)
class Listed:
    """One alert: its `labels` and what they hash to, the `receivers`, which are teams, and the silences (ids).

    `muted_by` are the maintenances (ids) in which people are not told of it. Of both those are named that the one who
    asks may see; it `is_active` unless there is any.
    """

    alert: Alert
    labels: dict[str, str]
    fingerprint: str
    receivers: Sequence[str]
    silenced_by: Sequence[str]
    muted_by: Sequence[str]
    is_active: bool

    def annotations(self) -> dict[str, str]:
        """Return its own words, or those of its rule."""
        if self.alert.rule.received is not None:
            return dict(self.alert.annotations)
        value = "" if self.alert.value is None else str(units.show(self.alert.value, self.alert.unit))
        said = {
            "summary": alert_notices.text_of(self.alert, value),
            "value": value,
            "runbook_url": alert_notices.runbook_of(self.alert),
        }
        return {name: text for name, text in said.items() if text}


def listed(by: Principal, given: Sequence[Matcher], now: float) -> list[Listed]:
    """Return the alerts that are bad, that `by` may see and that all of `given` match, by their fingerprints."""
    rows = visible(by, Alert).filter(state__in=BAD).select_related("rule").prefetch_related("rule__teams")
    found = [(alert, labels) for alert in rows[:LISTED_MOST] if matchers.match(given, labels := _shown(alert))]
    held = withholding.reasons([alert for alert, _ in found], now)
    seen = _seen(by, [one for those in held.values() for one in those])
    every = []
    for alert, labels in found:
        reasons = held.get(alert.pk, ())
        known = [one for one in reasons if one.id in seen[one.kind]]
        silences = sorted(one.id for one in known if one.kind == "silence")
        others = sorted(one.id for one in known if one.kind != "silence")
        every.append(Listed(alert, labels, fingerprint(labels), receivers_of(alert), silences, others, not reasons))
    return sorted(every, key=lambda one: (one.fingerprint, one.alert.pk))


def _seen(by: Principal, reasons: Iterable[Reason]) -> dict[str, set[str]]:
    """Return the ids of the silences and the maintenances among `reasons` that `by` may see, by their kind."""
    ids = {kind: {one.id for one in reasons if one.kind == kind} for kind in SEEN}
    return {
        kind: {str(pk) for pk in visible(by, model).filter(pk__in=ids[kind]).values_list("pk", flat=True)}
        for kind, model in SEEN.items()
    }


def _shown(alert: Alert) -> dict[str, str]:
    """Return the labels of an alert as whoever sent it knows them."""
    return dict(alert.labels) if alert.rule.received is not None else labels_of(alert)


def receivers_of(alert: Alert) -> list[str]:
    """Return the names of those who are told of an alert: its teams, or everyone."""
    return sorted(team.name for team in alert.rule.teams.all()) or [EVERYONE]


def receivers(teams: Iterable[str]) -> list[str]:
    """Return the names of all who may be told."""
    return sorted({EVERYONE, *teams})
