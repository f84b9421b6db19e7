"""Pushing: what a program is told, in every case, and that a retry does no harm."""

import gzip
import json
import time
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from pytest_django import Settings

from metrics.models import Sample, Series
from tests import make
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/api/v1/samples"
ONE = {"samples": [{"metric": "orders_open", "value": 42}]}


def batch(*entries: Any) -> dict[str, Any]:
    return {"samples": list(entries)}


def many(count: int) -> dict[str, Any]:
    return batch(*({"metric": "m", "value": i, "at": time.time() - i} for i in range(count)))


@pytest.fixture
def program() -> Program:
    return Program("push")


class TestAccepted:
    def test_the_answer_counts_the_samples(self, program: Program) -> None:
        response = program.post(PATH, batch({"metric": "a", "value": 1}, {"metric": "b", "value": 2.5}))
        assert (response.status_code, body(response)) == (202, {"accepted": 2})
        assert Sample.objects.count() == 2

    def test_everything_that_was_sent_is_kept(self, program: Program) -> None:
        at = round(time.time()) - 60.0
        program.post(PATH, batch({"metric": "a", "value": 1.5, "labels": {"dc": "ä"}, "at": at, "unit": "bytes"}))
        series, sample = Series.objects.get(), Sample.objects.get()
        assert (series.metric, series.labels, series.unit) == ("a", {"dc": "ä"}, "bytes")
        assert (sample.value, sample.at_ms) == (1.5, at * 1000)

    def test_the_series_belong_to_the_token_that_pushed_them(self, program: Program) -> None:
        program.post(PATH, ONE)
        source = Series.objects.get().source
        assert source is not None
        assert source.name == "push: job"

    def test_a_retry_changes_nothing(self, program: Program) -> None:
        push = batch({"metric": "a", "value": 1, "at": time.time()})
        answers = [program.post(PATH, push).status_code for _ in range(3)]
        assert answers == [202, 202, 202]
        assert Sample.objects.count() == 1

    def test_an_empty_batch_is_accepted(self, program: Program) -> None:
        assert body(program.post(PATH, batch())) == {"accepted": 0}

    def test_an_admin_token_may_push_too(self) -> None:
        assert Program("admin").post(PATH, ONE).status_code == 202

    def test_no_content_type_is_needed(self, program: Program) -> None:
        response = program.http.post(
            PATH, b'{"samples": []}', content_type="text/plain", headers={"Authorization": f"Bearer {program.token}"}
        )
        assert response.status_code == 202

    def test_what_is_said_about_all_of_a_batch_is_kept_with_each_series(self, program: Program) -> None:
        push = batch({"metric": "a", "value": 1}, {"metric": "b", "value": 1, "labels": {"dc": "2"}})
        program.post(PATH, {**push, "labels": {"dc": "1"}, "type": "counter", "expected_every": 5, "expires_after": 60})
        said = Series.objects.order_by("metric").values_list("labels", "type", "expected_every_s", "expires_after_s")
        assert list(said) == [({"dc": "1"}, "counter", 5, 60), ({"dc": "2"}, "counter", 5, 60)]

    def test_it_may_be_packed(self, program: Program) -> None:
        packed = gzip.compress(json.dumps(ONE).encode())
        assert program.post(PATH, packed, **{"Content-Encoding": "gzip"}).status_code == 202


