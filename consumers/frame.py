"""Frames: what one socket is sent. HTML only: the fragments that changed, and a pulse."""

from collections.abc import Iterable
from html import escape
from typing import Any


class Frame:
    """One frame's text, its size, and its bytes on the wire once a server that can share them has made them."""

    __slots__ = ("prepared", "size_bytes", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.size_bytes = len(text.encode())
        self.prepared: Any = None


def partial(widget: str, html: str) -> str:
    """Return a fragment wrapped so that htmx morphs it into the widget with the id `widget`."""
    return f'<hx-partial hx-target="#w-{widget}" hx-swap="outerMorph">{html}</hx-partial>'


def pulse(epoch: str, version: int, time: float, build: str, layout: int) -> str:
    """Return the element that says what the page now shows and when (Unix seconds, the server's clock)."""
    return (
        '<hx-partial hx-target="#pulse" hx-swap="outerMorph">'
        f'<i id="pulse" hidden data-epoch="{escape(epoch)}" data-version="{version}" data-time="{time:.3f}"'
        f' data-build="{escape(build)}" data-layout="{layout}"></i></hx-partial>'
    )


def frame(partials: Iterable[str], closing_pulse: str) -> Frame:
    """Return one frame."""
    return Frame("".join((*partials, closing_pulse)))
