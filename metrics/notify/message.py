"""A message to people outside: what is wrong, how bad, since when, and where to look."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

State = Literal["firing", "update", "escalated", "resolved", "digest", "test"]
WORDS: Mapping[str, str] = {
    "firing": "Firing",
    "update": "Update",
    "escalated": "Escalated",
    "resolved": "Resolved",
    "digest": "Digest",
    "test": "Test",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One alert: its `text`, its `value` in words, and `since` when (Unix seconds; None if that says nothing).

    In a digest it is an incident, with its own `url`.
    """

    text: str
    value: str = ""
    since: float | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart that a message has a picture of: the series with these labels of a rule (id).

    It is drawn with what there was until `at`, and marks when it `fired` (Unix seconds).
    """

    rule: int
    series: Mapping[str, str]
    at: float
    fired: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message. `subject` names what it is about, without its state; `severity` is that of a rule, or empty.

    `lines` are the alerts, `more` how many others there are. `url` is an address of ours, `runbook` one of theirs,
    `who` is on it, if somebody is. Messages of one `conversation`, such as "incident:12", belong together. `key` is
    the idempotency key: with the same one a channel is told once. It happened `at` (Unix seconds). `chart` is drawn as
    it is sent, and becomes the `picture` (PNG), unless there is one or none can be drawn.
    """

    subject: str
    state: State
    key: str
    at: float
    conversation: str = ""
    severity: str = ""
    lines: tuple[Line, ...] = ()
    more: int = 0
    url: str = ""
    runbook: str = ""
    who: str = ""
    chart: Chart | None = None
    picture: bytes | None = None

    def document(self) -> dict[str, Any]:
        """Return the message as it is stored: as in JSON, and without its picture."""
        found = asdict(replace(self, picture=None))
        del found["picture"]
        return {**found, "lines": list(found["lines"])}

    @classmethod
    def of(cls, document: Mapping[str, Any], picture: bytes | None = None) -> Self:
        """Return the message that `document` made."""
        lines = tuple(Line(**one) for one in document["lines"])
        chart = Chart(**document["chart"]) if document["chart"] else None
        return cls(**{**document, "lines": lines, "chart": chart, "picture": picture})
