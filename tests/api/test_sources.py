"""Managing sources through the API."""

import time
from typing import Any

import pytest

from metrics.actions import runs, trials
from metrics.models import Series, Source
from tests import door, make
from tests.api.client import Program, body, fields
from tests.door import PASSWORD
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/api/v1/sources"
GOOD: dict[str, Any] = {"kind": "http_check", "name": "shop", "every": 30, "config": {"url": "https://shop.example/"}}
NEW: dict[str, Any] = {
    "access": {"everyone": True, "teams": []},
    "cron": "",
    "time_zone": "",
    "credentials": [],
    "trusted": True,
    "enabled": True,
    "raw_retention_hours": None,
    "minute_retention_days": None,
    "hour_retention_days": None,
    "state": "waiting",
    "last_run_at": None,
    "last_success_at": None,
    "last_duration": None,
    "last_samples": None,
    "last_note": "",
    "last_verdict": "",
    "last_error": "",
    "failures": 0,
}


@pytest.fixture
def program() -> Program:
    return Program("admin")


def test_a_source_is_made_and_listed(program: Program) -> None:
    response = program.post(PATH, GOOD)
    made = body(response)
    assert response.status_code == 201
    assert {**GOOD, **NEW, "id": Source.objects.get(name="shop").pk} == made
    assert made in body(program.get(PATH))["sources"]


def test_a_source_may_run_by_cron(program: Program) -> None:
    when = {"every": None, "cron": "30 6 * * MON-FRI", "time_zone": "Europe/Zurich"}
    made = body(program.post(PATH, {**GOOD, **when}))
    assert {name: made[name] for name in when} == when
    assert body(program.post(PATH, {**GOOD, **when, "name": "other", "time_zone": ""}))["time_zone"] == "UTC"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cron": "* * * * *"}, "every"),
        ({"every": None, "cron": "* * * *"}, "cron"),
        ({"every": None, "cron": "*" * 101}, "cron"),
        ({"every": None, "cron": "* * * * *", "time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "UTC"}, "time_zone"),
        ({"kind": "carrier_pigeon"}, "kind"),
        ({"kind": "push"}, "kind"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"every": 0}, "every"),
        ({"every": 86_401}, "every"),
        ({"every": None}, "every"),
        ({"config": {}}, "config.url"),
        ({"config": {"url": "ftp://x"}}, "config.url"),
        ({"config": {"url": "http://x:port/"}}, "config.url"),
        ({"config": {"url": "http://x/", "colour": 1}}, "config.colour"),
        ({"config": {"url": "http://x/", "name": "a\x00b"}}, "config.name"),
        ({"config": []}, "config"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_bad_is_422_by_field_and_makes_nothing(program: Program, changes: dict[str, Any], field: str) -> None:
    response = program.post(PATH, {**GOOD, **changes})
    assert response.status_code == 422
    assert field in ".".join(name for _, name in fields(response))
    assert not Source.objects.exclude(kind="push").exists()


def test_a_name_in_use_is_422(program: Program) -> None:
    program.post(PATH, GOOD)
    response = program.post(PATH, GOOD)
    assert (response.status_code, fields(response)) == (422, [(None, "name")])


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"["])
def test_what_is_not_json_is_400(program: Program, raw: bytes) -> None:
    assert program.post(PATH, raw).status_code == 400


def one(source: Source, *more: str) -> str:
    return "/".join([PATH, str(source.pk), *more])


