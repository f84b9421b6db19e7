"""Logs over sockets: `/ws/rooms/<id>/?after=…` and `/ws/notifications/?after=…`, as HTML or with `format=json`."""

import asyncio
from functools import cache, partial
from types import NoneType
from typing import Any

import structlog
from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from consumers.access import Decision
from consumers.codes import TRY_LATER
from consumers.frame import json_frame
from consumers.hub import Membership, hub
from consumers.outlet import keep
from consumers.topic import TopicConsumer, document, number
from consumers.viewer import Viewer
from metrics.actions import commands, message_changes, messages, reading
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.actions.messages import Draft
from metrics.actions.reading import Mark
from metrics.group_commit import FullError, GroupCommit
from metrics.live.topic import PERSON, ROOM, Topic
from metrics.models import Message

log = structlog.get_logger(__name__)


class LogConsumer(TopicConsumer):
    """Entries down, from the one after the number `after` on; without it, only those that come from now on."""

    message_bytes = 4 * messages.TEXT_MOST + 1024

    async def join(self, who: Decision, viewer: Viewer) -> Membership | None:
        after = number(self.asked["after"]) if "after" in self.asked else None
        return await hub().follow(Topic(self.kind, who.id), viewer, after, self.message_bytes)

    async def heard(self, membership: Membership, text: str) -> None:
        """Take an acknowledgement, which tells nothing new here; anything else is refused."""
        if type(document(text).get("ack")) is not int:
            await self.refuse('A message is {"ack": number}.')


class NotificationsConsumer(LogConsumer):
    """The notifications of the person who is signed in."""

    kind = PERSON

    def name(self) -> str:
        return ""


class RoomConsumer(LogConsumer):
    """A room: its entries down; what is said and changed in it up, which is answered by the entry that it makes.

    Something that is wrong is answered with an error, to its sender alone, and the socket stays open, unless a client
    goes on sending more than it may.
    """

    kind = ROOM
    _said: "asyncio.Future[None] | None" = None
    """The newest message that was said, which is stored after those before it."""

    def name(self) -> int:
        return int(self.scope["url_route"]["kwargs"]["id"])

    def hears(self, text: str) -> bool:
        """Take `{"typing": true}`; return whether it was that, and not too many."""
        if '"typing"' not in text or document(text) != {"typing": True}:
            return False
        if self.membership is None or not self.allowance.take():
            return False
        self.membership.type()
        return True

    async def heard(self, membership: Membership, text: str) -> None:
        viewer, said = membership.viewer, document(text)
        if type(said.get("ack")) is int:
            return
        if "say" in said:  # the next one need not wait for it, and may be stored with it
            self._said = asyncio.ensure_future(self._do(viewer, said))
            keep(self._said)
            return
        if self._said is not None:
            await asyncio.wait([self._said])
        await self._do(viewer, said)

    async def _do(self, viewer: Viewer, said: dict[str, Any]) -> None:
        about = {name: said[name] for name in ABOUT if isinstance(said.get(name), int | str)}
        try:
            if "say" in said:
                await _saying().add(_draft(viewer, said))
            elif "read" in said:
                await _read(viewer, _number(said["read"], "read"))
            else:
                await _change(viewer, said)
        except (Forbidden, FullError, Invalid, Missing) as problem:
            viewer.outlet.write(json_frame("error", {"error": str(problem), **about}))
        except DatabaseError:
            viewer.outlet.close(TRY_LATER)
        except Exception:
            log.exception("a message could not be taken")
            viewer.outlet.close(TRY_LATER)

    async def refuse(self, sentence: str) -> None:
        if self.membership is None or self.allowance.is_flooded:
            await super().refuse(sentence)
        else:
            self.membership.viewer.outlet.write(json_frame("error", {"error": sentence}))


ABOUT = ("client_id", "edit", "delete", "react")
"""Fields of a message that its error repeats, so that the sender knows which of them is refused."""
UNKNOWN = (
    'A message is {"say": text}, {"edit": number, "text"}, {"delete": number}, {"react": number, "emoji"}, '
    '{"read": number}, {"typing": true}, {"ping": …} or {"ack": number}.'
)


def _draft(viewer: Viewer, said: dict[str, Any]) -> Draft:
    """Return what a viewer says. Raises Invalid."""
    text, client_id, reply_to = said["say"], said.get("client_id", ""), said.get("reply_to", 0)
    if not isinstance(text, str) or not isinstance(client_id, str):
        raise Invalid("say", "say and client_id are texts.")
    range, at, chosen = said.get("range", ""), said.get("at"), said.get("chosen", "")
    if not isinstance(range, str) or not isinstance(chosen, str) or type(at) not in (int, float, NoneType):
        raise Invalid("range", "range and chosen are texts, and at is a time in Unix seconds.")
    files = said.get("files", [])
    if not isinstance(files, list) or not all(isinstance(key, str) for key in files):
        raise Invalid("files", "files are the keys of what was uploaded.")
    reply_to = _number(reply_to, "reply_to", least=0)
    return Draft(viewer.who.by, viewer.who.id, text, client_id, reply_to, range, at, tuple(files), chosen)


async def _read(viewer: Viewer, number: int) -> None:
    """Note how far the person of a viewer has read; of a program nobody asks."""
    by = viewer.who.by
    if by.kind == "user" and by.pk is not None:
        await _reading().add(Mark(by.pk, viewer.who.id, number))


@partial(database_sync_to_async, thread_sensitive=False)
def _change(viewer: Viewer, said: dict[str, Any]) -> None:
    """Do what a viewer wants with a message that was said. Raises Forbidden, Invalid or Missing."""
    by, room = viewer.who.by, viewer.who.id
    if "edit" in said and isinstance(said.get("text"), str):
        message_changes.edit(by, room, _number(said["edit"], "edit"), said["text"])
    elif "delete" in said:
        message_changes.delete(by, room, _number(said["delete"], "delete"))
    elif "react" in said and isinstance(said.get("emoji"), str):
        message_changes.react(by, room, _number(said["react"], "react"), said["emoji"])
    else:
        raise Invalid("", UNKNOWN)


def _number(value: Any, field: str, least: int = 1) -> int:
    if type(value) is not int or not least <= value < 2**63:
        raise Invalid(field, f"{field}: it is the number of a message.")
    return value


@cache
def _reading() -> GroupCommit[Mark, bool]:
    """Return what notes what is read in this process, all that comes meanwhile in one transaction."""
    return GroupCommit("read", reading.mark)


@cache
def _saying() -> GroupCommit[Draft, Message | Exception]:
    """Return what stores the messages of this process, all that come meanwhile in one transaction."""
    return GroupCommit("say", commands.say_all)
