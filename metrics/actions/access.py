"""Who may do what: users on dashboards, tokens on the API."""

from dataclasses import dataclass
from functools import partial

from django.contrib.auth import logout
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from metrics.live import bus
from metrics.models import Dashboard, Source, Token

GRANTS = {
    Token.Scope.PUSH: {Token.Scope.PUSH},
    Token.Scope.READ: {Token.Scope.READ},
    Token.Scope.ADMIN: {Token.Scope.PUSH, Token.Scope.READ, Token.Scope.ADMIN},
}
"""What a token of a scope may do."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: `name` for the log, whether it is an administrator, and what else it has the right to.

    `rights` are some of add, change and delete, and of sources; an administrator has all of them.
    """

    name: str
    is_admin: bool = False
    rights: frozenset[str] = frozenset()

    def may(self, right: str) -> bool:
        return self.is_admin or right in self.rights


SYSTEM = Actor("watchfloor", is_admin=True)


def actor_of_user(user: User | AbstractBaseUser | AnonymousUser) -> Actor:
    """Return `user` as one who does something with sources; who is not staff only looks."""
    if not isinstance(user, User) or not user.is_active:
        return Actor("nobody")
    rights = (right for right in ("add", "change", "delete") if user.has_perm(f"metrics.{right}_source"))
    return Actor(f"user {user.get_username()}", user.is_superuser, frozenset(rights if user.is_staff else ()))


def actor_of_token(token: Token) -> Actor:
    """Return the holder of `token` as one who does something with sources."""
    return Actor(f"token {token.name}", is_admin=token.scope == Token.Scope.ADMIN)


def sign_out(request: HttpRequest) -> None:
    """End the session of `request`, and close the sockets that were opened with it."""
    user = request.user.pk
    logout(request)
    if user is not None:
        bus.recheck(user=user)


def user_changed(user: User) -> None:
    """Have the open sockets of `user` looked at again, after their groups, password or state were changed."""
    transaction.on_commit(partial(bus.recheck, user=user.pk))


def access_changed() -> None:
    """Have every open socket looked at again, after a group, a password or a user was changed or deleted."""
    transaction.on_commit(bus.recheck)


class AccessError(Exception):
    """A token that can't be made or found; the message is a sentence for the person who asked."""


def visible_dashboards(user: User | AbstractBaseUser | AnonymousUser) -> QuerySet[Dashboard]:
    """Return the dashboards that `user` may see: those for everyone, and those of the user's groups."""
    if not user.is_authenticated or not user.is_active:
        return Dashboard.objects.none()
    if isinstance(user, User) and user.is_superuser:
        return Dashboard.objects.all()
    return Dashboard.objects.filter(Q(for_everyone=True) | Q(groups__user=user.pk)).distinct()


def create_token(name: str, scope: str) -> str:
    """Make a token and return its secret, which is kept nowhere. Raises AccessError for a name in use."""
    if not name.strip() or len(name) > 90:
        raise AccessError("A token's name has 1 to 90 characters.")
    if Token.objects.filter(name=name).exists():
        raise AccessError(f"There is a token {name!r} already; revoke it first, or choose another name.")
    secret = Token.new_secret()
    source = None
    if Token.Scope.PUSH in GRANTS[Token.Scope(scope)]:
        source, _ = Source.objects.get_or_create(name=f"push: {name}", defaults={"kind": Source.PUSH})
    Token.objects.create(name=name, scope=scope, digest=Token.digest_of(secret), source=source)
    return secret


def revoke_token(name: str) -> None:
    """Make the token useless and free its name. Raises AccessError if there is none."""
    token = Token.objects.filter(name=name, revoked_at=None).first()
    if token is None:
        raise AccessError(f"There is no token {name!r}.")
    token.revoked_at = timezone.now()
    token.name = f"{name[:70]} (revoked {token.pk})"
    token.source = None
    token.save(update_fields=["revoked_at", "name", "source"])
    transaction.on_commit(bus.recheck)


def find_token(secret: str) -> Token | None:
    """Return the token of `secret`, unless it is revoked."""
    return Token.objects.select_related("source").filter(digest=Token.digest_of(secret), revoked_at=None).first()


def grants(token: Token, scope: str) -> bool:
    """Return whether `token` may do what `scope` names."""
    return scope in GRANTS[Token.Scope(token.scope)]


def dashboard_exists(slug: str) -> bool:
    """Return whether there is a dashboard `slug`, visible or not."""
    return Dashboard.objects.filter(slug=slug).exists()
