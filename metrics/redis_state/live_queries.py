"""Live queries: what widgets ask a server, and its newest answers, shared by all processes.

A question that waits stands in a hash of its server, once however many ask it, until its answer is stored. Beside each
question stands who waits for it. Answers lapse when nobody asks any more.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, cast

import msgspec
from celery import current_app

from metrics.redis_state import slots
from metrics.redis_state.connection import KEY, client

TASK = "tasks.collect.answer_live"
QUEUE = "collect"
WORTH_S = 10
WAITS_S = 60
KEPT_S = 600
"""How long an answer is kept that nobody asks for."""
HELD_S = 90
"""The longest time that one worker asks a server."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question for the source `source` (id): PromQL at `end` and, every `step_s`, up to `span_s` before it.

    Without `span_s` it is about `end` alone. With a `label` the values of that are asked for, of the series that `text`
    selects, of all if it is empty. `server` is a digest of where the source asks: a changed one is asked anew. One that
    is `fixed` is about the past; others are of now, and equal but for `end` they are the same question, asked again.
    """

    source: int
    server: str
    text: str
    end: float
    span_s: int = 0
    step_s: int = 0
    label: str = ""
    fixed: bool = False

    @property
    def id(self) -> str:
        parts = [self.source, self.server, self.text, self.span_s, self.step_s, self.label]
        return hashlib.sha256(json.dumps([*parts, self.end if self.fixed else 0]).encode()).hexdigest()[:32]


class Answer(msgspec.Struct, frozen=True):
    """The newest answer to a question: for each series its labels and its values from `start` to `end`, None in gaps.

    `tried` is the `end` of the newest question that was asked; if that failed, `error` is a sentence and the rest is of
    an earlier one, with an `end` of 0 if there was none. `failed_at` is when that was (Unix seconds). `notes` are what
    the server said besides. Of a label, `values` are its values.
    """

    tried: float
    start: float = 0
    end: float = 0
    series: list[tuple[dict[str, str], list[float | None]]] = []
    notes: list[str] = []
    error: str = ""
    values: list[str] = []
    failed_at: float = 0


_DECODER = msgspec.json.Decoder(Answer)


def digest(value: Any) -> str:
    """Return a digest of `value`, which JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def answers(questions: Iterable[Question]) -> dict[Question, Answer]:
    """Return the newest answers, as far as there are any. Raises RedisError."""
    asked = list(dict.fromkeys(questions))
    if not asked:
        return {}
    found = cast(list[str | None], client().mget([_answer(one) for one in asked]))
    return {one: _DECODER.decode(text) for one, text in zip(asked, found, strict=True) if text is not None}


def store(found: Sequence[tuple[Question, Answer]]) -> list[str]:
    """Keep answers; their questions wait no more. Return who waited for them. Raises RedisError."""
    if not found:
        return []
    pipe = client().pipeline()
    for question, answer in found:
        pipe.set(_answer(question), msgspec.json.encode(answer), ex=KEPT_S)
        pipe.hdel(_waiting(question.source), question.id)
        pipe.smembers(_asking(question))
        pipe.delete(_asking(question))
    return sorted(set().union(*pipe.execute()[2::4]))


def ask(questions: Iterable[Question], by: Mapping[Question, Sequence[str]]) -> None:
    """Have `questions` asked, and keep who waits for each. Raises RedisError, OperationalError."""
    asked = list(dict.fromkeys(questions))
    if not asked:
        return
    pipe = client().pipeline(transaction=False)
    for one in asked:
        if names := by.get(one):
            pipe.sadd(_asking(one), *names)
            pipe.expire(_asking(one), WAITS_S)
        pipe.hsetnx(_waiting(one.source), one.id, json.dumps(asdict(one)))
    for source in {one.source for one in asked}:
        pipe.expire(_waiting(source), WAITS_S)
    pipe.execute()
    for source in sorted({one.source for one in asked}):
        if not client().exists(f"{KEY}{_held(source)}"):
            current_app.send_task(TASK, args=[source], queue=QUEUE, expires=WORTH_S)


def keep(questions: Iterable[Question]) -> None:
    """Have the answers kept for longer: somebody still looks at them. Raises RedisError."""
    pipe = client().pipeline(transaction=False)
    for one in questions:
        pipe.expire(_answer(one), KEPT_S)
    pipe.execute()


def waiting(source: int) -> list[Question]:
    """Return the questions that wait to be asked of `source`. Raises RedisError."""
    found = cast(dict[str, str], client().hgetall(_waiting(source)))
    return [Question(**json.loads(text)) for text in found.values()]


def are_waiting(questions: Iterable[Question]) -> bool:
    """Return whether one of `questions` waits for its answer. Raises RedisError."""
    pipe = client().pipeline(transaction=False)
    for one in questions:
        pipe.hexists(_waiting(one.source), one.id)
    return any(pipe.execute())


def forget(source: int) -> None:
    """Drop the questions for `source`. Raises RedisError."""
    client().delete(_waiting(source))


@contextmanager
def hold(source: int) -> Iterator[bool]:
    """Be the only one that asks `source`; yields False while somebody else is."""
    with slots.hold(_held(source), HELD_S) as mine:
        yield mine


def _held(source: int) -> str:
    return f"live:held:{source}"


def _answer(question: Question) -> str:
    return f"{KEY}live:answer:{question.id}"


def _waiting(source: int) -> str:
    return f"{KEY}live:waiting:{source}"


def _asking(question: Question) -> str:
    return f"{KEY}live:asking:{question.id}"
