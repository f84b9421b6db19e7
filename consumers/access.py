"""Access to sockets: settled before anything is sent, and again whenever it may have changed."""

import asyncio
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.http.cookie import parse_cookie

from consumers.codes import NO_ACCESS, NO_SUCH_THING, OVER, SIGN_IN
from consumers.holders import Credential, Holder, holders
from metrics.access import links, screens, tickets
from metrics.access.policy import SEE, may, may_watch, visible
from metrics.access.principal import NOBODY, Principal, address_in, alike
from metrics.actions import variables
from metrics.actions.errors import Invalid
from metrics.live.topic import ALERTS, DASHBOARD, PERSON, ROOM, VALUES
from metrics.models import Alert, Dashboard, Room

Find = Callable[[str, Principal, int | str], int | None]


class Decision(NamedTuple):
    """The holder of a credential, and the close code if the thing they asked for is not for them.

    `id` is that of the thing, and `chosen` the values of its variables that were asked for. `holder` is `user:<id>`,
    `token:<id>`, `screen:<id>` or `link:<id>`, `name` what people call them; both are empty for nobody known. `by` is
    the holder as a principal, as it was when this was asked. The credential expires at `until` (Unix seconds).
    """

    code: int | None
    holder: str = ""
    name: str = ""
    id: int = 0
    by: Principal = NOBODY
    chosen: str = ""
    until: float = math.inf


class Question(NamedTuple):
    """May the holder of this credential follow this thing? `name` is its id, or what stands in its URL.

    `asked` are the parameters of the URL that ask for values of variables, `range` the one for a range.
    """

    credential: Credential
    kind: str
    name: int | str
    asked: tuple[tuple[str, str], ...] = ()
    range: str = ""


def header(scope: dict[str, Any], name: bytes) -> str:
    """Return a header of the handshake, "" if it was not sent."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def origin_allowed(scope: dict[str, Any]) -> bool:
    """Return whether the handshake comes from a page of ours.

    The origin must be the very host and port that was asked, or one that PUBLIC_URL names. Programs send none;
    they show a token instead of a cookie, which no other site's page can make a browser do.
    """
    origin = header(scope, b"origin")
    if not origin:
        return bool(header(scope, b"authorization"))
    try:
        same = urlsplit(origin).netloc == header(scope, b"host")
    except ValueError:  # not an address at all
        return False
    return same or origin in settings.CSRF_TRUSTED_ORIGINS


async def ticket_holder(ticket: str, path: str) -> Credential:
    """Return the credential of a ticket, which is used up; one that is none is nobody's. Raises RedisError."""
    token = await asyncio.to_thread(tickets.redeem, ticket, path)
    return Credential("", "", token) if token else Credential("", "?")


def credential(scope: dict[str, Any]) -> Credential:
    """Return what the handshake brought."""
    kind, _, secret = header(scope, b"authorization").partition(" ")
    if kind:
        return Credential("", secret if kind.lower() == "bearer" else "?")
    return Credential(_cookie(scope, settings.SESSION_COOKIE_NAME), "")


def link_credential(scope: dict[str, Any], id: str) -> Credential:
    """Return what the handshake brought of the link `id`; whoever is signed in beside it does not count."""
    return Credential("", "", link=(id, _cookie(scope, links.cookie_of(id))))


def screen_credential(scope: dict[str, Any]) -> Credential:
    """Return what the handshake brought of a paired screen; whoever is signed in beside it does not count."""
    return Credential("", "", screen=_cookie(scope, screens.COOKIE))


def asking_from(scope: dict[str, Any], by: Principal) -> Principal:
    """Return `by` with the address that the handshake came from."""
    client = scope.get("client")
    return replace(by, address=address_in(client[0]) if client else None)


def _cookie(scope: dict[str, Any], name: str) -> str:
    return parse_cookie(header(scope, b"cookie")).get(name, "")  # as pages do: other cookies may be odd


def over_code(by: Principal) -> int:
    """Return the code for a socket whose credential is over."""
    return OVER if by.shown is not None else SIGN_IN


async def holder(who: Credential) -> Holder:
    """Return the holder of a credential, in one trip to the database."""
    found = await database_sync_to_async(holders, thread_sensitive=False)([who])
    return cast(Holder, found[who])


async def judge(questions: Iterable[Question]) -> dict[Question, Decision]:
    """Return who may follow what, in one trip to the database."""
    found: dict[Question, Decision] = await _decisions(set(questions))
    return found


# Not on the one thread that all of Django's sync code shares: after a restart a thousand sockets ask at once.
@partial(database_sync_to_async, thread_sensitive=False)
def _decisions(questions: Collection[Question]) -> dict[Question, Decision]:
    known = holders({question.credential for question in questions})
    find = cache(_find)
    return {question: _decision(question, known[question.credential], find) for question in questions}


def _decision(question: Question, held: Holder, find: Find) -> Decision:
    by, holder, name, until = held
    if not holder:
        return Decision(OVER if question.credential.shows_one else SIGN_IN)
    if not may(by, SEE, Dashboard):
        return Decision(NO_ACCESS)
    # One question serves all who have this role and these teams; things for one person alone are asked for each.
    found = find(question.kind, alike(by), question.name) or find(question.kind, by, question.name)
    decision = Decision(NO_SUCH_THING if found is None else None, holder, name, found or 0, by, until=until)
    return _with_values(decision, question) if found and (question.asked or by.shown is not None) else decision


def _find(kind: str, by: Principal, name: int | str) -> int | None:
    return FINDERS[kind](by, name)


def _with_values(decision: Decision, question: Question) -> Decision:
    try:
        dashboard = Dashboard.objects.get(pk=decision.id)
        asked = variables.asked_by(decision.by, variables.asked_in(question.asked))
        if may_watch(decision.by, dashboard, question.range, asked):
            return decision._replace(chosen=variables.chosen(dashboard, asked))
    except (Dashboard.DoesNotExist, Invalid):
        pass
    return decision._replace(code=NO_SUCH_THING)


def _dashboard(by: Principal, name: int | str) -> int | None:
    """Return the id of a dashboard by its id, its slug, or a former slug of it.

    One that is not for them gets the answer of one that is not there, as on the page: its name is a secret.
    """
    seen = visible(by, Dashboard).order_by().values_list("pk", flat=True)
    if isinstance(name, int):
        return seen.filter(pk=name).first()
    return seen.filter(slug=name).first() or seen.filter(former_slugs=name).first()


def _room(by: Principal, name: int | str) -> int | None:
    """Return the id of a room by its id."""
    return visible(by, Room).order_by().filter(pk=name).values_list("pk", flat=True).first()


def _person(by: Principal, name: int | str) -> int | None:
    """Return the id of the person who asks: nobody follows the notifications of somebody else."""
    return by.pk if by.kind == "user" and name in ("", by.pk) else None


def _alerts(by: Principal, name: int | str) -> int | None:
    """Return the id of the log of events of alerts, of which everyone gets those that they may see."""
    return 0 if may(by, SEE, Alert) else None


FINDERS: dict[str, Callable[[Principal, int | str], int | None]] = {
    ALERTS: _alerts,
    DASHBOARD: _dashboard,
    VALUES: _dashboard,
    PERSON: _person,
    ROOM: _room,
}
"""For each kind of topic, the id of the thing of that name, None if there is none that the principal may follow."""
