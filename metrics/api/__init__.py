"""The HTTP API: JSON in, JSON out, a token in the header. Described at /api/docs."""

from metrics.api import response_models

response_models.share()  # before any operation is made

from metrics.api.application import alertmanagers, api, foreign, influxdb, telemetry, urls

__all__ = ["alertmanagers", "api", "foreign", "influxdb", "telemetry", "urls"]
