"""Topics: the things that sockets follow."""

from typing import NamedTuple

DASHBOARD = "dashboard"
VALUES = "values"
"""A dashboard as values for programs, where `DASHBOARD` is the same as HTML for pages."""
ROOM = "room"
PERSON = "person"


class Topic(NamedTuple):
    """A thing that sockets follow: its kind, its id, and of a dashboard the range, which together are a variant.

    An id stays when a name changes: so a dashboard that gets another slug takes its open pages along.
    """

    kind: str
    id: int
    range: str = ""

    @property
    def is_variant(self) -> bool:
        """Whether it is a dashboard, in whatever form."""
        return self.kind in (DASHBOARD, VALUES)

    def __str__(self) -> str:
        return ".".join(filter(None, (self.kind, str(self.id), self.range)))

    @classmethod
    def parse(cls, text: str) -> "Topic":
        kind, id, *range = text.split(".")
        return cls(kind, int(id), *range)


def room(id: int) -> Topic:
    """Return the topic of a room (id)."""
    return Topic(ROOM, id)


def person(id: int) -> Topic:
    """Return the topic of the notifications of a user (id)."""
    return Topic(PERSON, id)


def variant(dashboard: int, range: str) -> Topic:
    """Return the topic of a dashboard (id) in one range."""
    return Topic(DASHBOARD, dashboard, range)


def values(dashboard: int, range: str) -> Topic:
    """Return the topic of a dashboard (id) in one range, as values."""
    return Topic(VALUES, dashboard, range)
