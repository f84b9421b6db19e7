"""For files in PLUGINS_DIR: `from watchfloor import metric, Sample`. docs/plugins.md says what they mean."""

from metrics.plugins import Sample, metric

__all__ = ["Sample", "metric"]
