"""Late series and sources: those that should have come by now, the longest silent first."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from metrics.widgets import freshness, links, units
from metrics.widgets.base import Named, QueryConfig, Rows, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.thresholds import OK, WARN, Level

ROWS_MOST = 30
STATES = ("late", "stale")


class LateConfig(Rows):
    """Config of what is late."""

    needs_stored: ClassVar = True
    all_without_queries: ClassVar = True

    queries: list[QueryConfig] = Field(
        default_factory=list,
        max_length=20,
        description="The series that should come; without one, all that this dashboard may show.",
    )
    rows: int = Field(
        default=20, ge=1, le=ROWS_MOST, title="Rows at most", description="How many to show, the longest silent first."
    )
    stale_only: bool = Field(
        default=False,
        title="Only what is stale",
        description="Whether only what is stale is shown, and not what is late.",
    )


@dataclass(frozen=True, slots=True)
class Silent:
    """A series that did not come: its `name`, its `state` (late or stale), and in words, how long it is `silent`.

    `every` says how often it should come, empty where that is not known. `link` is where it leads, empty for nowhere.
    """

    name: str
    state: str
    silent: str
    every: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class LateView:
    """View-model of `templates/widgets/late.html`: the `rows`, the longest silent first, and how many `more` there are.

    `summary` counts all in words.
    """

    rows: tuple[Silent, ...]
    more: int
    summary: str


class Late(WidgetKind[LateConfig]):
    """Series that are late or stale, the longest silent first, and for how long."""

    kind = "late"
    config_class = LateConfig
    group = "alerts"
    size = (4, 2)
    windows_back = 0
    example_ages_s: ClassVar = (2.0, 700.0, 150.0)

    def view(self, config: LateConfig, series: list[Named], window: Window) -> LateView:
        known = [one for one in series if one.track.latest]
        states = [freshness.of_tracks([one.track], config.every_s, window.at).state for one in known]
        wanted = STATES[1:] if config.stale_only else STATES
        found = [(one, state) for one, state in zip(known, states, strict=True) if state in wanted]
        found.sort(key=lambda pair: (pair[0].track.came_at, pair[0].name))
        return LateView(
            rows=tuple(_silent(one, state, config, window) for one, state in found[: config.rows]),
            more=max(0, len(found) - config.rows),
            summary=_summary(states, wanted) if config.queries else _summary_of_all(states, wanted),
        )

    def level(self, view: LateView) -> Level:
        return WARN if view.rows else OK


def _silent(one: Named, state: str, config: LateConfig, window: Window) -> Silent:
    every_s = config.every_s or one.track.every_s
    return Silent(
        name=one.name,
        state=state,
        silent=units.age(window.at - one.track.came_at),
        every=f"every {units.age(every_s)}" if every_s else "",
        link=links.of_row(config.row_link, one.track.labels, window.range),
    )


def _summary_of_all(states: list[str], wanted: tuple[str, ...]) -> str:
    """Return the summary where `states` are of what may be late alone."""
    counts = [f"{states.count(state)} {state}" for state in reversed(wanted) if state in states]
    return " · ".join(counts) or ("Nothing is late" if wanted == STATES else "Nothing is stale")


def _summary(states: list[str], wanted: tuple[str, ...]) -> str:
    counts = [f"{states.count(state)} {state}" for state in reversed(wanted) if state in states]
    if counts:
        return f"{' · '.join(counts)} of {len(states)}"
    if len(states) < 2:
        return "Fresh" if states else "No data"
    return f"All {len(states)} are fresh" if wanted == STATES else f"None of {len(states)} is stale"
