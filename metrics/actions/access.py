"""Permissions: of users on dashboards, of tokens on the API."""

from collections.abc import Collection
from functools import partial
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.http import HttpRequest
from django.utils import timezone

from metrics.access.principal import SYSTEM, Principal
from metrics.actions import journal
from metrics.live import bus
from metrics.models import Dashboard, Source, Token

GRANTS = {
    Token.Scope.PUSH: {Token.Scope.PUSH},
    Token.Scope.READ: {Token.Scope.READ},
    Token.Scope.ADMIN: {Token.Scope.PUSH, Token.Scope.READ, Token.Scope.ADMIN},
}
"""Scopes that a token of each scope includes."""


def sign_out(request: HttpRequest) -> None:
    """End the session of `request`, and close the sockets that were opened with it."""
    user = request.user.pk
    logout(request)
    if user is not None:
        bus.recheck(user=user)


def follow_accounts() -> None:
    """Have open sockets looked at again whenever a user or a group is changed: on a page, by a command, in a shell.

    What is written past Django's models, each process finds within a minute by itself.
    """
    post_save.connect(_user_saved, sender=User)
    post_delete.connect(_account_deleted, sender=User)
    post_delete.connect(_account_deleted, sender=Group)
    m2m_changed.connect(_members_changed, sender=User.groups.through)


def _user_saved(instance: User, created: bool, update_fields: Collection[str] | None, **_: Any) -> None:
    if not created and set(update_fields or ()) != {"last_login"}:  # which every sign-in writes
        _recheck(instance.pk)


def _account_deleted(**_: Any) -> None:
    _recheck()


def _members_changed(instance: User | Group, action: str, **_: Any) -> None:
    if action.startswith("post_"):
        _recheck(instance.pk if isinstance(instance, User) else None)


def _recheck(user: int | None = None) -> None:
    transaction.on_commit(partial(bus.recheck, user=user))


def permissions_of(user: User) -> QuerySet[Permission]:
    """Return what `user` may do, or could if the account was active again."""
    if user.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(Q(user=user) | Q(group__user=user)).distinct()


def may_manage(by: User, account: User) -> bool:
    """Return whether `by` may change `account`: only if it can do and see no more than theirs.

    Whoever sets somebody's password can be that somebody.
    """
    if by.is_superuser:
        return True
    if account.is_superuser or account.groups.exclude(user=by).exists():
        return False
    return not permissions_of(account).exclude(pk__in=permissions_of(by)).exists()


def may_manage_group(by: User, group: Group) -> bool:
    """Return whether `by` may change `group`: only if it gives nothing that they lack."""
    return by.is_superuser or not group.permissions.exclude(pk__in=permissions_of(by)).exists()


class AccessError(Exception):
    """A token that can't be made or found; the message is a sentence for the person who asked."""


def visible_dashboards(user: User | AbstractBaseUser | AnonymousUser) -> QuerySet[Dashboard]:
    """Return the dashboards that `user` may see: those for everyone, and those of the user's groups."""
    if not user.is_authenticated or not user.is_active:
        return Dashboard.objects.none()
    if isinstance(user, User) and user.is_superuser:
        return Dashboard.objects.all()
    return Dashboard.objects.filter(Q(for_everyone=True) | Q(groups__user=user.pk)).distinct()


def create_token(name: str, scope: str, by: Principal = SYSTEM) -> str:
    """Make a token and return its secret, which is kept nowhere. Raises AccessError for a name in use."""
    if not name.strip() or len(name) > 90:
        raise AccessError("A token's name has 1 to 90 characters.")
    if Token.objects.filter(name=name).exists():
        raise AccessError(f"There is a token {name!r} already; revoke it first, or choose another name.")
    secret = Token.new_secret()
    source = None
    with transaction.atomic():
        if Token.Scope.PUSH in GRANTS[Token.Scope(scope)]:
            source, _ = Source.objects.get_or_create(name=f"push: {name}", defaults={"kind": Source.PUSH})
        token = Token.objects.create(name=name, scope=scope, digest=Token.digest_of(secret), source=source)
        journal.record(by, "create", token, after={"scope": scope})
    return secret


def revoke_token(name: str, by: Principal = SYSTEM) -> None:
    """Make the token useless and free its name. Raises AccessError if there is none."""
    with transaction.atomic():
        token = Token.objects.select_for_update().filter(name=name, revoked_at=None).first()
        if token is None:
            raise AccessError(f"There is no token {name!r}.")
        journal.record(by, "revoke", token, before={"scope": token.scope})
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
