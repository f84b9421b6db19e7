"""The audience of an incident: the people and the channels that its teams say, step by step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import F, Q

from metrics.actions import channels, odd_rows, on_call
from metrics.actions.notifications import EVERYONE
from metrics.alerts.escalation import CHANNELS, ON_CALL, TEAM, USUAL, EscalationSpec, Step, stored
from metrics.models import Channel, Escalation, Incident, Schedule, Team


@dataclass(slots=True)
class Audience:
    """All who are told of an incident: `people` as notifications are addressed, and channels."""

    people: list[str] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)


def of_teams(teams: Iterable[Team]) -> EscalationSpec:
    """Return how `teams` answer together: as the first of them that says it, by name; else as the installation does."""
    ids = [team.pk for team in sorted(teams, key=lambda team: team.name)]
    rows = {row.team_id: row for row in Escalation.objects.filter(team__in=ids)}
    every = [*(rows[pk] for pk in ids if pk in rows), *Escalation.objects.filter(team=None)]
    for row in every:
        try:
            return spec_of(row)
        except ValueError as problem:  # a later release stored it: people are told all the same
            odd_rows.left_out(row, problem)
    return USUAL


def spec_of(escalation: Escalation) -> EscalationSpec:
    """Return the document of a row. Raises ValueError for one that a later release stored."""
    return stored(escalation.spec, escalation.version)


def _on_call(name: str, teams: Sequence[Team], at: float) -> list[str]:
    """Return the people who are on call at a time by the schedule `name`, one of `teams` before others of that name."""
    rows = list(Schedule.objects.filter(name=name).prefetch_related("teams"))
    theirs = [row for row in rows if {team.pk for team in teams} & {team.pk for team in row.teams.all()}]
    return [f"user:{user.get_username()}" for row in (theirs or rows)[:1] for user in on_call.now(row, at)]


def of_incident(incident: Incident, at: float) -> Audience:
    """Return all who are told of what happens `at` (Unix seconds): those of the steps that were taken by now."""
    spec = of_teams(incident.teams.all())
    return of_steps(incident, spec.steps[: incident.step], at)


def of_incidents(incidents: Iterable[Incident], at: float) -> dict[int, Audience]:
    """Return the same for several, by their ids: those that are alike in all that counts are asked for once."""
    found: dict[int, Audience] = {}
    known: dict[tuple[frozenset[int], bool, int], Audience] = {}
    for one in incidents:
        alike = (frozenset(team.pk for team in one.teams.all()), one.for_everyone, one.step)
        if alike not in known:
            known[alike] = of_incident(one, at)
        found[one.pk] = known[alike]
    return found


def of_steps(incident: Incident, steps: Sequence[Step], at: float) -> Audience:
    """Return all whom `steps` name, with those who are on call at that time (Unix seconds)."""
    found, teams = Audience(), list(incident.teams.all())
    for to in dict.fromkeys(to for step in steps for to in step.tell):
        what, _, name = to.partition(":")
        if to == TEAM:
            found.people += [f"team:{team.name}" for team in teams] or ([EVERYONE] if incident.for_everyone else [])
        elif to == CHANNELS:
            found.channels += channels.of_teams(teams)
        elif what == "channel":
            theirs = Q(team__in=[team.pk for team in teams]) | Q(team=None)
            named = Channel.objects.filter(theirs, name=name, enabled=True)
            found.channels += list(named.order_by(F("team").asc(nulls_last=True), "position")[:1])
        elif what == ON_CALL:
            found.people += _on_call(name, teams, at)
        else:
            found.people.append(to)
    found.people = list(dict.fromkeys(found.people))
    found.channels = list({one.pk: one for one in found.channels}.values())
    return found
