"""All that keeps quiet: silences, acknowledgements, maintenance, and what can notice nothing; the oldest first."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from metrics.widgets import units
from metrics.widgets.base import Named, OfFact, WidgetKind
from metrics.widgets.maintained import time_of
from metrics.widgets.ranges import Window
from metrics.widgets.thresholds import OK, WARN, Level

ROWS_MOST = 60
Kind = Literal[
    "silence",
    "acknowledgement",
    "maintenance",
    "digest",
    "source",
    "heartbeat",
    "rule",
    "calendar",
    "channel",
    "escalation",
    "schedule",
    "webhook",
]
WORDS: dict[Kind, tuple[str, str]] = {
    "silence": ("silence", "silences"),
    "acknowledgement": ("taken", "taken"),
    "maintenance": ("maintenance", "in maintenance"),
    "digest": ("digest", "digests"),
    "source": ("source", "sources"),
    "heartbeat": ("heartbeat", "heartbeats"),
    "rule": ("rule", "rules"),
    "calendar": ("calendar", "calendars"),
    "channel": ("channel", "channels"),
    "escalation": ("escalation", "escalations"),
    "schedule": ("schedule", "schedules"),
    "webhook": ("webhook", "webhooks"),
}
"""Words for one and for several of a kind."""
MEANT = frozenset[Kind]({"silence", "acknowledgement", "maintenance", "digest"})
"""Kinds that somebody meant to keep quiet; all others can notice nothing, or tell nobody."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """One reason not to be told: of which `kind`, its `title`, its path `link`, by whom, and why (`text`).

    It is so `since` a time, and `until` another (Unix seconds), None where that is not known. It `withheld` so many
    notifications. It stands for so many of its kind (`count`).
    """

    kind: Kind
    title: str
    link: str
    text: str = ""
    by: str = ""
    since: float | None = None
    until: float | None = None
    withheld: int = 0
    count: int = 1


class UntoldConfig(OfFact[Quiet]):
    """Config of what people are not being told."""

    needs: ClassVar = "untold"

    of: list[Kind] = Field(
        default_factory=list,
        max_length=len(WORDS),
        title="Only these kinds",
        description="Only these kinds; without one, all.",
    )
    rows: int = Field(
        default=20, ge=1, le=ROWS_MOST, title="Rows at most", description="How many to show, the oldest first."
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One reason: its `kind` as a `word`, its `title`, where it leads (`link`), and whether somebody `meant` it.

    `why` is a sentence, `age` says since when and `until` until when, all empty where there is nothing to say.
    `withheld` is how many notifications.
    """

    kind: str
    word: str
    title: str
    link: str
    meant: bool
    why: str
    age: str
    until: str
    withheld: int


@dataclass(frozen=True, slots=True)
class UntoldView:
    """View-model of `templates/widgets/untold.html`: the `rows`, the oldest first, and how many `more` there are.

    `summary` counts all by kind, and `withheld` the notifications that they withheld, in words. `level` is a warning if
    nobody meant one of them.
    """

    rows: tuple[Row, ...]
    more: int
    summary: str
    withheld: str
    level: Level


class Untold(WidgetKind[UntoldConfig]):
    """All that people are not being told, and why: the oldest first, with how many notifications each withheld."""

    kind = "untold"
    config_class = UntoldConfig
    group = "alerts"
    size = (4, 2)
    windows_back = 0
    example: ClassVar = {}

    def view(self, config: UntoldConfig, series: list[Named], window: Window) -> UntoldView:
        found = [one for one in config.given if not config.of or one.kind in config.of]
        withheld = sum(one.withheld for one in found)
        return UntoldView(
            rows=tuple(_row(one, window.at) for one in found[: config.rows]),
            more=sum(one.count for one in found[config.rows :]),
            summary=_summary(found),
            withheld=f"{withheld} withheld" if withheld else "",
            level=OK if all(one.kind in MEANT for one in found) else WARN,
        )


def _row(one: Quiet, at: float) -> Row:
    return Row(
        kind=one.kind,
        word=WORDS[one.kind][0],
        title=one.title,
        link=one.link,
        meant=one.kind in MEANT,
        why=one.text or (f"by {one.by}" if one.by else ""),
        age="" if one.since is None else units.age(at - one.since),
        until="" if one.until is None else f"until {time_of(one.until, at)}",
        withheld=one.withheld,
    )


def _summary(found: list[Quiet]) -> str:
    counts = [(sum(one.count for one in found if one.kind == kind), words) for kind, words in WORDS.items()]
    return " · ".join(f"{count} {words[count > 1]}" for count, words in counts if count) or "You are told everything"


def examples(at: float) -> list[Quiet]:
    """Return reasons that there are not, as they would be at `at` (Unix seconds)."""
    return [
        Quiet("channel", "Mail to ops", "/channels/", "The mail server refused it.", since=at - 3 * 86_400),
        Quiet("silence", "Disk of the build server", "/silences/", "", "ada", at - 7200, at + 3600, withheld=12),
        Quiet("acknowledgement", "Site down: shop", "/alerts/", "", "grace", since=at - 600, withheld=0),
    ]
