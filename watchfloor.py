"""For files in PLUGINS_DIR: `from watchfloor import metric, Sample`. What they mean is in docs/plugins.md."""

from metrics.plugins import Sample, metric

__all__ = ["Sample", "metric"]
