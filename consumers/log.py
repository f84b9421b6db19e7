"""Logs over sockets: `/ws/rooms/<id>/?after=…` and `/ws/notifications/?after=…`, as HTML or with `format=json`."""

from functools import cache

from django.db import Error as DatabaseError

from consumers.access import Decision
from consumers.codes import TRY_LATER
from consumers.frame import json_frame
from consumers.hub import Membership, hub
from consumers.outlet import close
from consumers.topic import TopicConsumer, document, number
from consumers.viewer import Viewer
from metrics.actions import messages
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.actions.messages import Draft
from metrics.group_commit import FullError, GroupCommit
from metrics.live.topic import PERSON, ROOM, Topic
from metrics.models import Message


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
    """A room: its messages down; `{"say": text, "client_id": "…"}` up, which is answered by the message itself."""

    kind = ROOM

    def name(self) -> int:
        return int(self.scope["url_route"]["kwargs"]["id"])

    async def heard(self, membership: Membership, text: str) -> None:
        said = document(text)
        if not isinstance(said.get("say"), str) or not isinstance(said.get("client_id", ""), str):
            await super().heard(membership, text)
            return
        viewer = membership.viewer
        draft = Draft(viewer.who.by, viewer.who.id, said["say"], said.get("client_id", ""))
        try:
            await _saying().add(draft)
        except (Forbidden, FullError, Invalid, Missing) as problem:
            about = {"client_id": draft.client_id} if draft.client_id else {}
            viewer.outlet.write(json_frame("error", {"error": str(problem), **about}))
        except DatabaseError:
            await close(self.base_send, TRY_LATER)


@cache
def _saying() -> GroupCommit[Draft, Message | Exception]:
    """Return what stores the messages of this process, all that come meanwhile in one transaction."""
    return GroupCommit("say", messages.say_all)
