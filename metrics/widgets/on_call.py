"""People on call: by schedule, until when, and who is next; that it is nobody is said loudly."""

from dataclasses import dataclass
from typing import ClassVar

from django.urls import reverse
from pydantic import Field

from metrics.widgets import units
from metrics.widgets.base import Named, OfFact, WidgetKind
from metrics.widgets.maintained import time_of
from metrics.widgets.ranges import Window
from metrics.widgets.thresholds import CRITICAL, OK, WARN, Level

ROWS_MOST = 30
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Duty:
    """The schedule `id`, of `teams`: the `people` who are on call until a time (Unix seconds), and who is `next`.

    Without people it is nobody, until somebody is; `until` is None where no change is known. `problem` says why its
    calendar can't be read. It is not `known` of a past from before the schedule was changed.
    """

    id: int
    schedule: str
    teams: tuple[str, ...]
    people: tuple[str, ...]
    until: float | None
    next: tuple[str, ...] = ()
    problem: str = ""
    known: bool = True


class OnCallConfig(OfFact[Duty]):
    """Config of who is on call."""

    needs: ClassVar = "on_call"

    schedule: str = Field(default="", max_length=100, description="Only this schedule, by its name.")
    team: str = Field(default="", max_length=150, description="Only schedules of this team.")
    rows: int = Field(
        default=10,
        ge=1,
        le=ROWS_MOST,
        title="Schedules at most",
        description="How many schedules to show; gaps come first.",
    )

    def takes(self, duty: Duty) -> bool:
        """Whether it shows `duty`."""
        return self.schedule in ("", duty.schedule) and self.team in ("", *duty.teams)


@dataclass(frozen=True, slots=True)
class Row:
    """A schedule: its `name`, the `people` on call now, until when and how long that is (`left`), all in words.

    `next` are those who come after. `link` is the path of its page. `state` is ok, gap (nobody is on call), doubt
    (`problem` says why) or unknown.
    """

    name: str
    people: str
    until: str
    left: str
    next: str
    link: str
    state: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class OnCallView:
    """View-model of `templates/widgets/on_call.html`: the `rows`, gaps first, and how many `more` there are.

    `summary` counts the gaps in words, and is empty where each row says all there is to say. `level` is critical with
    a gap. `is_one` is whether a single schedule fills the tile.
    """

    rows: tuple[Row, ...]
    more: int
    summary: str
    level: Level
    is_one: bool


class OnCall(WidgetKind[OnCallConfig]):
    """The people who are on call now, until when, and who is next; it says loudly that it is nobody."""

    kind = "on_call"
    config_class = OnCallConfig
    group = "alerts"
    size = (4, 2)
    windows_back = 0
    example: ClassVar = {}

    def view(self, config: OnCallConfig, series: list[Named], window: Window) -> OnCallView:
        rows = [_row(one, window.at) for one in config.given if config.takes(one)]
        rows.sort(key=lambda row: (STATES.index(row.state), row.name))
        gaps = sum(row.state == "gap" for row in rows)
        doubts = any(row.state == "doubt" for row in rows)
        return OnCallView(
            rows=tuple(rows[: config.rows]),
            more=max(0, len(rows) - config.rows),
            summary=_summary(len(rows), gaps, config),
            level=CRITICAL if gaps or (not rows and config.schedule) else WARN if doubts else OK,
            is_one=len(rows) == 1,
        )


STATES = ("gap", "doubt", "unknown", "ok")
"""States of rows, the first on top."""


def _row(one: Duty, at: float) -> Row:
    state = "unknown" if not one.known else "ok" if one.people else "gap"
    until = "" if one.until is None else f"until {time_of(one.until, at)}"
    return Row(
        name=one.schedule,
        people=", ".join(one.people) or ("not known any more" if state == "unknown" else NOBODY),
        until=until,
        left="" if one.until is None else f"{units.age(one.until - at)} left",
        next=", ".join(one.next) or NOBODY if one.until is not None else "",
        link=reverse("on-call-schedule", args=[one.id]),
        state="doubt" if one.problem and state == "ok" else state,
        problem=one.problem,
    )


def _summary(count: int, gaps: int, config: OnCallConfig) -> str:
    if not count:
        what = f"schedule {config.schedule}" if config.schedule else "schedule"
        return f"No {what} of {config.team}" if config.team else f"No {what}"
    if not gaps:
        return ""
    return "Nobody is on call" if gaps == count else f"Nobody is on call for {gaps} of {count}"


def examples(at: float) -> list[Duty]:
    """Return schedules that there are not, as they would be at `at` (Unix seconds)."""
    return [
        Duty(1, "Databases", ("ops",), ("Ada Lovelace",), at + 5 * 3600, ("Grace Hopper",)),
        Duty(2, "Shop", ("shop",), ("Alan Turing",), at + 29 * 3600, ("Ada Lovelace",)),
        Duty(3, "Network", ("ops",), (), at + 90 * 60, ("Grace Hopper",)),
    ]
