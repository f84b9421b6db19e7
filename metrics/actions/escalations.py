"""How teams answer: who is told of an incident at once, and who later when nobody takes it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from metrics.access.principal import Principal, of_user
from metrics.alerts.escalation import USUAL, EscalationSpec
from metrics.models import Escalation, Incident, Team
from metrics.versioned import upgraded


def of_teams(teams: Iterable[Team]) -> EscalationSpec:
    """Return how `teams` answer together: as the first of them that says it, by name; else as the installation does."""
    ids = [team.pk for team in sorted(teams, key=lambda team: team.name)]
    rows = {row.team_id: row for row in Escalation.objects.filter(team__in=ids)}
    chosen = next((rows[pk] for pk in ids if pk in rows), None) or Escalation.objects.filter(team=None).first()
    return spec_of(chosen) if chosen is not None else USUAL


def spec_of(escalation: Escalation) -> EscalationSpec:
    """Return the document of a row. Raises ValueError for one that a later release stored."""
    return EscalationSpec.model_validate(upgraded(EscalationSpec, escalation.spec, escalation.version))


def begin(incident: Incident, spec: EscalationSpec, now: datetime) -> None:
    """Begin the steps of `incident`, the first of which is taken at once; saving it is for the caller."""
    incident.step = 0
    incident.next_step_at = now + timedelta(seconds=spec.steps[0].after_s)


def person(name: str) -> Principal | None:
    """Return the user of that name who may sign in."""
    found = User.objects.filter(username=name, is_active=True).first()
    return None if found is None else of_user(found)
