"""Changes of alerts, told to every open page of this process in a few bytes; each fetches what it shows of them.

A dashboard is told by its pulse. Other pages get an element, over the socket that brings their person's notifications.
Those that show the list of alerts are sent it by `AlertLists`.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from consumers.alert_lists import AlertLists
from consumers.frame import MORPH, Element, Frame
from consumers.log_stream import LogStream
from consumers.stream import Stream
from metrics.live.bus import AlertsChanged

TARGET = "alerts-changed"
EVERY_S = 0.5
"""Changes that come faster are told together."""

Streams = Callable[[], Iterable[Stream | LogStream]]


class Alerts:
    """The number of changes that this process knows, and how many alerts are bad or critical."""

    def __init__(self, streams: Streams, lists: AlertLists) -> None:
        self._streams, self._lists = streams, lists
        self._number: int | None = None
        self._heard = False
        """Whether a change was heard since numbers were compared."""
        self._bad = self._critical = 0
        self._sent_at = -EVERY_S
        self._timer: asyncio.TimerHandle | None = None

    def hear(self, message: AlertsChanged) -> None:
        """Take over a change, and tell of it, at once unless one was told a moment ago.

        One with a lower number is older, or Redis lost its data, which comparing finds.
        """
        if self._number is not None and message["number"] < self._number:
            return
        self._heard = True
        self._number, self._bad, self._critical = message["number"], message["bad"], message["critical"]
        self._lists.change(message["number"])
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._sent_at + EVERY_S - loop.time()), self._send)

    def compare(self, number: int, bad: int, critical: int) -> None:
        """Tell of a change that was not heard of, and tell pages that came since how many there were.

        A lower number may have been read before the last change was heard: the next round knows.
        """
        if self._number is None or number >= self._number or not self._heard:
            self._number, self._bad, self._critical = number, bad, critical
        self._heard = False
        self._lists.change(self._number)
        self._send()

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._sent_at = asyncio.get_running_loop().time()
        frame = Frame(Element(TARGET, MORPH, element(self._number or 0, self._bad, self._critical)).partial())
        for stream in self._streams():
            if isinstance(stream, Stream):
                down = replace(stream.down, alerts=self._bad, critical=self._critical)
                stream.send_alerts(self._number or 0, down)
                continue
            for viewer in stream.viewers:
                if viewer.personal and viewer.alerts != self._number:
                    viewer.alerts = self._number
                    viewer.outlet.write(frame)


def element(number: int, bad: int, critical: int) -> str:
    """Return the element that says how often alerts changed, how many are bad, and how many critical."""
    return f'<i id="{TARGET}" hidden data-alerts="{number}" data-bad="{bad}" data-critical="{critical}"></i>'
