"""Loading ahead: all that the first change would wait for, and a part that fails keeps no other from it."""

import sys
from typing import Any

import pytest
from celery import signals
from django.template import engines

from dashboard_project import warm
from dashboard_project.celery import DRAWS, app
from metrics import markdown
from metrics.widgets import registry


def test_the_parts_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm.log, "exception", lambda *_, **told: pytest.fail(str(told)))
    markdown._made.cache_clear()
    markdown.html.cache_clear()
    warm.load()
    assert "markdown_it" in sys.modules
    assert markdown._made.cache_info().currsize, "its parser is made"
    (loader,) = engines["django"].engine.template_loaders  # type: ignore[attr-defined]
    cached = str(list(loader.get_template_cache))
    assert [name for name in registry.kinds() if f"widgets/{name}.html" not in cached] == []


def test_a_part_that_fails_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def broken() -> None:
        raise OSError("no such file")

    monkeypatch.setattr(warm, "PARTS", (broken, lambda: done.append("second")))
    warm.load()
    assert done == ["second"]


def test_only_a_worker_that_draws_loads_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(warm, "begin", lambda: begun.append(1))
    from dashboard_project.celery import load_ahead

    for queues, expected in ((["collect"], 0), (["system", DRAWS], 1)):
        monkeypatch.setattr(app.amqp.queues, "_consume_from", dict.fromkeys(queues))
        load_ahead()
        assert len(begun) == expected, queues
    assert signals.worker_ready.receivers
