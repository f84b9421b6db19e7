"""This system's own metrics in Prometheus' text format: what all processes together recorded in Redis."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from metrics.live.health import Readings, readings


class _Readings(Collector):
    def __init__(self, now: Readings) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        queues = GaugeMetricFamily("watchfloor_queue_depth", "Tasks waiting.", labels=["queue"])
        for queue, depth in self.now.queues.items():
            queues.add_metric([queue], depth)
        yield queues
        yield GaugeMetricFamily("watchfloor_tick_lag_seconds", "How late the last tick ran.", self.now.tick_lag_s)
        yield GaugeMetricFamily("watchfloor_sockets", "Open sockets.", self.now.sockets)
        yield GaugeMetricFamily("watchfloor_render_seconds", "Duration of the last render.", self.now.render_s)
        yield CounterMetricFamily("watchfloor_renders_total", "Renders of a variant.", self.now.renders)


def exposition(now: float) -> bytes:
    """Return the metrics as of `now` (Unix seconds). Raises redis.RedisError when Redis does not answer."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Readings(readings(now)))
    return generate_latest(registry)
