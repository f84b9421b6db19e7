"""Idempotency-Key, as a program sees it."""

import pytest
from redis import Redis

from metrics.models import IdempotencyKey, Sample, Token
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/api/v1/samples"
ONE = {"samples": [{"metric": "orders_open", "value": 42}]}
TWO = {"samples": [{"metric": "orders_open", "value": 43}]}


@pytest.fixture
def program() -> Program:
    return Program("push")


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def test_sent_again_it_is_answered_again_and_not_stored_again(program: Program) -> None:
    answers = [program.post(PATH, ONE, **keyed("8e03978e-40d5-43dd-bc93-6894a57f9324")) for _ in range(3)]
    assert [(one.status_code, body(one)) for one in answers] == [(202, {"accepted": 1})] * 3
    assert Sample.objects.count() == 1


def test_without_a_key_it_is_stored_again(program: Program) -> None:
    assert [program.post(PATH, ONE).status_code for _ in range(2)] == [202, 202]
    assert not IdempotencyKey.objects.exists()


def test_another_body_with_the_same_key_is_422(program: Program) -> None:
    program.post(PATH, ONE, **keyed("k"))
    response = program.post(PATH, TWO, **keyed("k"))
    assert (response.status_code, fields(response)) == (422, [(None, "Idempotency-Key")])
    assert Sample.objects.count() == 1


def test_what_was_refused_may_be_put_right_under_the_same_key(program: Program) -> None:
    assert program.post(PATH, {"samples": [{"metric": "", "value": 1}]}, **keyed("k")).status_code == 422
    assert program.post(PATH, ONE, **keyed("k")).status_code == 202


def test_while_the_first_is_in_progress_it_is_409_and_says_when_to_come_again(program: Program, redis: Redis) -> None:
    redis.set(f"wf:push:{Token.objects.get().pk}:k", "somebody else", ex=30)
    response = program.post(PATH, ONE, **keyed("k"))
    assert response.status_code == 409
    assert int(response["Retry-After"]) > 0
    assert body(response)["detail"].endswith(".")
    assert not Sample.objects.exists()


@pytest.mark.parametrize("key", ["", "a b", "ä", "a\x7f", "k" * 256])
def test_a_key_that_is_none_is_400(program: Program, key: str) -> None:
    response = program.post(PATH, ONE, **keyed(key))
    assert response.status_code == 400
    assert body(response)["detail"].startswith("Idempotency-Key is not ")


def test_the_longest_key_is_one(program: Program) -> None:
    assert program.post(PATH, ONE, **keyed("~" * 255)).status_code == 202
    assert program.post(PATH, ONE, **keyed('"quoted"')).status_code == 202