class TestRefused:
    @pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer wf_wrong", "Basic YTpi", "wf_x"])
    def test_without_a_valid_token_it_is_401(self, authorization: str | None) -> None:
        headers = {} if authorization is None else {"Authorization": authorization}
        response = Program(None).post(PATH, ONE, **headers)
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer, Basic ")
        assert body(response)["detail"].endswith(".")
        assert not Sample.objects.exists()

    def test_a_revoked_token_is_no_token(self, program: Program) -> None:
        make.revoke_token("job")
        assert program.post(PATH, ONE).status_code == 401

    def test_a_signed_in_browser_is_no_token(self, admin_client: Any) -> None:
        assert admin_client.post(PATH, ONE, content_type="application/json").status_code == 401

    def test_a_token_that_may_only_read_is_told_so(self) -> None:
        response = Program("read").post(PATH, ONE)
        assert response.status_code == 403
        assert body(response)["detail"] == (
            "This token has the scope read; push is needed: only tokens with that scope, or with admin, may do this."
        )
        assert not Sample.objects.exists()

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_another_method_is_405(self, program: Program, method: str) -> None:
        response = getattr(program.http, method)(PATH, headers={"Authorization": f"Bearer {program.token}"})
        assert response.status_code == 405
        assert "POST" in response["Allow"]

    @pytest.mark.parametrize("raw", [b"", b"{", b"metric=1", b"\xff", b"[" * 100_000])
    def test_what_is_not_json_is_400(self, program: Program, raw: bytes) -> None:
        response = program.post(PATH, raw)
        assert response.status_code == 400
        assert body(response)["detail"].startswith("The body is not JSON: ")

    @pytest.mark.parametrize(
        ("entry", "field"),
        [
            (None, "samples"),
            ({"metric": "b"}, "value"),
            ({"metric": "", "value": 1}, "metric"),
            ({"metric": "b", "value": 1, "at": time.time() + 3600}, "at"),
            ({"metric": "b", "value": 1, "labels": {"": "c"}}, "labels"),
            ({"metric": "b", "value": 1, "labels": {"a": "\x00"}}, "labels"),
            ({"metric": "b", "value": 1, "labels": {"a": "\ud800"}}, "labels"),
            ({"metric": "b", "value": 1, "unit": "\ud800"}, "unit"),
            ({"metric": "b" * 201, "value": 1}, "metric"),
            ({"metric": "b", "value": 1, "unit": "u" * 21}, "unit"),
            ({"metric": "b", "value": 1, "type": "histogram"}, "type"),
            ({"metric": "b", "value": 1, "expires_after": 0}, "expires_after"),
            ({"metric": "b", "value": 1, "expected_every": 1e9}, "expected_every"),
        ],
    )
    def test_one_bad_sample_is_422_by_index_and_field_and_nothing_is_stored(
        self, program: Program, entry: Any, field: str
    ) -> None:
        response = program.post(PATH, batch({"metric": "a", "value": 1}, entry))
        assert response.status_code == 422
        assert fields(response) == [(1, field)]
        assert not Sample.objects.exists()
        assert not Series.objects.exists()

    @pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
    def test_numbers_that_are_none_are_422(self, program: Program, value: bytes) -> None:
        response = program.post(PATH, b'{"samples": [{"metric": "a", "value": %s}]}' % value)
        assert response.status_code == 422
        assert fields(response) == [(0, "value")]

    def test_a_field_whose_name_is_no_text_is_refused_all_the_same(self, program: Program) -> None:
        response = program.post(PATH, b'{"samples": [{"metric": "a", "value": 1, "\\ud800": 1}]}')
        assert response.status_code == 422

    @pytest.mark.parametrize("size", [0, 1])
    def test_a_body_over_the_limit_is_413_and_one_at_the_limit_is_not(
        self, program: Program, settings: Settings, size: int
    ) -> None:
        settings.PUSH_BODY_LIMIT_BYTES = 2000
        raw = b'{"samples": []}'
        response = program.post(PATH, raw + b" " * (2000 - len(raw) + size))
        assert response.status_code == (413 if size else 202)

    @pytest.mark.parametrize(("encoding", "status"), [("br", 415), ("gzip", 400)])
    def test_a_body_that_can_not_be_unpacked_is_refused(self, program: Program, encoding: str, status: int) -> None:
        response = program.post(PATH, ONE, **{"Content-Encoding": encoding})
        assert response.status_code == status
        assert body(response)["detail"].endswith(".")

    @pytest.mark.usefixtures("one_minute")
    def test_a_body_over_djangos_own_limit_is_413(self, program: Program, settings: Settings) -> None:
        response = program.post(PATH, b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))
        assert response.status_code == 413
        assert "split the batch" in body(response)["detail"]


class TestTooFast:
    @pytest.fixture(autouse=True)
    def _hundred_a_minute(self, settings: Settings) -> None:
        settings.PUSH_SAMPLES_PER_MINUTE = 100

    def test_it_is_429_and_says_how_long_to_wait(self, program: Program) -> None:
        assert program.post(PATH, many(60)).status_code == 202
        response = program.post(PATH, many(60))
        assert response.status_code == 429
        assert 1 <= int(response["Retry-After"]) <= 60
        assert body(response)["detail"].endswith(".")
        assert Sample.objects.count() == 60

    def test_others_are_not_concerned(self, program: Program) -> None:
        program.post(PATH, many(100))
        assert Program("push", "other").post(PATH, ONE).status_code == 202

    def test_what_can_never_be_stored_in_one_push_is_413(self, program: Program) -> None:
        response = program.post(PATH, many(101))
        assert response.status_code == 413
        assert body(response)["detail"].endswith("split the batch.")

    def test_empty_batches_count_too(self, program: Program) -> None:
        answers = (program.post(PATH, batch()).status_code for _ in range(600))  # on a slow machine, more are allowed
        assert 429 in answers


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("away")])
def test_without_a_database_it_is_503_and_says_when_to_come_again(
    program: Program, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The failing write stands for a database that went away; tests/integration may stop a real one."""

    def unreachable(*_: Any) -> None:
        raise error

    monkeypatch.setattr("metrics.actions.samples.write", unreachable)
    response = program.post(PATH, ONE)
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "nothing was stored" in body(response)["detail"]
