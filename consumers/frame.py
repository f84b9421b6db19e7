"""A frame: all that one socket is sent at once. The web server imports this before there are models."""

import json
from typing import Any, NamedTuple

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
    """An element of a page: its id, how htmx swaps it in, and its HTML."""

    target: str
    swap: str
    html: str

    def partial(self) -> str:
        """Return it wrapped for htmx."""
        return f'<hx-partial hx-target="#{self.target}" hx-swap="{self.swap}">{self.html}</hx-partial>'


def json_frame(type: str, data: dict[str, Any]) -> Frame:
    """Return a frame for programs: an object with its `type`."""
    return Frame(json.dumps({"type": type, **data}, ensure_ascii=False))
