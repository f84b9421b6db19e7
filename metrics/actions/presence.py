"""Presence: people who are in a room just now, and those who type, as pages and programs are told."""

from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from metrics.live.presence import Here
from metrics.live.topic import Topic

NAMES_MOST = 30
TYPISTS_NAMED = 3
ELEMENT = "here"


@dataclass(frozen=True, slots=True)
class HereView:
    """View-model of `templates/room/_here.html`.

    `names` are the first of those who are there, `more` how many others are, `count` all. `typists` are the names of
    those who type, of which the first stand in the sentence `typing`. `room` is the room's id.
    """

    room: int
    names: tuple[str, ...]
    more: int
    count: int
    typists: tuple[str, ...]
    typing: str


def view(room: int, here: Here) -> HereView:
    """Return what a page shows of the people in a room (id)."""
    names = here.names[:NAMES_MOST]
    count = len(here.names)
    return HereView(room, names, count - len(names), count, here.typing[:NAMES_MOST], sentence(here.typing))


def sentence(typists: tuple[str, ...]) -> str:
    """Return who types as a sentence, empty for nobody."""
    named, others = list(typists[:TYPISTS_NAMED]), len(typists) - TYPISTS_NAMED
    if not named:
        return ""
    if others > 0:
        named.append(f"{others} other{'s' if others > 1 else ''}")
    first = ", ".join(named[:-1])
    who = f"{first} and {named[-1]}" if first else named[-1]
    return f"{who} {'is' if len(typists) == 1 else 'are'} typing …"


def fragment(topic: Topic, here: Here) -> str:
    """Return the element of a page that names the people in the room `topic`."""
    return render_to_string("room/_here.html", {"here": view(topic.id, here)}).strip()


def document(here: Here) -> dict[str, Any]:
    """Return who is there as programs see it."""
    return {
        "here": list(here.names[:NAMES_MOST]),
        "count": len(here.names),
        "typing": list(here.typing[:NAMES_MOST]),
    }