class TestOne:
    def test_it_is_read(self, program: Program) -> None:
        made = body(program.post(PATH, GOOD))
        assert body(program.get(f"{PATH}/{made['id']}")) == made

    def test_what_its_runs_noted_is_there(self, program: Program) -> None:
        source = make.source()
        runs.collect(source.pk)
        found = body(program.get(one(source)))
        assert found["state"] == "ok"
        assert found["last_samples"] > 10
        assert abs(found["last_run_at"] - time.time()) < 60
        assert found["last_success_at"] == found["last_run_at"]

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, {}),
            ({"name": "new"}, {"name": "new"}),
            ({"enabled": False}, {"enabled": False, "state": "off"}),
            ({"every": 60}, {"every": 60}),
            ({"raw_retention_hours": 7}, {"raw_retention_hours": 7}),
            ({"cron": "5 * * * *"}, {"every": None, "cron": "5 * * * *", "time_zone": "UTC"}),
            ({"config": {"url": "http://y/"}}, {"config": {"url": "http://y/"}}),
        ],
    )
    def test_what_is_given_changes_and_the_rest_stays(
        self, program: Program, changes: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        made = body(program.post(PATH, GOOD))
        response = program.patch(f"{PATH}/{made['id']}", changes)
        assert response.status_code == 200
        assert body(response) == {**made, **expected} == body(program.get(f"{PATH}/{made['id']}"))

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": None}, "name"),
            ({"enabled": None}, "enabled"),
            ({"every": 0}, "every"),
            ({"every": 5, "cron": "5 * * * *"}, "every"),
            ({"cron": "5 * * *"}, "cron"),
            ({"time_zone": "UTC"}, "time_zone"),
            ({"raw_retention_hours": 0}, "raw_retention_hours"),
            ({"hour_retention_days": 36_501}, "hour_retention_days"),
            ({"config": {"url": 1}}, "config.url"),
            ({"kind": "host"}, "kind"),
            ({"id": 7}, "id"),
            ({"last_error": ""}, "last_error"),
        ],
    )
    def test_what_is_bad_is_422_by_field_and_changes_nothing(
        self, program: Program, changes: dict[str, Any], field: str
    ) -> None:
        made = body(program.post(PATH, GOOD))
        response = program.patch(f"{PATH}/{made['id']}", {"enabled": False, **changes})
        assert (response.status_code, fields(response)[0]) == (422, (None, field))
        assert body(program.get(f"{PATH}/{made['id']}")) == made

    def test_it_is_removed(self, program: Program) -> None:
        made = body(program.post(PATH, GOOD))
        response = program.delete(f"{PATH}/{made['id']}")
        assert (response.status_code, response.content) == (204, b"")
        assert program.get(f"{PATH}/{made['id']}").status_code == 404

    def test_what_a_token_pushes_is_neither_changed_nor_removed(self, program: Program) -> None:
        pushed = Source.objects.get(kind="push")
        for response in (program.patch(one(pushed), {"name": "x"}), program.delete(one(pushed))):
            assert (response.status_code, fields(response)) == (422, [(None, "id")])
        assert Source.objects.filter(pk=pushed.pk).exists()


@pytest.mark.parametrize("id", ["0", "-1", "x", "7" * 30, "9" * 5000, "1.5", "%00"])
@pytest.mark.parametrize("rest", ["", "/runs", "/test", "/run"])
def test_what_is_no_id_is_refused(program: Program, id: str, rest: str) -> None:
    path = f"{PATH}/{id}{rest}"
    response = program.get(path) if rest in ("", "/runs") else program.post(path, b"")
    assert (response.status_code, fields(response)) == (422, [(None, "id")])


def test_what_is_not_there_is_404_in_a_sentence(program: Program) -> None:
    there = {"detail": "There is no source 4711."}
    path = f"{PATH}/4711"
    responses = [program.get(path), program.patch(path, {}), program.delete(path), program.get(f"{path}/runs")]
    responses += [program.post(f"{path}/test", b""), program.post(f"{path}/run", b"")]
    responses += [program.post(f"{PATH}/test", {"kind": "host", "id": 4711})]
    assert [(response.status_code, body(response)) for response in responses] == [(404, there)] * 7


