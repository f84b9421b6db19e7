"""The JSON API, under /api/v1/."""

from metrics.api.application import api, foreign, influxdb, no_such_endpoint, telemetry

__all__ = ["api", "foreign", "influxdb", "no_such_endpoint", "telemetry"]
