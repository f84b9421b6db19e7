"""Topics: the things that sockets follow."""

import hashlib
from typing import NamedTuple

DASHBOARD = "dashboard"
VALUES = "values"
"""A dashboard as values for programs, where `DASHBOARD` is the same as HTML for pages."""
ROOM = "room"
PERSON = "person"
ALERTS = "alerts"


class Topic(NamedTuple):
    """A thing that sockets follow: its kind, its id, and of a dashboard the range, which together are a variant.

    `chosen` belongs to a variant too: the values of variables, as `metrics.widgets.variables.canonical` has them.
    An id stays when a name changes: so a dashboard that gets another slug takes its open pages along.
    """

    kind: str
    id: int
    range: str = ""
    chosen: str = ""

    @property
    def is_variant(self) -> bool:
        """Whether it is a dashboard, in whatever form."""
        return self.kind in (DASHBOARD, VALUES)

    def __str__(self) -> str:
        return ".".join(filter(None, (self.kind, str(self.id), self.range, self.chosen)))

    @property
    def short(self) -> str:
        """A name of less than 64 characters, of letters, digits and `.-_` alone: what is chosen is a digest of it."""
        digest = hashlib.sha256(self.chosen.encode()).hexdigest()[:24] if self.chosen else ""
        return str(self._replace(chosen=digest))

    @classmethod
    def parse(cls, text: str) -> "Topic":
        kind, id, *rest = text.split(".", 3)
        return cls(kind, int(id), *rest)


EVENTS = Topic(ALERTS, 0)
"""The events of alerts, of which each follower gets those that they may see."""


def room(id: int) -> Topic:
    """Return the topic of a room (id)."""
    return Topic(ROOM, id)


def person(id: int) -> Topic:
    """Return the topic of the notifications of a user (id)."""
    return Topic(PERSON, id)


def variant(dashboard: int, range: str, chosen: str = "") -> Topic:
    """Return the topic of a dashboard (id) in one range, with values of its variables."""
    return Topic(DASHBOARD, dashboard, range, chosen)


def values(dashboard: int, range: str, chosen: str = "") -> Topic:
    """Return the topic of a dashboard (id) in one range, with values of its variables, for programs."""
    return Topic(VALUES, dashboard, range, chosen)
