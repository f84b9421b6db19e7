"""People in the rooms of this process, and those who type.

Once a round each process says who is with it, and tells every viewer of a room one change, however much changed. A room
with very many viewers is told less often, so that its frames stay few, however many come and go.
"""

import math
import time
from collections import defaultdict
from typing import NamedTuple

from consumers.frame import MORPH, Element, Frame, json_frame
from consumers.log_stream import LogStream
from consumers.logs import Logs
from consumers.viewer import Viewer
from metrics.actions import presence as actions
from metrics.health import traffic
from metrics.live import presence as live
from metrics.live.bus import Appended
from metrics.live.presence import Here
from metrics.live.topic import ROOM, Topic
from metrics.models.log import sender
from metrics.redis_state.round_trip import Commands

COUNTS_EVERY_S = 2.0
"""How often somebody who types is heard."""
TYPES_FOR_S = 6.0
"""How long somebody types who says nothing more of it."""
FRAMES_PER_S = 200
"""Frames of one room: up to 400 viewers are told in every round, a thousand each five seconds."""


class Sent(NamedTuple):
    """The state `here` that a room's `viewers` were told last, `at` a monotonic time; None if they know several."""

    here: Here | None = None
    viewers: frozenset[Viewer] = frozenset()
    at: float = -math.inf


class Presence:
    """Presence in the rooms of `logs`, in the process named `process`."""

    def __init__(self, logs: Logs, process: str) -> None:
        self._logs = logs
        self._others = live.Presence(process)
        self._typing: defaultdict[Topic, dict[str, float]] = defaultdict(dict)
        self._sent: dict[Topic, Sent] = {}

    def type(self, topic: Topic, viewer: Viewer) -> None:
        """Note that a viewer types."""
        typists, name, now = self._typing[topic], _name(viewer), time.monotonic()
        if now - typists.get(name, -TYPES_FOR_S) >= COUNTS_EVERY_S:
            typists[name] = now

    def end(self, topic: Topic, name: str) -> None:
        """Note that somebody types no more."""
        if typists := self._typing.get(topic):
            typists.pop(name, None)

    def hear(self, message: Appended) -> None:
        """Note that those who said something type no more."""
        topic = Topic.parse(message["topic"])
        if topic in self._typing:
            for entry in message["entries"]:
                self.end(topic, str(entry["data"].get("by", "")))

    def exchange(self, now: float) -> Commands[dict[Topic, Here]]:
        """Return the commands that say who is here, at `now` (Unix seconds), and learn who is there in all."""
        rooms = {topic: self._here(stream) for topic, stream in self._logs.streams.items() if topic.kind == ROOM}
        for topic in {*self._typing, *self._sent} - rooms.keys():
            self._typing.pop(topic, None)
            self._sent.pop(topic, None)
        return self._others.exchange(rooms, now)

    def send(self, found: dict[Topic, Here], now: float) -> None:
        """Tell the viewers of each room who is there, if that changed, at the monotonic time `now`.

        Those who came since are told in any case, and at once.
        """
        for topic, here in found.items():
            if stream := self._logs.streams.get(topic):
                sent, viewers = self._sent.get(topic, Sent()), frozenset(stream.viewers)
                if here == sent.here:
                    self._sent[topic] = sent._replace(viewers=viewers)
                elif now - sent.at >= len(viewers) / FRAMES_PER_S:
                    self._sent[topic], sent = Sent(here, viewers, now), Sent()
                else:
                    self._sent[topic] = Sent(None, viewers, sent.at)
                _send(topic, here, viewers - sent.viewers)

    def _here(self, stream: LogStream) -> Here:
        typists = self._typing.get(stream.topic, {})
        over = time.monotonic() - TYPES_FOR_S
        for name in [name for name, at in typists.items() if at <= over]:
            del typists[name]
        names = live.in_order(map(_name, stream.viewers))
        return Here(names, live.in_order(typists.keys() & set(names)))


def _send(topic: Topic, here: Here, viewers: frozenset[Viewer]) -> None:
    frames: dict[bool, Frame] = {}
    for viewer in viewers:
        frame = frames.get(viewer.as_json)
        if frame is None:
            frame = frames[viewer.as_json] = _frame(topic, here, as_json=viewer.as_json)
        viewer.outlet.write(frame)
        traffic.sent(1, frame.size_bytes)


def _frame(topic: Topic, here: Here, *, as_json: bool) -> Frame:
    if as_json:
        return json_frame("values", actions.document(here))
    return Frame(Element(actions.ELEMENT, MORPH, actions.fragment(topic, here)).partial())


def _name(viewer: Viewer) -> str:
    return sender(viewer.who.by.name)
