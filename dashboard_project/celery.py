"""The Celery application, and the beat that says it is alive."""

import os
import time
from contextlib import suppress
from typing import Any

from celery import Celery, signals
from celery.beat import Scheduler
from click import Option
from redis import RedisError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

app = Celery("watchfloor")
app.set_default()  # requests are handled in threads, and "current" alone means the importing thread only
app.config_from_object("django.conf:settings", namespace="CELERY")
app.user_options["worker"].add(Option(["--with-beat"], is_flag=True, help="Run beat in a thread of this worker."))
app.steps["worker"].add("dashboard_project.embedded_beat:BeatThread")


@signals.setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Django's LOGGING is the only logging configuration; a receiver here stops Celery from adding its own."""


class Beat(Scheduler):
    """Celery's in-memory scheduler, recording in Redis that it runs.

    The schedule lives in settings and its entries are a second apart, so there is nothing to persist
    in a shelve file; `/readyz` reads the record.
    """

    _recorded = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        from metrics.live import health

        now = time.monotonic()
        if now - self._recorded >= 1:
            self._recorded = now
            with suppress(RedisError):  # /readyz says by itself that there was no record
                health.record_beat(time.time())
        return super().tick(*args, **kwargs)
