"""A push with an Idempotency-Key is stored once, whatever happens in between."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from redis import RedisError

from metrics.actions import idempotency
from metrics.actions.errors import Invalid
from metrics.actions.idempotency import Key, StillRunningError, made_once, once
from metrics.models import IdempotencyKey, Token
from metrics.models import Sample as Row
from metrics.redis_state import slots
from metrics.sample import BadSamples, Sample
from tests import make
from tests.make import AT, accepted, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

DAY_S = 24 * 3600


@pytest.fixture
def key() -> Key:
    make.token("job", "push")
    return Key(Token.objects.get(), "k-1", "a" * 64)


def push_once(key: Key, value: float, now: float = AT) -> int:
    """Push one sample without a time."""
    return once(key, lambda: accepted([Sample("orders_open", value)], None, now).count, now)


def stored() -> list[float]:
    return list(Row.objects.order_by("at_ms").values_list("value", flat=True))


def test_the_second_gets_the_first_answer_and_stores_nothing(key: Key) -> None:
    assert [push_once(key, 1), push_once(key, 1, AT + 60)] == [1, 1]
    assert stored() == [1]


def test_another_key_or_another_token_is_another_push(key: Key) -> None:
    make.token("other", "push")
    other = Token.objects.get(name="other")
    for n, one in enumerate([key, Key(key.token, "k-2", key.digest), Key(other, key.text, key.digest)]):
        push_once(one, n, AT + n)
    assert stored() == [0, 1, 2]


def test_another_body_with_the_same_key_is_refused(key: Key) -> None:
    push_once(key, 1)
    with pytest.raises(Invalid) as refused:
        push_once(Key(key.token, key.text, "b" * 64), 2, AT + 1)
    assert refused.value.field == "Idempotency-Key"
    assert stored() == [1]


def test_a_key_counts_for_a_day(key: Key) -> None:
    for after_s in (0, DAY_S - 1, DAY_S, DAY_S + 1):
        push_once(key, after_s, AT + after_s)
    assert stored() == [0, DAY_S]


def test_what_is_refused_does_not_use_up_its_key(key: Key) -> None:
    with pytest.raises(BadSamples):
        once(key, lambda: accepted([sample("")]).count, AT)
    assert push_once(key, 1) == 1


def test_what_could_not_be_kept_is_not_stored(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        assert stored()
        raise RuntimeError

    monkeypatch.setattr(idempotency, "_keep", fails)
    with pytest.raises(RuntimeError):
        once(key, lambda: accepted([sample()]).count, AT)
    assert not stored()
    assert not IdempotencyKey.objects.exists()


def test_an_empty_push_has_its_answer_kept_too(key: Key) -> None:
    assert once(key, lambda: accepted([]).count, AT) == 0
    assert IdempotencyKey.objects.get().accepted == 0


def test_while_the_first_is_in_progress_the_second_is_told_so(key: Key) -> None:
    def meanwhile() -> int:
        with pytest.raises(StillRunningError):
            push_once(key, 2)
        return accepted([sample(value=1)]).count

    assert once(key, meanwhile, AT) == 1
    assert push_once(key, 1) == 1
    assert stored() == [1]


@pytest.mark.django_db(transaction=True)
def test_without_redis_two_at_once_are_stored_once(monkeypatch: pytest.MonkeyPatch, key: Key) -> None:
    def unreachable(*_: object) -> None:
        raise RedisError("away")

    monkeypatch.setattr(slots, "hold", unreachable)
    start, answers, answered = threading.Barrier(2), [], idempotency._answered
    nobody = threading.local()

    def together(*asked: Any) -> IdempotencyKey | None:
        """Answer as ever, but the first time not before both have asked."""
        found = answered(*asked)
        if not hasattr(nobody, "waits"):
            nobody.waits = start.wait(10)
        return found

    monkeypatch.setattr(idempotency, "_answered", together)

    def run(now: float) -> None:
        try:
            answers.append(once(key, lambda: accepted([Sample("orders_open", now)], None, now).count, now))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(AT + n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [1, 1]
    assert len(stored()) == 1


def test_old_keys_are_forgotten_and_others_are_not(key: Key) -> None:
    for n in range(3):
        push_once(Key(key.token, f"k-{n}", key.digest), n, AT + n)
    idempotency.forget(AT + DAY_S + 1)
    (left,) = IdempotencyKey.objects.all()
    assert (left.key, left.at) == ("k-2", datetime.fromtimestamp(AT + 2, UTC))


def test_what_a_release_before_answered_is_not_known(key: Key) -> None:
    once(key, lambda: 1, AT)
    with pytest.raises(Invalid, match="what was answered then is not known"):
        made_once(key, dict, AT + 1)
