"""Keeping what is stored: rolling up, packing, pruning, how far each has got, and the metrics with most series."""

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
    "largest_metrics",
    "largest_sources",
    "pack",
    "prune",
    "roll",
]
