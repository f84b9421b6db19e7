"""Requests to the collecting worker, and how its answers find who asked."""

import threading
import time
from typing import Any

import pytest
from redis import Redis

from metrics.redis_state import collecting


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, Any]]:
    """The tasks that were asked for: name, arguments, options."""
    found: list[tuple[str, Any, Any]] = []
    monkeypatch.setattr(
        "celery.app.base.Celery.send_task", lambda _, name, args, **options: found.append((name, args, options))
    )
    return found


def test_a_run_is_asked_for_and_lapses(sent: list[tuple[str, Any, Any]]) -> None:
    collecting.run(7)
    assert sent == [("tasks.collect.collect", [7], {"queue": "collect", "expires": 60})]


def test_an_answer_finds_who_asked(redis: "Redis", sent: list[tuple[str, Any, Any]]) -> None:
    answers: dict[str, str | None] = {}
    asking = [
        threading.Thread(target=lambda name=name: answers.update({name: collecting.ask(name, 5)})) for name in "abc"
    ]
    for one in asking:
        one.start()
    until = time.monotonic() + 5
    while len(sent) < 3:
        assert time.monotonic() < until
    for _, (id,), options in sent:
        assert options == {"queue": "collect", "expires": 5}
        question = collecting.take(id)
        assert question
        collecting.answer(id, question.upper())
    for one in asking:
        one.join(5)
    assert answers == {"a": "A", "b": "B", "c": "C"}


def test_nobody_answers_for_ever(redis: "Redis", sent: list[tuple[str, Any, Any]]) -> None:
    began = time.monotonic()
    assert collecting.ask("a", 0.1) is None
    assert time.monotonic() - began < 2


def test_a_question_is_taken_once_and_lapses(redis: "Redis", sent: list[tuple[str, Any, Any]]) -> None:
    collecting.ask("a", 0.1)
    ((_, (id,), _),) = sent
    assert 0 < redis.ttl(f"wf:trial:{id}") <= 1
    assert collecting.take(id) == "a"
    assert collecting.take(id) is None


def test_an_answer_that_nobody_fetches_lapses(redis: "Redis") -> None:
    collecting.answer("x", "late")
    assert 0 < redis.ttl("wf:trial:x:answer") <= 60
