"""The JSON API, under /api/v1/."""

from metrics.api.application import api, foreign, no_such_endpoint

__all__ = ["api", "foreign", "no_such_endpoint"]
