"""A PostgreSQL that hangs is told from one that takes long or refuses, waited for once, and back when it answers."""

import errno
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import Error, connection
from psycopg import OperationalError

from metrics.database import NO_ANSWER, unavailable
from tests import postgresql, trouble

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not trouble.IS_POSTGRESQL, reason="it is PostgreSQL's"),
]
if trouble.IS_POSTGRESQL:
    from dashboard_project.postgresql import hanging

SUSPECT_S = 0.2
ANSWERS_S = 2
"""psycopg connects for no shorter time."""
MANY = 10


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.Server]:
    with tempfile.TemporaryDirectory(prefix="wf-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with postgresql.postgresql(Path(folder)) as started:
            yield started


@pytest.fixture(autouse=True)
def connected(server: postgresql.Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hanging, "SUSPECT_S", SUSPECT_S)
    monkeypatch.setattr(hanging, "ANSWERS_S", ANSWERS_S)
    monkeypatch.setattr(hanging, "server", hanging.Server())
    monkeypatch.setattr("dashboard_project.postgresql.base.server", hanging.server)
    with trouble.connected(server.place):
        yield


def ask(query: str = "SELECT 7") -> object:
    """Return what the database answers over a connection that the pool gives out, and the pool has back then."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]
    finally:
        connection.close()


def refused_in_s() -> float:
    """Return how long it takes to be refused."""
    began = time.monotonic()
    with pytest.raises(Error) as refused:
        ask()
    assert unavailable(refused.value) == NO_ANSWER
    return time.monotonic() - began


def until_it_answers() -> None:
    until = time.monotonic() + 30
    while True:
        try:
            assert ask() == 7
            return
        except Error:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_one_that_hangs_is_waited_for_once(server: postgresql.Server) -> None:
    assert ask() == 7
    with server.hanging():
        assert ANSWERS_S <= refused_in_s()
        with ThreadPoolExecutor(MANY) as threads:  # none of these has a connection yet
            assert max(threads.map(lambda _: refused_in_s(), range(MANY))) < ANSWERS_S
    until_it_answers()
    assert not hanging.server.hangs


def test_queries_under_way_end_together_and_their_connections_with_them(server: postgresql.Server) -> None:
    begun = threading.Barrier(4, timeout=30)

    def lose() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            begun.wait()
            with pytest.raises(Error) as lost:
                cursor.execute("SELECT pg_sleep(60)")
        was_ended: bool = connection.connection.closed
        connection.close()
        return was_ended and unavailable(lost.value) == NO_ANSWER

    with ThreadPoolExecutor(3) as threads:
        losing = [threads.submit(lose) for _ in range(3)]
        begun.wait()
        with server.hanging():
            assert [one.result(30) for one in losing] == [True, True, True]
    until_it_answers()


def test_what_takes_long_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []

    def noted(within_s: int) -> bool:
        found.append(real(within_s))
        return found[-1]

    real = hanging._answers
    monkeypatch.setattr(hanging, "_answers", noted)
    assert ask(f"SELECT 7 FROM pg_sleep({6 * SUSPECT_S})") == 7
    assert found
    assert all(found)
    assert len(found) < 10, "it rests after each answer"


def test_all_connections_in_use_is_not_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pool", {"min_size": 0, "max_size": 1, "timeout": 0.1})
    connection.close_pool()  # type: ignore[attr-defined]
    with connection.cursor(), ThreadPoolExecutor(1) as thread:
        assert thread.submit(refused_in_s).result() < ANSWERS_S
        assert thread.submit(refused_in_s).result() < ANSWERS_S
    assert not hanging.server.hangs
    until_it_answers()


@pytest.fixture
def silent() -> Iterator[str]:
    """A folder with the socket of a server that accepts nobody."""
    with tempfile.TemporaryDirectory(prefix="wf-", dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{folder}/.s.PGSQL.1")
        listening.listen(0)
        yield folder


def test_silence_is_no_answer_also_where_no_more_may_wait_for_one(silent: str) -> None:
    with trouble.connected({"HOST": silent, "PORT": 1}), socket.socket(socket.AF_UNIX) as another:
        assert not hanging._answers(ANSWERS_S)
        another.setblocking(False)
        assert another.connect_ex(f"{silent}/.s.PGSQL.1") == errno.EAGAIN
        assert not hanging._answers(ANSWERS_S)


@pytest.mark.parametrize("place", [{}, {"NAME": "none"}, {"PORT": 1}])
def test_a_refusal_is_an_answer(place: dict[str, str | int]) -> None:
    with trouble.connected(place):
        assert hanging._answers(ANSWERS_S)


def test_behind_a_pooler_a_query_tells(server: postgresql.Server) -> None:
    with hanging._Asking.connect(**connection.get_connection_params(), autocommit=True) as asking:
        asking.asked_for_s = SUSPECT_S
        with pytest.raises(OperationalError, match="answers nothing"):
            asking.execute("SELECT pg_sleep(60)")
        assert asking.closed


def test_a_connection_that_the_network_forgot_is_ended_by_tcp(server: postgresql.Server) -> None:
    with trouble.connected({**server.place, "HOST": "127.0.0.1", "USER": server.user, "PASSWORD": server.password}):
        with connection.cursor(), socket.socket(fileno=os.dup(connection.connection.pgconn.socket)) as tcp:
            assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
            assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
        connection.close()


def test_it_is_asked_again_after_no_thread_could_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", _refuse)
        hanging.server.suspect()
    asked = threading.Event()

    def answers(within_s: int) -> bool:
        asked.set()
        return True

    monkeypatch.setattr(hanging, "_answers", answers)
    hanging.server.suspect()
    assert asked.wait(30)


def _refuse(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_that_is_forked_while_it_hangs_knows_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the one of the process
    monkeypatch.setattr(hanging.server, "hangs", True)
    pid = os.fork()
    if not pid:
        os._exit(hanging.server.hangs)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert hanging.server.hangs
