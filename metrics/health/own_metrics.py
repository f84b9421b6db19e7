"""This system's own metrics in Prometheus' text format: what all processes together recorded in Redis."""

from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from metrics.health import standstill
from metrics.health.standstill import Part, PartStatus, State
from metrics.health.store import Readings, readings
from metrics.health.traffic import BUCKETS_S, Histogram

ALERTMANAGER_VERSION = "0.28.0"
"""The version of the Alertmanager whose API this is; clients choose by it how they ask, karma by the metrics."""


class _Readings(Collector):
    def __init__(self, now: Readings, statuses: Mapping[Part, PartStatus]) -> None:
        self.now = now
        self.statuses = statuses

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("alertmanager_build_info", "The Alertmanager whose API this is.", labels=["version"])
        build.add_metric([ALERTMANAGER_VERSION], 1)
        yield build
        parts = GaugeMetricFamily("watchfloor_part_up", "1 if the part of the system runs, else 0.", labels=["part"])
        for part, status in self.statuses.items():
            parts.add_metric([part], float(status.state == State.OK))
        yield parts
        queues = GaugeMetricFamily(
            "watchfloor_queue_depth", "Tasks that wait; in the queue render, variants.", labels=["queue"]
        )
        for queue, depth in self.now.queues.items():
            queues.add_metric([queue], depth)
        yield queues
        yield GaugeMetricFamily("watchfloor_tick_lag_seconds", "How late the last tick ran.", self.now.tick_lag_s)
        yield GaugeMetricFamily("watchfloor_sockets", "Open sockets.", self.now.sockets)
        expected = GaugeMetricFamily("watchfloor_series_expected", "Series that should come.", labels=["way"])
        late = GaugeMetricFamily("watchfloor_series_late", "Those of them that are late.", labels=["way"])
        for one in self.now.arriving:
            expected.add_metric([one.way], one.expected)
            late.add_metric([one.way], one.late)
        yield expected
        yield late
        traffic = self.now.traffic
        yield CounterMetricFamily("watchfloor_frames_total", "Frames written to sockets.", traffic.frames)
        yield CounterMetricFamily("watchfloor_frame_bytes_total", "Bytes of those frames.", traffic.bytes)
        yield CounterMetricFamily(
            "watchfloor_frames_conflated_total",
            "Frames that viewers who were behind were spared.",
            traffic.conflated,
        )
        yield _histogram("watchfloor_render_seconds", "Duration of the render of a variant.", traffic.render)
        yield _histogram("watchfloor_delivery_seconds", "From a sample's acceptance to its frame.", traffic.delivery)


def _histogram(name: str, help: str, histogram: Histogram) -> HistogramMetricFamily:
    bounds = [*map(str, BUCKETS_S), "+Inf"]
    return HistogramMetricFamily(
        name, help, buckets=list(zip(bounds, accumulate(histogram.counts), strict=True)), sum_value=histogram.sum_s
    )


def exposition(now: float) -> bytes:
    """Return the metrics as of `now` (Unix seconds). Raises redis.RedisError when Redis does not answer."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Readings(readings(now), standstill.look(now)))
    return generate_latest(registry)
