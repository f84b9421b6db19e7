"""Tables, one file a noun. Rules about them live in `metrics.actions`."""

from metrics.models.access import Token
from metrics.models.dashboard import Dashboard, Widget
from metrics.models.push import IdempotencyKey
from metrics.models.series import Sample, Series
from metrics.models.source import Source

__all__ = ["Dashboard", "IdempotencyKey", "Sample", "Series", "Source", "Token", "Widget"]
