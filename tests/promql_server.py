"""A server that speaks Prometheus' API, for tests: `with promql_server() as server: …` with what was asked of it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from metrics.actions import live_queries
from tests.sources.web import Handler, answering, serving

Valued = Callable[[dict[str, str], float], float | None]


@dataclass
class PromqlServer:
    """A server with the series `labels`, whose value at a time is `value`; `asked` are path and parameters, in order.

    While `refuses` is set, its status and body are answered instead, and while `hangs`, nothing is. `more` is put
    beside each answer.
    """

    labels: list[dict[str, str]] = field(default_factory=lambda: [{"__name__": "up", "host": "a"}])
    value: Valued = lambda labels, at: at % 1000
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    refuses: tuple[int, Any] | None = None
    hangs: bool = False
    more: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, handler: Handler) -> None:
        address = urlsplit(handler.path)
        given = parse_qs(handler.sent().decode()) | parse_qs(address.query)
        asked = {name: values[0] for name, values in given.items()}
        with self.lock:
            self.asked.append((address.path.rpartition("/api/v1/")[2], asked))
        if self.hangs:
            handler.over.wait(30)
            return
        status, body = self.refuses or (200, {"status": "success", "data": self._data(address.path, asked)} | self.more)
        handler.answer(status, body if isinstance(body, str) else json.dumps(body))

    def _data(self, path: str, asked: dict[str, str]) -> Any:
        if path.endswith("/values"):
            name = path.split("/")[-2]
            return sorted({one[name] for one in self.labels if name in one})
        if path.endswith("/query"):
            at = float(asked["time"])
            result = [{"metric": one, "value": [at, self._text(one, at)]} for one in self.labels if self._has(one, at)]
            return {"resultType": "vector", "result": result}
        start, end, step = (int(asked[name]) for name in ("start", "end", "step"))
        times = range(start, end + 1, step)
        series = [(one, [[at, self._text(one, at)] for at in times if self._has(one, at)]) for one in self.labels]
        return {"resultType": "matrix", "result": [{"metric": one, "values": some} for one, some in series if some]}

    def _has(self, labels: dict[str, str], at: float) -> bool:
        return self.value(labels, at) is not None

    def _text(self, labels: dict[str, str], at: float) -> str:
        return str(self.value(labels, at)).replace("inf", "+Inf").replace("nan", "NaN")


@contextmanager
def promql_server() -> Iterator[PromqlServer]:
    """Serve until the end of the block."""
    server = PromqlServer()
    with serving(answering(lambda handler: server.answer(handler))) as url:
        server.url = url
        yield server


def answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a worker answer live queries as soon as it is asked for."""

    def work(_: Any, task: str, args: tuple[Any, ...] = (), **options: Any) -> None:
        if task == "tasks.collect.answer_live":
            live_queries.answer(args[0])

    monkeypatch.setattr("celery.app.base.Celery.send_task", work)
