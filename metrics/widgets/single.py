"""Several series as one value, for kinds that show one."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from metrics.series.read import Track
from metrics.widgets import combine, freshness, units
from metrics.widgets.base import Config, Named
from metrics.widgets.combine import How
from metrics.widgets.ranges import Window
from metrics.widgets.units import Shown


class SingleConfig(Config):
    """Fields of a kind that shows one value."""

    combine: How | None = Field(
        default=None,
        title="Combine series by",
        description="How several series become one: sum, avg, max or min. "
        "Else avg for percent, ratio, seconds, milliseconds, days and celsius, and sum for the rest.",
    )
    decimals: int | None = Field(default=None, ge=0, le=6, description="How many; else three digits that matter.")


@dataclass(frozen=True, slots=True)
class Single:
    """The newest `value`, in the unit `word`: that of `tracks`, made into one as `how` says; `known` counts all."""

    value: float
    word: str
    how: How
    tracks: Sequence[Track]
    known: int

    def show(self, config: SingleConfig) -> Shown:
        return units.show(self.value, self.word, config.decimals)


def single(config: SingleConfig, series: Sequence[Named], window: Window) -> Single | None:
    """Return the newest value of `series`, None without one.

    Series that ended long before the others are left out: a disk that was removed is not part of the sum.
    """
    tracks = [named.track for named in series if named.track.latest]
    if not tracks:
        return None
    lasting = [one for one in tracks if freshness.of_tracks([one], config.every_s, window.at).state != "stale"]
    counted = lasting or tracks
    word = counted[0].unit if config.unit is None else config.unit
    how = config.combine or combine.usual(word)
    newest = combine.WAYS[how]([track.latest.value for track in counted if track.latest])
    return Single(newest, word, how, counted, len(tracks))
