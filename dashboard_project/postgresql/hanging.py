"""A PostgreSQL that hangs: it takes connections, or holds them open, and answers nothing; or the network drops it all.

Neither the server's own timeouts nor libpq's end a query then: the one needs a server that runs, the other know TCP
alone, and a network that works. And how long a query takes says nothing, since some may take an hour. So while a query
goes unanswered for long, the server is asked something that takes no time, over a connection of its own. If it does not
answer that either, all that wait for it are told, and nobody else waits until it answers.
"""

import errno
import os
import threading
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
import structlog
from django.db import connection

log = structlog.get_logger(__name__)
T = TypeVar("T")

SUSPECT_S = 2.0
"""A query that waits for longer has the server asked, again and again."""
ANSWERS_S = 3
ASKED_FOR_S = 10
"""For how long it is asked at a time while it hangs: long, as what is asked waits in a queue for the server to go on,
but not for good, as another server may have its address by then."""


class HangsError(psycopg.OperationalError):
    """The server takes connections, and answers nothing."""

    def __init__(self) -> None:
        super().__init__("PostgreSQL hangs: it answers nothing")


class Server:
    """Whether the server hangs, as this process sees it."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Know nothing of it."""
        self.hangs = False
        self._asking = threading.Lock()
        self._rests_until = 0.0

    def check(self) -> None:
        """Raise HangsError if it hangs."""
        if self.hangs:
            raise HangsError

    def suspect(self) -> None:
        """Have it asked by a thread, unless it is being asked, or answered a moment ago."""
        if time.monotonic() >= self._rests_until and self._asking.acquire(blocking=False):
            try:
                threading.Thread(target=self._ask, name="database hangs?", daemon=True).start()
            except RuntimeError:  # the system has no more threads, or this process ends
                self._asking.release()

    def _ask(self) -> None:
        try:
            if not _answers(ANSWERS_S):
                self.hangs = True
                log.error("the database hangs")
                while not _answers(ASKED_FOR_S):
                    pass
                log.warning("the database answers again")
        finally:
            self.hangs = False
            self._rests_until = time.monotonic() + SUSPECT_S
            self._asking.release()


server = Server()
os.register_at_fork(after_in_child=server.forget)  # the thread that asks is in the parent alone


class Connection(psycopg.Connection[Any]):
    """One on which nobody waits for a server that hangs."""

    def wait(self, gen: Any, *args: Any, **more: Any) -> Any:
        """Do what psycopg does. Raises HangsError, and ends the connection, since what it is in the middle of stays."""
        try:
            return super().wait(_watched(gen, self._silent), *args, **more)
        except HangsError:
            self.pgconn.finish()
            raise

    def _silent(self, for_s: float) -> None:
        server.check()
        if for_s >= SUSPECT_S:
            server.suspect()


class _Asking(Connection):
    """One that takes no answer within `asked_for_s` for none."""

    asked_for_s: float

    def _silent(self, for_s: float) -> None:
        if for_s >= self.asked_for_s:
            raise HangsError


def _watched(gen: Generator[Any, int, T], silent: Any) -> Generator[Any, int, T]:
    """Do as `gen` does, and tell `silent` several times a second for how long nothing has come (seconds).

    psycopg resumes such a generator with what its socket is ready for, or with nothing if that takes a tenth of a
    second, see https://www.psycopg.org/psycopg3/docs/api/abc.html.
    """
    since = None
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                since = None
            else:
                now = time.monotonic()
                since = since or now
                silent(now - since)
            wanted = gen.send(ready)
    except StopIteration as done:
        found: T = done.value
        return found


def _answers(within_s: int) -> bool:
    """Return whether the server says anything within that time; to refuse is an answer, too."""
    parameters = {**connection.get_connection_params(), "connect_timeout": within_s}
    try:
        with _Asking.connect(**parameters) as asking:
            asking.asked_for_s = within_s
            asking.execute("SELECT 1")
    except (HangsError, psycopg.errors.ConnectionTimeout):
        return False
    except psycopg.Error as error:
        if os.strerror(errno.EAGAIN) not in str(error):
            return True
        time.sleep(1)  # its queue is full of those who asked before
        return False
    return True
