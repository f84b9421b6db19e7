"""Signing out, and having open sockets looked at again when accounts change."""

from collections.abc import Collection
from functools import partial
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.http import HttpRequest

from metrics.access.principal import SYSTEM
from metrics.live import bus
from metrics.models import Team


def sign_out(request: HttpRequest) -> None:
    """End the session of `request`, and close the sockets that were opened with it."""
    user = request.user.pk
    logout(request)
    if user is not None:
        bus.recheck(user=user)


def follow_accounts() -> None:
    """Have open sockets looked at again whenever a user or a team is changed: on a page, by a command, in a shell.

    Another password ends what belonged to the former one, turning an account off its sessions, and deleting a team the
    tokens that are for it alone.

    Changes that pass by Django's models, each process finds within a minute by itself.
    """
    post_save.connect(_user_saved, sender=User)
    for team in (Group, Team):
        pre_delete.connect(_team_goes, sender=team)
    for model in (User, Group, Team):
        post_delete.connect(_account_deleted, sender=model)
    m2m_changed.connect(_members_changed, sender=User.groups.through)


def _user_saved(instance: User, created: bool, update_fields: Collection[str] | None, **_: Any) -> None:
    """Have what belongs to the former password, or to an account that is off, end, whoever changed it and how."""
    from metrics.actions import account  # which needs much that most processes never do

    is_new_password = getattr(instance, "_password", None) is not None  # until Django told its validators
    if not created and (is_new_password or not instance.has_usable_password()):
        account.forget_subscriptions(instance)
    if not created and not instance.is_active:
        account.end(SYSTEM, instance)
    if not created and set(update_fields or ()) != {"last_login"}:  # which every sign-in writes
        _recheck(instance.pk)


def _team_goes(instance: Group, origin: Model | QuerySet[Any], **_: Any) -> None:
    """Revoke the tokens that only the teams that are deleted together were bound to."""
    from metrics.actions import tokens

    tokens.revoke_of(SYSTEM, list(origin) if isinstance(origin, QuerySet) else [instance])


def _account_deleted(**_: Any) -> None:
    _recheck()


def _members_changed(instance: User | Group, action: str, **_: Any) -> None:
    if action.startswith("post_"):
        _recheck(instance.pk if isinstance(instance, User) else None)


def _recheck(user: int | None = None) -> None:
    transaction.on_commit(partial(bus.recheck, user=user))
