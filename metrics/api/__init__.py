"""The HTTP API: JSON in, JSON out, a token in the header. Described at /api/docs."""

from metrics.api.application import api, foreign, influxdb, telemetry, urls

__all__ = ["api", "foreign", "influxdb", "telemetry", "urls"]
