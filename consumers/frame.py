"""Frames: what one socket is sent. HTML only: the fragments that changed, and a pulse. Pure."""

from collections.abc import Iterable
from html import escape


def partial(widget: str, html: str) -> str:
    """Return a fragment wrapped so that htmx morphs it into the widget with the id `widget`."""
    return f'<hx-partial hx-target="#w-{widget}" hx-swap="outerMorph">{html}</hx-partial>'


def pulse(epoch: str, version: int, time: float, build: str) -> str:
    """Return the element that says what the page now shows and when (Unix seconds, the server's clock)."""
    return (
        '<hx-partial hx-target="#pulse" hx-swap="outerMorph">'
        f'<i id="pulse" hidden data-epoch="{escape(epoch)}" data-version="{version}"'
        f' data-time="{time:.3f}" data-build="{escape(build)}"></i></hx-partial>'
    )


def frame(partials: Iterable[str], closing_pulse: str) -> str:
    """Return one frame."""
    return "".join((*partials, closing_pulse))
