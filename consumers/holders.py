"""Principals behind the credentials of sockets, many in a few queries: each minute checks a thousand sockets."""

import math
from collections.abc import Iterable
from importlib import import_module
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from metrics.access import links, screens
from metrics.access.bearer import bearers, valid_tokens
from metrics.access.principal import NOBODY, Principal, of_link, of_screen, of_token, of_users
from metrics.models import Link, Screen, Token


class Credential(NamedTuple):
    """The credential that a socket was opened with: the session of a browser, or the bearer token of a program.

    `token_id` is that of the token whose ticket it was opened with, `link` the id and the secret of a link, `screen`
    the secret of a paired screen.
    """

    session: str
    token: str
    token_id: int = 0
    link: tuple[str, str] | None = None
    screen: str | None = None

    @property
    def shows_one(self) -> bool:
        """Whether it is for one dashboard alone, as those of links and screens are."""
        return self.link is not None or self.screen is not None


class Holder(NamedTuple):
    """The one whom a credential stands for, as in `consumers.access.Decision`."""

    by: Principal = NOBODY
    id: str = ""
    name: str = ""
    until: float = math.inf


def holders(credentials: Iterable[Credential]) -> dict[Credential, Holder]:
    """Return the holder of each of `credentials`; one that is not valid is nobody's."""
    found: dict[Credential, Holder] = {}
    sessions: list[Credential] = []
    secrets: list[Credential] = []
    ids: list[Credential] = []
    walls: dict[Credential, str] = {}
    for one in set(credentials):
        found[one] = _of_link(*one.link) if one.link is not None else Holder()
        if one.screen is not None:
            walls[one] = one.screen
        elif one.link is None:
            (secrets if one.token else ids if one.token_id else sessions).append(one)
    paired = screens.of_secrets(walls.values())
    found |= {one: _of_screen(paired[secret]) for one, secret in walls.items() if secret in paired}
    tokens = bearers([one.token for one in secrets])
    found |= {one: _of_token(tokens[one.token]) for one in secrets if one.token in tokens}
    if ids:
        by_id = valid_tokens(timezone.now()).in_bulk([one.token_id for one in ids])
        found |= {one: _of_token(by_id[one.token_id]) for one in ids if one.token_id in by_id}
    signed_in = _of_sessions([one.session for one in sessions])
    found |= {one: signed_in[one.session] for one in sessions if one.session in signed_in}
    return found


def _of_sessions(keys: Iterable[str]) -> dict[str, Holder]:
    """Return the people who are signed in by each of the sessions with these keys."""
    users: dict[str, User] = {}
    for session in import_module(settings.SESSION_ENGINE).ReadOnlySessionStore.several(keys):
        request = HttpRequest()
        request.session = session
        if (user := get_user(request)).is_authenticated:
            users[session.session_key] = user
    principals = zip(users.items(), of_users(users.values()), strict=True)
    return {key: Holder(by, by.holder, user.get_username()) for (key, user), by in principals}


def _of_token(token: Token) -> Holder:
    by = of_token(token)
    return Holder(by, by.holder, token.name, _until(token))


def _of_screen(screen: Screen) -> Holder:
    by = of_screen(screen)
    return Holder(by, by.holder, by.name)


def _of_link(id: str, secret: str) -> Holder:
    link = links.opened(secret, int(id)) if id.isascii() and id.isdigit() and len(id) < 16 else None
    if link is None:
        return Holder()
    by = of_link(link)
    return Holder(by, by.holder, by.name, _until(link))


def _until(credential: Token | Link) -> float:
    return credential.expires_at.timestamp() if credential.expires_at else math.inf
