"""This system itself: how long its queues are, how late its ticks, how many look at it."""

import time

from redis import RedisError

from metrics.health import store as health
from metrics.sample import Sample
from metrics.sources.base import SourceConfig, SourceError, SourceKind


class WatchfloorConfig(SourceConfig):
    """Nothing to choose."""


class Watchfloor(SourceKind[WatchfloorConfig]):
    """The readings of `metrics.health.store` as samples."""

    kind = "watchfloor"
    config_class = WatchfloorConfig
    group = "servers"

    def collect(self, config: WatchfloorConfig) -> list[Sample]:
        try:
            now = health.readings(time.time())
        except RedisError as error:
            raise SourceError(f"Redis does not answer: {error}.") from error
        return [
            *(Sample("watchfloor_queue_depth", depth, {"queue": queue}) for queue, depth in now.queues.items()),
            Sample("watchfloor_tick_lag_seconds", now.tick_lag_s, unit="seconds"),
            Sample("watchfloor_sockets", now.sockets),
            *(Sample("watchfloor_series_expected", one.expected, {"way": one.way}) for one in now.arriving),
            *(Sample("watchfloor_series_late", one.late, {"way": one.way}) for one in now.arriving),
            Sample("watchfloor_last_render_seconds", now.traffic.last_render_s, unit="seconds"),
        ]
