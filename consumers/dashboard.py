"""The dashboard consumer: one socket of one variant. It lets in, joins the hub, and hears acknowledgements."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import structlog
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseError

from consumers.access import Decision, Question, credential, origin_allowed
from consumers.codes import NO_ACCESS, NO_SUCH_THING, REFUSED_MESSAGE, TRY_LATER
from consumers.hub import Membership, hub
from consumers.limits import MESSAGE_BYTES, Allowance
from consumers.outlet import Send, close, outlet
from consumers.viewer import Viewer
from metrics.live.topic import DASHBOARD, variant
from metrics.widgets.ranges import RANGES_S

log = structlog.get_logger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]


class DashboardConsumer(AsyncWebsocketConsumer):
    """`/ws/dashboards/<slug>/?range=1h&epoch=…&version=…`: frames of HTML down, `{"ack": version}` up."""

    # The hub is subscribed for all sockets; a channel of its own for each would be a subscription each.
    channel_layer_alias = ""

    membership: Membership | None = None

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
        slug = self.scope["url_route"]["kwargs"]["slug"]
        asked = {name: values[-1] for name, values in parse_qs(self.scope["query_string"].decode("latin-1")).items()}
        who = await self._judged(slug, asked.get("range", ""))
        if who.code is None and asked.get("dashboard", str(who.id)) != str(who.id):
            who = Decision(NO_SUCH_THING)  # the slug is another dashboard's by now
        if who.code is not None:
            await self.close(who.code)
            return
        self.allowance = Allowance()
        viewer = Viewer(outlet(self.scope, self.base_send), credential(self.scope), who)
        self.membership = await hub().join(
            variant(who.id, asked["range"]), viewer, asked.get("epoch", ""), _number(asked.get("version", ""))
        )
        viewer.outlet.listen(self._acknowledges)
        scope_headers: list[Any] = self.scope["headers"]
        scope_headers.clear()  # whoever routed this holds the scope, but nobody asks for them again

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.membership is None:
            return
        if not self.allowance.take():
            await self._refuse("Too many messages.")
        elif text_data is None or len(text_data) > MESSAGE_BYTES:
            await self._refuse(f"A message is text of at most {MESSAGE_BYTES} characters.")
        elif (version := _acknowledged(text_data)) is None:
            await self._refuse('A message is {"ack": version}.')
        else:
            self.membership.acknowledge(version)

    def _acknowledges(self, text: str) -> bool:
        """Take an acknowledgement, which is nearly all that ever comes; return whether it was one and not too many."""
        version = _acknowledged(text) if len(text) <= MESSAGE_BYTES else None
        if version is None or self.membership is None or not self.allowance.take():
            return False
        self.membership.acknowledge(version)
        return True

    async def _disconnected(self, message: dict[str, Any]) -> None:
        self._leave()
        raise StopConsumer

    async def _refuse(self, sentence: str) -> None:
        """Tell the client what is wrong with what it sent, and hear nothing more from it."""
        self._leave()
        await self.send(json.dumps({"error": sentence}))
        await close(self.base_send, REFUSED_MESSAGE)

    def _leave(self) -> None:
        if self.membership is not None:
            self.membership.leave()
            self.membership = None

    async def _judged(self, slug: str, range: str) -> Decision:
        if not origin_allowed(self.scope):
            return Decision(NO_ACCESS)
        if range not in RANGES_S:
            return Decision(NO_SUCH_THING)
        try:
            return await hub().batcher.judge(Question(credential(self.scope), DASHBOARD, slug))
        except DatabaseError as error:
            log.warning("a page was sent away, the database does not answer", error=str(error))
            return Decision(TRY_LATER)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _acknowledged(text: str) -> int | None:
    """Return the version of `{"ack": version}`, None for anything else."""
    try:
        version = json.loads(text)["ack"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return version if type(version) is int else None  # a bool is an int to Python, and no version
