"""The Celery application; beat and the workers give signs of life."""

import os
import time
from contextlib import suppress
from typing import Any

from celery import Celery, signals
from celery.beat import Scheduler
from click import Option

from dashboard_project import broker, prepared
from dashboard_project.clock import SteadyClock
from metrics.redis_state.outage import TROUBLE

FOLLOWS_WITHIN_S = 600
DRAWS = "render"
"""The queue of those who draw."""
READ_FOR_EACH_MESSAGE = (
    *("task_always_eager", "task_send_sent_event", "task_repr_maxlevels", "broker_pool_acquire_timeout"),
    "timezone",
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

broker.install()
app = Celery("watchfloor")
app.set_default()  # requests are handled in threads, and "current" alone means the importing thread only
app.config_from_object("django.conf:settings", namespace="CELERY")
app.user_options["worker"].add(Option(["--with-beat"], is_flag=True, help="Run beat in a thread of this worker."))
app.steps["worker"].add("dashboard_project.embedded_beat:BeatThread")


@app.on_after_configure.connect
def keep_at_hand(sender: Celery, **_: Any) -> None:
    """Keep what Celery reads for each message where it looks first: to find it is a tenth of the message's cost."""
    sender.conf.update({name: getattr(sender.conf, name) for name in READ_FOR_EACH_MESSAGE})


@signals.setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Django's LOGGING is the only logging configuration; a receiver here stops Celery from adding its own."""


@signals.celeryd_after_setup.connect
def wait_until_prepared(**_: Any) -> None:
    """Have a worker that imported its tasks wait until the start is prepared."""
    prepared.wait()


@signals.worker_ready.connect
def give_signs(sender: Any, **_: Any) -> None:
    """Have a worker record that its process runs."""
    from metrics.health import life_signs

    life_signs.begin(sender.hostname.partition("@")[0])


@signals.beat_init.connect
def give_signs_of_beat(**_: Any) -> None:
    """Have beat record that it runs, also where it is a process by itself."""
    from metrics.health import life_signs

    life_signs.begin()


@signals.worker_ready.connect
def load_ahead(**_: Any) -> None:
    """Have a worker that draws load what the first change would wait for."""
    if DRAWS in app.amqp.queues.consume_from:
        from dashboard_project import warm

        warm.begin()


class Beat(Scheduler):
    """Celery's in-memory scheduler, giving signs of life, and undisturbed by steps of the wall clock.

    The schedule lives in settings and its entries are a second apart, so there is nothing to persist in a shelve file.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from metrics.health import store as health

        self._clock = SteadyClock()
        self._sign = health.LifeSign("beat")
        self._steps: list[tuple[float, float]] = []
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Have every interval counted by a clock that is never set: else beat waits for a time that was."""
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.schedule.nowfun = self._clock.now  # type: ignore[union-attr]  # its stubs misspell it
            entry.last_run_at = self._clock.now()

    def schedules_equal(self, *_: Any, **__: Any) -> bool:
        """Return that no entry has changed, which Celery asks several times a second: none ever does."""
        return True

    def tick(self, *args: Any, **kwargs: Any) -> float:
        from metrics.health import life_signs

        if by_s := self._clock.note_step():
            self._steps.append((time.time() - by_s, time.time()))
        with suppress(*TROUBLE):  # the network of a machine that slept comes back later than its clock
            while self._steps:
                self._report(*self._steps[0])
                del self._steps[0]
        life_signs.note("beat", time.time(), self._sign.running_s(time.monotonic()))
        delay_s: float = super().tick(*args, **kwargs)
        return delay_s

    def _report(self, before: float, after: float) -> None:
        """Tell that the wall clock was set from `before` to `after` (Unix seconds). Raises TROUBLE."""
        from metrics.health import store as health

        if after < before:
            health.record_set_back(after, before)
        self.app.send_task("tasks.system.follow_clock", args=[before, after], expires=FOLLOWS_WITHIN_S)
