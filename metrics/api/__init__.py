"""The JSON API, under /api/v1/."""

from metrics.api.application import api, no_such_endpoint

__all__ = ["api", "no_such_endpoint"]