class TestRuns:
    def test_the_newest_come_first(self, program: Program) -> None:
        source = make.source()
        for n in range(3):
            source.runs.create(started_at="2026-11-20T12:00Z", duration_s=n / 2, samples=n, error="x" * n, note="y")
        found = body(program.get(one(source, "runs"), limit=2))
        expected = {"started_at": AT, "duration": 1.0, "samples": 2, "error": "xx", "note": "y", "verdict": ""}
        assert (len(found["runs"]), found["runs"][0]) == (2, expected)

    @pytest.mark.parametrize("limit", ["0", "201", "x", ""])
    def test_a_limit_that_makes_no_sense_is_422(self, program: Program, limit: str) -> None:
        response = program.get(one(make.source(), "runs"), limit=limit)
        assert (response.status_code, fields(response)) == (422, [(None, "limit")])

    def test_one_is_asked_for(self, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[Any] = []
        monkeypatch.setattr("celery.app.base.Celery.send_task", lambda _, name, args, **__: asked.append((name, args)))
        source = make.source()
        assert program.post(one(source, "run"), b"").status_code == 202
        assert asked == [("tasks.collect.collect", [source.pk])]
        Source.objects.update(enabled=False)
        assert fields(program.post(one(source, "run"), b"")) == [(None, "enabled")]


class TestTrials:
    @pytest.fixture(autouse=True)
    def _worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("celery.app.base.Celery.send_task", lambda _, __, args, **___: trials.answer(args[0]))
        door.register(monkeypatch)

    def test_it_shows_what_a_source_would_store(self, program: Program) -> None:
        response = program.post(one(make.source("watchfloor"), "test"), b"")
        found = body(response)
        assert response.status_code == 200
        assert set(found) == {"duration", "count", "samples", "note", "error", "verdict"}
        assert found["count"] == len(found["samples"]) > 3
        assert set(found["samples"][0]) == {"metric", "labels", "value", "unit", "at"}
        assert not Series.objects.exists()

    def test_it_shows_what_a_config_would_store_that_is_not_saved(self, program: Program) -> None:
        config = {"url": "door:a", "password": PASSWORD}
        found = body(program.post(f"{PATH}/test", {"kind": "door", "config": config}))
        assert (found["samples"][0]["metric"], found["samples"][0]["value"]) == ("door_open", 1.0)
        assert not Source.objects.filter(kind="door").exists()

    def test_an_edit_is_tried_with_the_credentials_that_are_kept(self, program: Program) -> None:
        config = {"url": "door:a", "password": PASSWORD}
        made = body(program.post(PATH, {"kind": "door", "name": "door", "every": 10, "config": config}))
        asked = {"kind": "door", "config": {"url": "door:b"}, "id": made["id"]}
        assert body(program.post(f"{PATH}/test", asked))["samples"][0]["value"] == 1.0

    def test_a_run_that_fails_is_an_answer(self, program: Program) -> None:
        config = {"url": "door:a", "password": PASSWORD, "fails": "says"}
        response = program.post(f"{PATH}/test", {"kind": "door", "config": config})
        assert (response.status_code, body(response)["error"]) == (200, "The door does not take '…'.")

    def test_a_bad_config_is_422_by_field(self, program: Program) -> None:
        response = program.post(f"{PATH}/test", {"kind": "door", "config": {"password": "abc", "colour": 1}})
        names = [name for _, name in fields(response)]
        assert (response.status_code, names) == (422, ["config.url", "config.password", "config.colour"])

    def test_too_many_are_429(self, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trials, "PER_MINUTE", 0)
        response = program.post(one(make.source(), "test"), b"")
        assert response.status_code == 429
        assert 0 < int(response["Retry-After"]) <= 60
        assert body(response)["detail"].startswith("A source may be tried 0 times a minute; wait ")

    def test_without_a_worker_it_is_503(self, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("metrics.redis_state.collecting.ask", lambda *_: None)
        response = program.post(one(make.source(), "test"), b"")
        assert (response.status_code, response["Retry-After"]) == (503, "5")
        assert body(response)["detail"].endswith(".")


class TestCredentials:
    @pytest.fixture(autouse=True)
    def _door(self, monkeypatch: pytest.MonkeyPatch) -> None:
        door.register(monkeypatch)

    def test_no_answer_has_them(self, program: Program) -> None:
        config = {"url": "door:a", "password": PASSWORD, "headers": {"X-Key": "alibaba"}}
        responses = [program.post(PATH, {"kind": "door", "name": "door", "every": 10, "config": config})]
        made = body(responses[0])
        assert (made["config"], made["credentials"]) == ({"url": "door:a"}, ["headers", "password"])
        path = f"{PATH}/{made['id']}"
        runs.collect(made["id"])
        responses += [program.get(path), program.get(PATH), program.get(f"{path}/runs")]
        responses += [program.patch(path, {"config": {"url": 1, "password": "sesame street"}})]
        responses += [program.patch(path, {"config": {"url": "door:a", "password": ["sesame street"]}})]
        assert all(word not in str(response.content) for word in ("sesame", "alibaba") for response in responses)

    def test_one_is_removed_by_an_empty_one(self, program: Program) -> None:
        config = {"url": "door:a", "password": PASSWORD, "headers": {"X-Key": "alibaba"}}
        made = body(program.post(PATH, {"kind": "door", "name": "door", "every": 10, "config": config}))
        changed = body(program.patch(f"{PATH}/{made['id']}", {"config": {"url": "door:a", "headers": {}}}))
        assert changed["credentials"] == ["password"]


def test_every_kind_says_what_it_takes(program: Program) -> None:
    kinds = {one["kind"]: one for one in body(program.get("/api/v1/source-kinds"))["kinds"]}
    assert {"host", "http_check", "watchfloor"} <= set(kinds)
    check = kinds["http_check"]
    assert (check["group"], next(iter(kinds))) == ("checks", "http_check")
    assert set(check) == {
        "kind",
        "group",
        "description",
        "timeout",
        "administrators_only",
        "comes_from",
        "credentials",
        "config_schema",
    }
    assert check["config_schema"]["required"] == ["url"]
    assert all(one["description"].endswith(".") for one in kinds.values())


@pytest.mark.parametrize(("scope", "status", "runs"), [(None, 401, 401), ("push", 403, 403), ("read", 403, 200)])
def test_others_may_not(scope: str | None, status: int, runs: int) -> None:
    program = Program(scope)
    path = one(make.source())
    responses = [program.post(PATH, GOOD), program.get(PATH), program.get("/api/v1/source-kinds")]
    responses += [program.get(path), program.patch(path, {}), program.delete(path)]
    responses += [program.post(f"{path}/{what}", b"") for what in ("test", "run")]
    responses += [program.post(f"{PATH}/test", {"kind": "host"})]
    assert [response.status_code for response in responses] == [status] * 9
    assert program.get(f"{path}/runs").status_code == runs
    assert Source.objects.filter(kind="host").exists()
