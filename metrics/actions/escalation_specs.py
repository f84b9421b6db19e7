"""How teams answer, and the installation for those that do not say: looking at it, and changing it."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from pydantic import ValidationError

from metrics.access.policy import ACKNOWLEDGE, CHANGE, check, may, visible
from metrics.access.principal import Principal, of_user
from metrics.actions import audience, channels, journal, odd_rows
from metrics.actions.errors import Errors, Invalid, Missing, check_storable, sentences
from metrics.actions.suggested import MOST, Suggested, people
from metrics.alerts.escalation import CHANNELS, NAMED, ON_CALL, TEAM, USUAL, WORDS, EscalationSpec
from metrics.models import Alert, Channel, Escalation, Schedule, Team


def find(by: Principal, team: str) -> Escalation:
    """Return how the team of that name answers, the installation for ""; a new row if nobody said it yet.

    Raises Missing, also if the team is not for `by` to see.
    """
    owner = None
    if team:
        owner = visible(by, Team).filter(name=team).first()
        if owner is None:
            raise Missing(f"There is no team {team!r}.")
    found = visible(by, Escalation).filter(team=owner).select_related("team").first()
    return found or Escalation(team=owner, spec=_written(_instead(owner)))


def spec_of(escalation: Escalation) -> EscalationSpec:
    """Return the document of a row; of one that this release can't read, how is answered instead."""
    try:
        return audience.spec_of(escalation)
    except ValueError as problem:
        odd_rows.left_out(escalation, problem)
        return _instead(escalation.team)


def put(by: Principal, team: str, document: Mapping[str, Any]) -> Escalation:
    """Have a team, or the installation for "", answer as `document` says, which has `EscalationSpec`'s form.

    Incidents that are open follow it from their next step on. Raises Missing, Forbidden, and Invalid with everything
    that is wrong.
    """
    with transaction.atomic():
        escalation = find(by, team)
        check(by, CHANGE, escalation)
        spec = checked(by, document, escalation.team)
        before = facts(escalation) if escalation.pk else None
        escalation.spec, escalation.version = _written(spec), spec.version
        escalation.save()
        journal.record(by, "change" if before else "create", escalation, before, facts(escalation))
    return escalation


def reset(by: Principal, team: str) -> None:
    """Have a team say nothing of its own any more: it answers as the installation does, and that as usual.

    Raises Missing, also if it says nothing, and Forbidden.
    """
    with transaction.atomic():
        escalation = find(by, team)
        check(by, CHANGE, escalation)
        if escalation.pk is None:
            raise Missing(f"{f'The team {team}' if team else 'The installation'} says nothing of its own.")
        journal.record(by, "delete", escalation, before=facts(escalation))
        escalation.delete()


def checked(by: Principal, document: Mapping[str, Any], team: Team | None) -> EscalationSpec:
    """Return `document` as a spec whose people, teams, schedules and channels there are for `by`. Raises Invalid."""
    check_storable(dict(document), "escalation")
    try:
        spec = EscalationSpec.model_validate(document)
    except ValidationError as problem:
        first, *others = sentences(problem, "")
        raise Invalid(*first, *others) from None
    errors = Errors()
    for number, step in enumerate(spec.steps):
        field = f"steps.{number}.tell"
        errors.found += [(field, f"{field}: {said}") for one in step.tell for said in _unknown(by, one, team)]
    errors.check()
    return spec


def gaps(spec: EscalationSpec, team: Team | None) -> list[str]:
    """Return in sentences whom the steps of a team, or of the installation, name and who can't answer.

    Some are not there yet, and viewers acknowledge nothing.
    """
    told = {one for step in spec.steps for one in step.tell}
    named = User.objects.filter(username__in=[one.removeprefix("user:") for one in told if one.startswith("user:")])
    found = [
        f"{one.get_username()} is a viewer: viewers are told of alerts, and only editors can acknowledge them."
        for one in named.order_by("username")
        if not may(of_user(one), ACKNOWLEDGE, Alert)
    ]
    teams = [team] if team is not None and TEAM in told else []
    names = [one.removeprefix(f"{TEAM}:") for one in told if one.startswith(f"{TEAM}:")]
    found += [said for one in dict.fromkeys([*teams, *Team.objects.filter(name__in=names)]) for said in _gap(one)]
    if team is not None and CHANNELS in told and not channels.of_teams([team]):
        found.append(f"{team} has no channel yet, so nobody is told outside of these pages.")
    return found


def _gap(team: Team) -> Iterator[str]:
    """Yield what keeps everybody in `team` from answering."""
    members = team.user_set.filter(is_active=True)
    if not members:
        yield f"{team} has no members yet."
    elif not any(may(of_user(one), ACKNOWLEDGE, Alert) for one in members):
        yield f"{team} has no members but viewers: they are told of alerts, and only editors can acknowledge them."


def suggestions(by: Principal, team: Team | None, typed: str) -> list[Suggested]:
    """Return whom a step of `team` may tell, of those that are for `by` to see: what goes on from what was `typed`.

    That is a word such as team, or a part of a name, with or without its sort before it, as in user:ann.
    """
    what, colon, name = (part.strip() for part in typed.replace("\x00", "").partition(":"))
    begun = what.lower()
    found = [] if colon else [Suggested(one, SORTS[one]) for one in WORDS if one.startswith(begun)]
    for sort in NAMED:
        if not colon or sort == begun:
            part = name if colon else "" if sort.startswith(begun) else what
            found += [Suggested(f"{sort}:{one.text}", one.about) for one in _named(by, sort, team, part)]
    return found


SORTS = {
    "team": "team",
    "everyone": "all who may see it",
    "channels": "all channels of the team",
    ON_CALL: "schedule",
    "channel": "channel",
}
"""Those that steps may tell, in words."""


def _named(by: Principal, sort: str, team: Team | None, part: str) -> list[Suggested]:
    """Return the names of a sort that have `part`, the first ones of them."""
    if sort == "user":
        return people(part)
    rows: QuerySet[Any] = {
        "team": visible(by, Team),
        ON_CALL: visible(by, Schedule),
        "channel": visible(by, Channel).filter(Q(team=team) | Q(team=None)),
    }[sort]
    names = rows.filter(name__icontains=part).order_by("name").values_list("name", flat=True).distinct()
    return [Suggested(one, SORTS[sort]) for one in names[:MOST]]


def facts(escalation: Escalation) -> dict[str, Any]:
    """Return what the journal keeps of how somebody answers."""
    return spec_of(escalation).model_dump(mode="json", by_alias=True)


def _unknown(by: Principal, to: str, team: Team | None) -> Iterator[str]:
    what, _, name = to.partition(":")
    if what == "user" and not User.objects.filter(username=name, is_active=True).exists():
        yield f"there is no user {name!r} who may sign in."
    if what == "team" and name and not Team.objects.filter(name=name).exists():
        yield f"there is no team {name!r}."
    if what == ON_CALL and not visible(by, Schedule).filter(name=name).exists():
        yield f"there is no schedule {name!r}."
    if what == "channel" and not Channel.objects.filter(Q(team=team) | Q(team=None), name=name).exists():
        yield f"there is no channel {name!r} of this team or of the installation."


def _instead(team: Team | None) -> EscalationSpec:
    """Return how a team answers that does not say it."""
    return audience.of_teams([team]) if team is not None else USUAL


def _written(spec: EscalationSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
