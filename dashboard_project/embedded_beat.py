"""Beat as a thread of a worker: `celery … worker --with-beat`. It weighs next to nothing there, and 60 MB by itself.

Celery's own `--beat` starts a process. A worker whose beat fails ends, so that whoever runs it starts both again.
"""

import threading
from typing import Any

import structlog
from celery import bootsteps
from celery.beat import Service
from celery.worker import state

log = structlog.get_logger(__name__)

FAILED = 1
STOPS_S = 5.0


class BeatThread(bootsteps.StartStopStep):
    """Runs beat for as long as the worker runs."""

    label = "beat"
    conditional = True

    def __init__(self, worker: Any, with_beat: bool = False, **options: Any) -> None:
        super().__init__(worker, **options)
        self.enabled = with_beat

    def create(self, worker: Any) -> Any:
        return Running(worker.app)


class Running:
    """Beat in its thread."""

    def __init__(self, app: Any) -> None:
        self._service = Service(app, scheduler_cls=app.conf.beat_scheduler)
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._service.stop()
        self._thread.join(STOPS_S)

    def _run(self) -> None:
        try:
            self._service.start()
        except Exception:
            log.exception("beat failed, and so this worker ends")
            setattr(state, "should_stop", FAILED)  # noqa: B010 (its type says that it stays None)
