"""Plug-ins: functions of your own, run in processes of their own. Plain Python: nothing of Django is loaded there."""

from metrics.plugins.declare import metric
from metrics.sample import Sample

__all__ = ["Sample", "metric"]
