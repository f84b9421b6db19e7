"""The JSON API, under /api/v1/."""

from metrics.api.application import api

__all__ = ["api"]
