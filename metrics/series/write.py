"""Writing: samples, descriptions of metrics, groups of pushed series."""

from metrics.series.cardinality import TooManySeries
from metrics.series.metadata import describe_metrics
from metrics.series.push_groups import group_owner, lock_group, settle_group
from metrics.series.writer import write

__all__ = ["TooManySeries", "describe_metrics", "group_owner", "lock_group", "settle_group", "write"]
