"""Teams: making, renaming and removing them, and which of them a thing belongs to."""

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Model

from metrics.access.policy import CHANGE, CREATE, DELETE, check
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import journal, tokens
from metrics.actions.errors import Invalid, Missing, check_storable
from metrics.models import Team
from metrics.models.team import Shared

NAME_MOST = 100


def find(id: int) -> Team:
    """Return the team of that id. Raises Missing."""
    found = Team.objects.filter(pk=id).first()
    if found is None:
        raise Missing(f"There is no team {id}.")
    return found


def create(by: Principal, name: str) -> Team:
    """Make a team. Raises Forbidden, or Invalid for a name that can't be."""
    check(by, CREATE, Team)
    made = Team(name=_checked(name))
    with transaction.atomic():
        _save(made)
        journal.record(by, "create", made)
    return made


def rename(by: Principal, id: int, name: str) -> Team:
    """Give a team another name. Raises Forbidden, Missing and Invalid."""
    with transaction.atomic():
        team = find(id)
        check(by, CHANGE, team)
        before, team.name = {"name": team.name}, _checked(name)
        _save(team)
        journal.record(by, "change", team, before, {"name": team.name})
    return team


def set_members(by: Principal, id: int, users: Iterable[User]) -> None:
    """Make `users` the members of a team. Raises Forbidden and Missing."""
    with transaction.atomic():
        team = find(id)
        check(by, CHANGE, team)
        before = _members(team)
        team.user_set.set(users)
        journal.record(by, "change", team, {"members": before}, {"members": _members(team)})


def delete(by: Principal, id: int) -> None:
    """Remove a team. Things that only its members saw are then seen by administrators only, and tokens of no other team
    are revoked.

    Raises Forbidden and Missing.
    """
    with transaction.atomic():
        team = find(id)
        check(by, DELETE, team)
        journal.record(by, "delete", team, {"members": _members(team)})
        tokens.revoke_of(by, [team])
        team.delete()


def named(names: Iterable[str], field: str = "access.teams") -> list[Team]:
    """Return the teams of these names. Raises Invalid if there is none of one."""
    wanted = set(names)
    found = list(Team.objects.filter(name__in=wanted))
    unknown = wanted - {team.name for team in found}
    if unknown:
        raise Invalid(field, f"{field}: there is no team {min(unknown)!r}.")
    return found


def check_sharing(by: Principal, before: Iterable[Model], after: Iterable[Model], field: str = "access.teams") -> None:
    """Raise Invalid if `by` gives a thing to a team that they are not in, or takes it from one.

    A dashboard draws all that its teams may see: who could give it to any team could read the data of all.
    """
    if by.sees_all:
        return
    foreign = [team for team in set(before) ^ set(after) if team.pk not in (by.teams or ())]
    if foreign:
        names = ", ".join(sorted(str(team) for team in foreign))
        raise Invalid(field, f"{field}: only a member, or an administrator, may give things to {names}, or take them.")


def access_of(thing: Shared) -> Access:
    """Return the people who may see a thing."""
    return Access(everyone=thing.for_everyone, teams=[team.name for team in thing.teams.all()])


def owners(by: Principal, before: Iterable[Team], access: Access) -> list[Team]:
    """Return the teams that `access` names. Raises Invalid if `by` may not give them a thing of the teams `before`."""
    found = named(access.teams)
    check_sharing(by, before, found)
    return found


def _members(team: Team) -> Sequence[str]:
    return sorted(team.user_set.values_list("username", flat=True))


def _checked(name: str) -> str:
    check_storable(name, "name")
    if not name.strip() or len(name) > NAME_MOST:
        raise Invalid("name", f"A team's name has 1 to {NAME_MOST} characters.")
    return name.strip()


def _save(team: Team) -> None:
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError:
        raise Invalid("name", f"There is a team {team.name!r} already.") from None
