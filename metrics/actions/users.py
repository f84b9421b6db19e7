"""Users: inviting them, their roles and teams, and turning accounts off."""

from collections.abc import Collection, Iterable
from datetime import timedelta

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from metrics.access.policy import CHANGE, CREATE, DELETE, check
from metrics.access.principal import Principal, Role, role_of
from metrics.actions import account, journal
from metrics.actions.errors import Errors, Invalid, Missing, check_storable
from metrics.models import Invitation, Team

ROLES = {str(role): role for role in (Role.VIEWER, Role.EDITOR, Role.ADMIN)}
INVITED_FOR = timedelta(days=7)
NOTE_MOST = 100


def find(id: int) -> User:
    """Return the user of that id. Raises Missing."""
    found = User.objects.filter(pk=id).first()
    if found is None:
        raise Missing(f"There is no user {id}.")
    return found


def invite(by: Principal, role: str, teams: Iterable[Team] = (), note: str = "") -> str:
    """Make an invitation, and return its secret, which is kept nowhere. It works once, for `INVITED_FOR`.

    Raises Forbidden, or Invalid for a role that there is not.
    """
    check(by, CREATE, Invitation)
    check_storable(note, "note")
    _check_role(role)
    if len(note) > NOTE_MOST:
        raise Invalid("note", f"A note has at most {NOTE_MOST} characters.")
    secret = Invitation.new_secret()
    until = timezone.now() + INVITED_FOR
    with transaction.atomic():
        made = Invitation.objects.create(
            digest=Invitation.digest_of(secret), note=note.strip(), role=role, by=by.name, expires_at=until
        )
        made.teams.set(teams)
        journal.record(by, "create", made, after={"role": role, "teams": sorted(team.name for team in teams)})
    return secret


def withdraw(by: Principal, id: int) -> None:
    """Make an invitation useless. Raises Forbidden or Missing."""
    with transaction.atomic():
        found = Invitation.objects.filter(pk=id).first()
        if found is None:
            raise Missing(f"There is no invitation {id}.")
        check(by, DELETE, found)
        journal.record(by, "delete", found, before={"role": found.role})
        found.delete()


def accept(secret: str, name: str, password: str, again: str, address: str | None = None) -> User:
    """Make the account that an invitation is for; it is used up then. Raises Invalid with all that is wrong."""
    errors = Errors()
    with errors:
        _check_name(name)
    with errors:
        _check_password(name, password, again)
    with transaction.atomic():
        found = (
            Invitation.objects.select_for_update()
            .filter(digest=Invitation.digest_of(secret), expires_at__gt=timezone.now())
            .first()
        )
        if found is None:
            raise Invalid("secret", "This invitation was used already, or is over. Ask for another one.")
        errors.check()
        user = User(username=name)
        user.set_password(password)
        _give(user, ROLES[found.role])
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:
            raise Invalid("name", f"There is a user {name!r} already.") from None
        user.groups.set(found.teams.all())
        by = Principal("user", f"user {name}", pk=user.pk, address=address)
        facts = {"role": found.role, "invited by": found.by, "teams": sorted(one.name for one in found.teams.all())}
        journal.record(by, "join", user, after=facts)
        found.delete()
    return user


def change(
    by: Principal,
    id: int,
    *,
    role: str | None = None,
    teams: Iterable[Team] | None = None,
    is_active: bool | None = None,
) -> User:
    """Give a user another role or other teams, or turn the account off or on; None leaves each as it is.

    Raises Forbidden, Missing, or Invalid for the last administrator. A user who is turned off is signed out everywhere.
    """
    with transaction.atomic():
        others = administrators_without([id])
        user = find(id)
        check(by, CHANGE, user)
        before = facts(user)
        if role is not None:
            _check_role(role)
            _give(user, ROLES[role])
        if is_active is not None:
            user.is_active = is_active
        if role_of(user) is not Role.ADMIN and not others:
            raise Invalid("role", f"{user} is the only administrator; make somebody else one first.")
        if not user.is_active:
            account.end(by, user)
        user.save(update_fields=["is_superuser", "is_staff", "is_active"])
        if teams is not None:
            user.groups.set(teams)
        journal.record(by, "change", user, before, facts(user))
    return user


def administrators_without(ids: Collection[int]) -> list[User]:
    """Return the administrators besides the users with these `ids`, all locked, in the transaction around this.

    So of two who take the role from each other, the slower finds that there is no other.
    """
    everyone = User.objects.select_for_update().filter(Q(is_superuser=True, is_active=True) | Q(pk__in=ids))
    return [one for one in everyone.order_by("pk") if role_of(one) is Role.ADMIN and one.pk not in ids]


def facts(user: User) -> dict[str, object]:
    """Return what the journal keeps of a user."""
    return {
        "role": str(Role.ADMIN if user.is_superuser else Role.EDITOR if user.is_staff else Role.VIEWER),
        "active": user.is_active,
        "teams": sorted(user.groups.values_list("name", flat=True)),
    }


def forget_invitations() -> None:
    """Remove the invitations that nobody can accept any more."""
    Invitation.objects.filter(expires_at__lte=timezone.now()).delete()


def _give(user: User, role: Role) -> None:
    user.is_superuser, user.is_staff = role is Role.ADMIN, role >= Role.EDITOR


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Invalid("role", f"There is no role {role!r}; there are {', '.join(ROLES)}.")


def _check_name(name: str) -> None:
    try:
        User(username=name, password="x").clean_fields(exclude=["password"])  # noqa: S106
        UnicodeUsernameValidator()(name)
    except ValidationError as problem:
        raise Invalid("name", problem.messages[0]) from None
    if User.objects.filter(username=name).exists():
        raise Invalid("name", f"There is a user {name!r} already.")


def _check_password(name: str, password: str, again: str) -> None:
    if password != again:
        raise Invalid("again", "The two passwords are not the same.")
    try:
        validate_password(password, User(username=name))
    except ValidationError as problem:
        raise Invalid("password", " ".join(problem.messages)) from None
