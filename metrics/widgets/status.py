"""A status: what is up and what is down, by name."""

import math
from dataclasses import dataclass

from pydantic import Field

from metrics.widgets import freshness, links, thresholds
from metrics.widgets.base import Named, Rows, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.thresholds import CRITICAL, OK, WARN, Level

CELLS_MOST = 60
DOWN_MOST = 300
LEVELS = {"down": CRITICAL, "late": WARN, "stale": WARN, "nodata": WARN, "up": OK}
ORDER = ("down", "late", "stale", "nodata", "up")


class StatusConfig(Rows):
    """Config of a status."""

    up_at_least: float = Field(default=1.0, title="Up from", description="From this value on, something is up.")
    late_at_least: float | None = Field(
        default=None, title="Late from", description="From this value on, below up, something is late; else it is down."
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing: its `name`, its `state` (up, late, down, stale or nodata), and the `word` that says so to people.

    `link` is where it leads, empty for nowhere.
    """

    name: str
    state: str
    word: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class StatusView:
    """View-model of `templates/widgets/status.html`.

    `cells` are those that need a look first, with all that are down; `more` is how many others there are. `summary`
    counts all in words. `side` is the side of the smallest square of cells that holds them, `bad_side` the same of
    those that are not up: with these, the stylesheet chooses columns that suit its tile.
    """

    cells: tuple[Cell, ...]
    more: int
    summary: str
    side: int
    bad_side: int


class Status(WidgetKind[StatusConfig]):
    """A cell for each series: up from a value of one on, below it down, or late where a heartbeat is just overdue."""

    kind = "status"
    config_class = StatusConfig
    group = "usual"
    size = (4, 2)
    windows_back = 0
    example_values = (1.0, 0.0, 1.0)

    def view(self, config: StatusConfig, series: list[Named], window: Window) -> StatusView:
        cells = sorted((_cell(one, config, window) for one in series), key=lambda c: (ORDER.index(c.state), c.name))
        down = sum(cell.state == "down" for cell in cells)
        shown = tuple(cells[: max(CELLS_MOST, min(down, DOWN_MOST))])
        more = len(cells) - len(shown)
        bad = sum(cell.state != "up" for cell in shown)
        return StatusView(shown, more, _summary(cells), _side(len(shown) + bool(more)), _side(bad))

    def level(self, view: StatusView) -> Level | None:
        return thresholds.worst(LEVELS[cell.state] for cell in view.cells)


def _side(count: int) -> int:
    return math.ceil(math.sqrt(count))


def _cell(one: Named, config: StatusConfig, window: Window) -> Cell:
    link = links.of_row(config.row_link, one.track.labels, window.range)
    if one.track.latest is None:
        return Cell(one.name, "nodata", "no data", link)
    state = _state(one.track.latest.value, config)
    if freshness.of_tracks([one.track], config.every_s, window.at).state == "stale":
        return Cell(one.name, "stale", f"stale, was {state}", link)
    return Cell(one.name, state, state, link)


def _state(value: float, config: StatusConfig) -> str:
    if value >= config.up_at_least:
        return "up"
    return "late" if config.late_at_least is not None and value >= config.late_at_least else "down"


def _summary(cells: list[Cell]) -> str:
    words = {"down": "down", "late": "late", "stale": "stale", "nodata": "without data", "up": "up"}
    counts = {state: sum(cell.state == state for cell in cells) for state in ORDER}
    if cells and counts["up"] == len(cells):
        return f"All {len(cells)} up" if len(cells) > 1 else "Up"
    return " · ".join(f"{counts[state]} {words[state]}" for state in ORDER if counts[state])
