"""Keeping what is stored: rolling up, packing, pruning, samples of the future, and how far each has got."""

from metrics.series.future import forget_future, put_back, set_aside
from metrics.series.labels import Label, largest_metrics, largest_sources
from metrics.series.pack import pack
from metrics.series.progress import HOURS, HOURS_PACKED, MINUTES, MINUTES_PACKED, PACKED, all_until_ms
from metrics.series.prune import prune
from metrics.series.rollup import roll

__all__ = [
    "HOURS",
    "HOURS_PACKED",
    "MINUTES",
    "MINUTES_PACKED",
    "PACKED",
    "Label",
    "all_until_ms",
    "forget_future",
    "largest_metrics",
    "largest_sources",
    "pack",
    "prune",
    "put_back",
    "roll",
    "set_aside",
]
