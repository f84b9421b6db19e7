"""StatsD over UDP: one thread receives and adds up, another stores, so that a slow database loses no datagrams."""

import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog
from django.db import close_old_connections

from metrics.database import unavailable
from metrics.ingest import statsd
from metrics.ingest.aggregate import FLUSH_S, Aggregate
from metrics.ingest.statsd import COUNTER, BadReading, Reading
from metrics.sample import Sample

log = structlog.get_logger(__name__)

DATAGRAM_MOST = 65_535
BUFFER_BYTES = 4 * 1024 * 1024
NOTICES_STOP_S = 0.5
STOPPING_S = 1.0
FLUSHES_WAITING_MOST = 30
RETRY_S = 5.0
STOPS_AFTER_S = 5.0

OWN = ("statsd_datagrams", "statsd_malformed", "statsd_refused")
"""Counters of the lines themselves, flushed like any other counter."""

Store = Callable[[Sequence[Sample], float], None]


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that receives what is sent to `host`:`port` over UDP. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host.strip("[]") or None, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


class Receiver:
    """Adds up what arrives at `receiving`, and hands it to `put` every `FLUSH_S` seconds."""

    def __init__(self, receiving: socket.socket, put: Callable[[list[Sample]], None]) -> None:
        self._receiving = receiving
        self._put = put
        self._stopping = False
        self._aggregate = Aggregate(time.time())
        self._counts = dict.fromkeys(OWN, 0)
        self._example = ""
        self._add_counts(time.time())  # before others take all the room there is

    def stop(self) -> None:
        """Have `run` take what arrived until now, and return. Handlers of signals may call it: it takes no lock."""
        self._stopping = True

    def run(self) -> None:
        flush_at = time.monotonic() + FLUSH_S
        while not self._stopping:
            self._receive(max(0.001, min(flush_at - time.monotonic(), NOTICES_STOP_S)))
            if time.monotonic() >= flush_at:
                self._flush()
                flush_at += FLUSH_S
        until = time.monotonic() + STOPPING_S
        while self._receive(0.001) and time.monotonic() < until:
            pass
        self._flush()

    def _receive(self, wait_s: float) -> bool:
        """Take one datagram, if one comes in time; return whether one came."""
        self._receiving.settimeout(wait_s)
        try:
            datagram = self._receiving.recv(DATAGRAM_MOST)
        except TimeoutError:
            return False
        self._counts["statsd_datagrams"] += 1
        now = time.time()
        for reading in statsd.parse(datagram):
            if isinstance(reading, BadReading):
                self._counts["statsd_malformed"] += 1
                self._example = str(reading)
            elif not self._aggregate.add(reading, now):
                self._counts["statsd_refused"] += 1
        return True

    def _flush(self) -> None:
        now = time.time()
        if self._counts["statsd_malformed"] or self._counts["statsd_refused"]:
            log.warning("lines were left out", example=self._example, **self._counts)
        self._add_counts(now)
        self._put(self._aggregate.flush(now))

    def _add_counts(self, now: float) -> None:
        for name, count in self._counts.items():
            self._aggregate.add(Reading(name, (), COUNTER, (float(count),)), now)
        self._counts = dict.fromkeys(OWN, 0)


class Writer:
    """Stores flushes in order, and again while the database is away; the oldest are given up when too many wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: queue.Queue[list[Sample] | None] = queue.Queue(FLUSHES_WAITING_MOST)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def put(self, samples: list[Sample]) -> None:
        if self._waiting.full():
            given_up = self._waiting.get()
            log.error("a flush was given up", samples=len(given_up or ()))
        self._waiting.put(samples)

    def close(self) -> None:
        """Store what waits, and try each once more at most."""
        self._stop.set()
        with suppress(queue.Full):  # then the database is away, and what waits is lost anyway
            self._waiting.put_nowait(None)
        self._thread.join(STOPS_AFTER_S)

    def _run(self) -> None:
        while (samples := self._waiting.get()) is not None:
            while not self._is_stored(samples) and not self._stop.wait(RETRY_S):
                pass

    def _is_stored(self, samples: list[Sample]) -> bool:
        """Store `samples`; False if the database is away. Any other failure would happen again."""
        close_old_connections()
        try:
            self._store(samples, time.time())
        except Exception as error:
            if reason := unavailable(error):
                log.warning("a flush waits", reason=reason, error=str(error))
                return False
            log.exception("a flush was given up", samples=len(samples))
        return True
