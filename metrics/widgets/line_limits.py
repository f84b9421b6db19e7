"""Limits of a line: thresholds and goals, each a line across the chart with a label."""

from dataclasses import dataclass

from metrics.widgets import units
from metrics.widgets.axis import ValueAxis
from metrics.widgets.line_config import LineConfig
from metrics.widgets.thresholds import Thresholds

LABELS_APART = 0.3
"""Share of the height; labels of limits that are nearer to each other could overlap in a small chart."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A line across the chart: `level` is warn, critical or goal, `place` where it is as a tick's, `text` its label.

    The label is above the line, or `below` it where another line is near above.
    """

    level: str
    place: str
    text: str
    below: bool = False


def marked(config: LineConfig) -> list[tuple[str, float, str]]:
    """Return level, value and name of everything that has a line across the chart."""
    limits = config.thresholds or Thresholds()
    named = [("warn", limits.warn, "Warning"), ("critical", limits.critical, "Critical")]
    found = [(level, value, name) for level, value, name in named if value is not None]
    return [*found, *(("goal", goal.value, goal.name) for goal in config.goals)]


def limits_on(scale: ValueAxis, word: str, config: LineConfig) -> tuple[Limit, ...]:
    """Return the limits that lie on an axis, whose values are in a unit (`word`)."""
    found = [(level, scale.place(value), f"{name} {units.show(value, word)}") for level, value, name in marked(config)]
    places = [_share(place) for _, place, _ in found if place]
    return tuple(
        Limit(level, place, text.strip(), any(0 < _share(place) - other < LABELS_APART for other in places))
        for level, place, text in found
        if place
    )


def _share(place: str) -> float:
    return float(place.removesuffix("%")) / 100
