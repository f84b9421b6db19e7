"""Tokens: making and revoking the credentials of programs."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from metrics.access.policy import CHANGE, CREATE, DELETE, PUSH, check, may, visible
from metrics.access.principal import Principal, of_token
from metrics.actions import journal
from metrics.actions.errors import Invalid, Missing, check_storable
from metrics.emoji import is_emoji
from metrics.live import bus
from metrics.models import Source, Team, Token

NAME_MOST = 90


def create(
    by: Principal,
    name: str,
    scope: str,
    teams: Iterable[Team] = (),
    expires_at: datetime | None = None,
    face: str = "",
) -> str:
    """Make a token and return its secret, which is kept nowhere.

    An editor makes tokens for teams of their own, an administrator any. Raises Forbidden, or Invalid for a name that is
    in use, a scope that there is not, a moment that is over, or a `face` that is no emoji.
    """
    check(by, CREATE, Token)
    check_storable(name, "name")
    name, teams = name.strip(), list(teams)
    if not 1 <= len(name) <= NAME_MOST:
        raise Invalid("name", f"A token's name has 1 to {NAME_MOST} characters.")
    if scope not in Token.Scope.values:
        raise Invalid("scope", f"There is no scope {scope!r}; there are {', '.join(Token.Scope.values)}.")
    _check_face(face)
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("expires_at", "A token expires in the future, or never.")
    taken = Invalid("name", f"There is a token {name!r} already; revoke it first, or choose another name.")
    if Token.objects.filter(name=name).exists():
        raise taken
    _check_teams(by, scope, teams)
    secret = Token.new_secret()
    with transaction.atomic():
        digest = Token.digest_of(secret)
        try:
            with transaction.atomic():
                token = Token.objects.create(name=name, scope=scope, digest=digest, expires_at=expires_at, face=face)
        except IntegrityError:  # another took the name meanwhile
            raise taken from None
        token.teams.set(teams)
        if may(of_token(token), PUSH, token):
            token.source = _source(by, name, teams)
            token.save(update_fields=["source"])
        facts: dict[str, object] = {"scope": scope, "teams": sorted(team.name for team in teams)}
        facts |= {"expires": expires_at.isoformat()} if expires_at else {}
        journal.record(by, "create", token, after=facts | {"face": face})
    return secret


def set_face(by: Principal, name: str, face: str) -> None:
    """Give a token the emoji that stands before its name in rooms, or none.

    Raises Forbidden, Missing, or Invalid.
    """
    _check_face(face)
    with transaction.atomic():
        token = _found(by, name)
        check(by, CHANGE, token)
        journal.record(by, "change", token, {"face": token.face}, {"face": face})
        token.face = face
        token.save(update_fields=["face"])


def revoke(by: Principal, name: str) -> None:
    """Make a token useless and free its name. Raises Missing or Forbidden."""
    with transaction.atomic():
        token = _found(by, name)
        check(by, DELETE, token)
        _end(by, token)


def revoke_of(by: Principal, teams: Collection[Group]) -> None:
    """Revoke the tokens that are bound to `teams` alone, which are about to go: unbound they would act for all teams.

    In the transaction that removes the teams.
    """
    of_teams, ids = Token.teams.through.objects, [team.pk for team in teams]
    valid = Token.objects.select_for_update().filter(revoked_at=None)
    concerned = list(valid.filter(pk__in=of_teams.filter(team_id__in=ids).values("token_id")))
    others = of_teams.exclude(team_id__in=ids).filter(token__in=concerned)
    stay = set(others.values_list("token_id", flat=True))
    for token in concerned:
        if token.pk not in stay:
            _end(by, token)


def _end(by: Principal, token: Token) -> None:
    journal.record(by, "revoke", token, before={"scope": token.scope})
    token.revoked_at = timezone.now()
    token.name = f"{token.name[:70]} (revoked {token.pk})"
    token.source = None
    token.save(update_fields=["revoked_at", "name", "source"])
    transaction.on_commit(bus.recheck)


def _found(by: Principal, name: str) -> Token:
    """Return the valid token of that name, locked. Raises Missing."""
    token = Token.objects.select_for_update().filter(name=name, revoked_at=None).first()
    if token is None or not visible(by, Token).filter(pk=token.pk).exists():
        raise Missing(f"There is no token {name!r}.")
    return token


def _check_face(face: str) -> None:
    if face and not is_emoji(face):
        raise Invalid("face", "A token's face is one emoji, or none.")


def _check_teams(by: Principal, scope: str, teams: list[Team]) -> None:
    if scope == Token.Scope.ADMIN and teams:
        raise Invalid("teams", "A token with the scope admin does everything, and is bound to no team.")
    check(by, CREATE, Token(scope=scope))
    if not by.sees_all and (not teams or any(team.pk not in (by.teams or ()) for team in teams)):
        raise Invalid("teams", "A token of yours is bound to one or more of your teams.")


def _source(by: Principal, name: str, teams: list[Team]) -> Source:
    """Return the source of what a token pushes; a new one belongs to the token's teams, and is for everyone to see.

    Raises Invalid if the name is that of a source that is not pushed, or that `by` may not change.
    """
    source, is_new = Source.objects.get_or_create(name=f"push: {name}", defaults={"kind": Source.PUSH})
    if is_new:
        source.teams.set(teams)
    elif source.kind != Source.PUSH or not may(by, CHANGE, source):
        raise Invalid("name", f"There is a source {source.name!r} already; choose another name.")
    return source
