"""Frames: what one socket is sent. HTML only: the fragments that changed, and a pulse."""

from collections.abc import Iterable
from dataclasses import asdict
from html import escape
from typing import Any

from metrics.health.store import Down

BEHIND_LEAST_S = 3.0
NOTHING_DOWN = Down()


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


def partial(widget: str, html: str) -> str:
    """Return a fragment wrapped so that htmx morphs it into the widget with the id `widget`."""
    return f'<hx-partial hx-target="#w-{widget}" hx-swap="outerMorph">{html}</hx-partial>'


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


def frame(partials: Iterable[str], closing_pulse: str) -> Frame:
    """Return one frame."""
    return Frame("".join((*partials, closing_pulse)))
