"""The consumer that all topics share: accept, ask who may follow, join, hear, leave."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import structlog
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseError
from redis import RedisError

from consumers.access import (
    Decision,
    Question,
    asking_from,
    credential,
    link_credential,
    origin_allowed,
    ticket_holder,
)
from consumers.codes import NO_ACCESS, NO_SUCH_THING, REFUSED_MESSAGE, TRY_LATER
from consumers.frame import json_frame
from consumers.holders import Credential
from consumers.hub import Membership, hub
from consumers.limits import MESSAGE_BYTES, Allowance
from consumers.outlet import Send, close, outlet
from consumers.viewer import Viewer

log = structlog.get_logger(__name__)

FORMATS = ("html", "json")
Receive = Callable[[], Awaitable[dict[str, Any]]]


class TopicConsumer(AsyncWebsocketConsumer, ABC):
    """One socket that follows one topic of `kind`; subclasses say which, and what may be sent up."""

    # The hub is subscribed for all sockets; a channel of its own for each would be a subscription each.
    channel_layer_alias = ""

    kind = ""
    formats: tuple[str, ...] = FORMATS
    """Forms of the frames; the first one is the usual."""
    message_bytes = MESSAGE_BYTES
    membership: Membership | None = None
    asked: dict[str, str]
    asked_values: tuple[tuple[str, str], ...] = ()
    credential: Credential

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one socket, as Channels does, without its second task for a channel that there is not."""
        self.scope, self.base_send = scope, send
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            return

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle a message without Channels' look at idle database connections, a thread hop per message."""
        handler = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self._disconnected,
        }[message["type"]]
        await handler(message)

    async def connect(self) -> None:
        # A browser can't tell a refused handshake from a dead server: so accept, and then say why not.
        await self.accept()
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        self.asked = {name: values[-1] for name, values in query.items()}
        self.asked.setdefault("format", self.formats[0])
        self.asked_values = self.variables(query)
        who = await self._judged()
        if who.code is not None:
            await self.close(who.code)
            return
        self.allowance = Allowance()
        viewer = Viewer(outlet(self.scope, self.base_send), self.credential, who, asked=self.asked)
        self.membership = await self.join(who, viewer)
        viewer.outlet.listen(self.hears)
        scope_headers: list[Any] = self.scope["headers"]
        scope_headers.clear()  # whoever routed this holds the scope, but nobody asks for them again

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.membership is None or (text_data is not None and self.hears(text_data)):
            return
        if not self.allowance.take():
            await self.refuse("Too many messages.")
        elif text_data is None or len(text_data) > self.message_bytes:
            await self.refuse(f"A message is text of at most {self.message_bytes} characters.")
        elif (ping := _ping(text_data)) is not None:
            self.membership.viewer.outlet.write(json_frame("pong", {"ping": ping, "time": time.time()}))
        else:
            await self.heard(self.membership, text_data)

    # --- For each kind of topic -------------------------------------------------------------------------

    @abstractmethod
    def name(self) -> int | str:
        """Return the id of the thing to follow, or its name in the URL."""

    def variables(self, query: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
        """Return what the query asks of variables, as pairs of names and values."""
        return ()

    def checked(self, who: Decision) -> Decision:
        """Return the decision after a look at what was `asked` in the query."""
        return who if self.asked["format"] in self.formats else Decision(NO_SUCH_THING)

    @abstractmethod
    async def join(self, who: Decision, viewer: Viewer) -> Membership | None:
        """Let `viewer` follow the thing that `who` may follow."""

    def hears(self, text: str) -> bool:
        """Take a text at once, without a queue and a task; False if `heard` is to take it."""
        return False

    @abstractmethod
    async def heard(self, membership: Membership, text: str) -> None:
        """Take a text that is no ping."""

    # ----------------------------------------------------------------------------------------------------

    async def refuse(self, sentence: str) -> None:
        """Tell the client what is wrong with what it sent, and hear nothing more from it."""
        self._leave()
        await self.send(json_frame("error", {"error": sentence}).text)
        await close(self.base_send, REFUSED_MESSAGE)

    async def _disconnected(self, message: dict[str, Any]) -> None:
        self._leave()
        raise StopConsumer

    def _leave(self) -> None:
        if self.membership is not None:
            self.membership.leave()
            self.membership = None

    async def _credential(self) -> Credential:
        """Return what the handshake brought: a ticket in the query, the cookie of a link named there, or a header."""
        if "ticket" in self.asked:
            return await ticket_holder(self.asked["ticket"], self.scope["path"])
        if "link" in self.asked:
            return link_credential(self.scope, self.asked["link"])
        return credential(self.scope)

    async def _judged(self) -> Decision:
        if "ticket" not in self.asked and not origin_allowed(self.scope):
            return Decision(NO_ACCESS)
        early = self.checked(Decision(None))
        if early.code is not None:
            return early
        try:
            self.credential = await self._credential()
            range = self.asked.get("range", "") if self.credential.shows_one else ""  # all others may see any
            question = Question(self.credential, self.kind, self.name(), self.asked_values, range)
            decision = await hub().batcher.judge(question)
        except RedisError:
            return Decision(TRY_LATER)
        except DatabaseError as error:
            log.warning("a page was sent away, the database does not answer", error=str(error))
            return Decision(TRY_LATER)
        decision = decision._replace(by=asking_from(self.scope, decision.by))
        return decision if decision.code is not None else self.checked(decision)


def number(text: str) -> int:
    """Return a number that came in a query, 0 for what is none."""
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _ping(text: str) -> int | str | None:
    """Return the value of `{"ping": value}`, None for anything else."""
    if '"ping"' not in text:
        return None
    found = document(text)
    value = found.get("ping")
    return value if len(found) == 1 and type(value) in (int, str) else None


def document(text: str) -> dict[str, Any]:
    """Return the object that `text` is as JSON, an empty one for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
