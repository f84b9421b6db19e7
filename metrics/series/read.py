"""Reading what is stored: series as of a moment, functions of them over a window, every sample, and what arrived."""

from metrics.series.arrivals import COLLECTED, PUSHED, Arrivals, arrivals
from metrics.series.calculate import Asked, Window, in_parts, means, of_chosen, of_ids, tracks_of_all
from metrics.series.catalogue import Hit, labels, rank, search
from metrics.series.find import Found, Matching, Query, find
from metrics.series.functions import Function, FunctionName
from metrics.series.labels import values_of
from metrics.series.newest import newest
from metrics.series.overdue import Overdue, overdue
from metrics.series.rate import Over, over_seconds
from metrics.series.raw import bounds, samples
from metrics.series.reader import Track, longest_step, seen, tracks, tracks_of
from metrics.series.step_cache import Point

__all__ = [
    "COLLECTED",
    "PUSHED",
    "Arrivals",
    "Asked",
    "Found",
    "Function",
    "FunctionName",
    "Hit",
    "Matching",
    "Over",
    "Overdue",
    "Point",
    "Query",
    "Track",
    "Window",
    "arrivals",
    "bounds",
    "find",
    "in_parts",
    "labels",
    "longest_step",
    "means",
    "newest",
    "of_chosen",
    "of_ids",
    "over_seconds",
    "overdue",
    "rank",
    "samples",
    "search",
    "seen",
    "tracks",
    "tracks_of",
    "tracks_of_all",
    "values_of",
]
