"""Frames: what one socket is sent. For pages HTML, the fragments that changed and a pulse; for programs JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from html import escape
from typing import Any, NamedTuple

from metrics.health.store import Down

BEHIND_LEAST_S = 3.0
NOTHING_DOWN = Down()
MORPH = "outerMorph"


class Frame:
    """One frame's text, its size before it is compressed, and its bytes on the wire where a server can share them.

    `prepared` has those by the bits of the window that they were compressed with, 0 for not at all; a server makes each
    when the first socket needs it.
    """

    __slots__ = ("prepared", "size_bytes", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.size_bytes = len(text.encode())
        self.prepared: dict[int, Any] = {}


class Element(NamedTuple):
    """An element of a page: its id, how htmx swaps it in, its HTML, and the version that brought it."""

    target: str
    swap: str
    html: str
    version: int = 0

    def partial(self) -> str:
        """Return it wrapped for htmx."""
        return f'<hx-partial hx-target="#{self.target}" hx-swap="{self.swap}">{self.html}</hx-partial>'


def widget(key: str, html: str, version: int) -> Element:
    """Return the element of the widget of this key."""
    return Element(f"w-{key}", MORPH, html, version)


def notice(html: str) -> Element:
    """Return the element of the notice."""
    return Element("notice", MORPH, html)


def pulse(
    epoch: str,
    version: int,
    time: float,
    build: str,
    revision: int,
    behind_s: float = 0.0,
    lost: str = "",
    down: Down = NOTHING_DOWN,
) -> str:
    """Return the element that says what the page now shows and when (Unix seconds, the server's clock).

    `behind_s` is for how long something that changed waits to be drawn; less than `BEHIND_LEAST_S` is not told. `lost`
    is a sentence that says why nothing new can come. How much is `down` is told where it is not nothing.
    """
    behind = f' data-behind="{behind_s:.0f}"' if behind_s >= BEHIND_LEAST_S else ""
    why = f' data-lost="{escape(lost)}"' if lost else ""
    counts = "".join(f' data-{what}-down="{count}"' for what, count in asdict(down).items() if count)
    return (
        '<hx-partial hx-target="#pulse" hx-swap="outerMorph">'
        f'<i id="pulse" hidden data-epoch="{escape(epoch)}" data-version="{version}" data-time="{time:.3f}"'
        f' data-build="{escape(build)}" data-revision="{revision}"{behind}{why}{counts}></i></hx-partial>'
    )


def json_frame(type: str, data: dict[str, Any]) -> Frame:
    """Return a frame for programs: an object with its `type`."""
    return Frame(json.dumps({"type": type, **data}, ensure_ascii=False))


def frame(partials: Iterable[str], closing_pulse: str) -> Frame:
    """Return one frame."""
    return Frame("".join((*partials, closing_pulse)))
