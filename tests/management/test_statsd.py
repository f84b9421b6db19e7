"""StatsD over UDP: its client sends, one thread receives, another stores."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError
from pytest_django import Settings
from statsd import StatsClient

from metrics.management import statsd as process
from metrics.management.statsd import FLUSHES_WAITING_MOST, Receiver, Writer, listening
from metrics.sample import Sample

OWN = {"statsd_datagrams_total", "statsd_malformed_total", "statsd_refused_total"}


class Running:
    """A receiver on a free port, what it flushed, and the client that sends to it."""

    def __init__(self) -> None:
        self.flushes: list[list[Sample]] = []
        self.socket = listening("127.0.0.1", 0)
        self.address = self.socket.getsockname()
        self.receiver = Receiver(self.socket, self.flushes.append)
        self.thread = threading.Thread(target=self.receiver.run)
        self.thread.start()
        self.client = StatsClient(*self.address)

    def stop(self) -> dict[str, float]:
        """Stop it as SIGTERM does; return what it flushed then."""
        self.receiver.stop()
        self.thread.join(10)
        return {one.metric: one.value for one in self.flushes[-1]}

    def close(self) -> None:
        self.stop()
        self.client.close()
        self.socket.close()


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running()
    yield made
    made.close()


class TestReceiver:
    def test_what_the_client_sends_is_flushed_when_it_is_stopped(self, running: Running) -> None:
        running.client.incr("orders", 3)
        running.client.decr("stock", 2)
        running.client.gauge("load", 1.5)
        running.client.gauge("load", 0.5, delta=True)
        running.client.gauge("balance", -7)
        running.client.timing("wait", 320)
        running.client.set("users", "ann")
        with running.client.pipeline() as pipe:
            pipe.incr("orders")
            pipe.set("users", "bob")
        found = running.stop()
        assert {name: value for name, value in found.items() if not name.startswith("wait_")} == {
            **{"orders_total": 4, "stock_total": -2, "load": 2, "balance": -7, "users": 2},
            **{"statsd_datagrams_total": 8, "statsd_malformed_total": 0, "statsd_refused_total": 0},
        }
        assert found["wait_p95"] == 320

    def test_what_is_malformed_is_counted_and_said_once_a_flush(
        self, running: Running, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            running.client._sock.sendto(b"\xff\x00nonsense", running.address)
        running.client.incr("orders")
        found = running.stop()
        assert (found["orders_total"], found["statsd_malformed_total"]) == (1, 3)
        assert len([record for record in caplog.records if "left out" in record.getMessage()]) == 1

    def test_what_there_is_no_room_for_is_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("metrics.ingest.aggregate.SERIES_MOST", len(OWN) + 1)
        small = Running()
        for name in "abc":
            small.client.incr(name)
        found = small.stop()
        small.close()
        assert (set(found), found["statsd_refused_total"]) == ({"a_total", *OWN}, 2)

    def test_it_flushes_by_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "FLUSH_S", 0.2)
        quick = Running()
        until = time.monotonic() + 10
        while len(quick.flushes) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        quick.close()
        assert len(quick.flushes) >= 3
        assert all({one.metric for one in flush} == OWN for flush in quick.flushes)


class TestWriter:
    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "RETRY_S", 0.01)

    def batch(self, n: int) -> list[Sample]:
        return [Sample(f"m{n}", 1.0)]

    def written(self, store: Callable[[Sequence[Sample], float], None], count: int) -> None:
        writer = Writer(store)
        for n in range(count):
            writer.put(self.batch(n))
        writer.close()

    def test_everything_is_stored_in_order(self) -> None:
        stored: list[Sequence[Sample]] = []
        self.written(lambda samples, now: stored.append(samples), 5)
        assert stored == [self.batch(n) for n in range(5)]

    @pytest.mark.parametrize("away", [OperationalError("away"), InterfaceError("away")])
    def test_it_waits_for_the_database(self, away: Exception) -> None:
        attempts: list[Sequence[Sample]] = []
        back = threading.Event()

        def store(samples: Sequence[Sample], now: float) -> None:
            attempts.append(samples)
            if len(attempts) < 4:
                raise away
            back.set()

        writer = Writer(store)
        writer.put(self.batch(0))
        assert back.wait(10)
        writer.close()
        assert attempts == [self.batch(0)] * 4

    def test_what_can_not_be_stored_is_given_up(self, caplog: pytest.LogCaptureFixture) -> None:
        stored: list[Sequence[Sample]] = []

        def store(samples: Sequence[Sample], now: float) -> None:
            if not stored:
                stored.append([])
                raise RuntimeError("a mistake")
            stored.append(samples)

        self.written(store, 2)
        assert stored == [[], self.batch(1)]
        assert "a flush was given up" in caplog.text

    def test_the_oldest_are_given_up_when_too_many_wait(self) -> None:
        stored: list[Sequence[Sample]] = []
        begun, go_on = threading.Event(), threading.Event()

        def store(samples: Sequence[Sample], now: float) -> None:
            begun.set()
            assert go_on.wait(10)
            stored.append(samples)

        writer = Writer(store)
        writer.put(self.batch(0))
        assert begun.wait(10)
        for n in range(1, FLUSHES_WAITING_MOST + 3):
            writer.put(self.batch(n))
        go_on.set()
        writer._thread.join(0.5)
        writer.close()
        assert stored == [self.batch(0), *(self.batch(n) for n in range(3, FLUSHES_WAITING_MOST + 3))]


class TestCommand:
    def test_without_a_port_there_is_nothing_to_do(self) -> None:
        with pytest.raises(CommandError, match=r"^STATSD_PORT is not set, .+\.$"):
            call_command("statsd")

    def test_a_port_in_use_is_said_in_a_sentence(self, settings: Settings) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            settings.STATSD_PORT = taken.getsockname()[1]
            with pytest.raises(CommandError) as refused:
                call_command("statsd")
        port = settings.STATSD_PORT
        assert str(refused.value) == f"UDP port {port} on 127.0.0.1 can't be listened on (address already in use)."
