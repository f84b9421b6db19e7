"""Trying a source: what would be stored is shown, nothing is stored, and nothing secret is told on the way."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis, RedisError

from metrics.access.principal import SYSTEM, Principal, Role
from metrics.actions import sources, trials
from metrics.actions.errors import Forbidden, Invalid, Missing, NoAnswer, TooOften
from metrics.models import Run, Series, Source
from tests import door, make
from tests.door import PASSWORD

pytestmark = pytest.mark.django_db

STAFF = Principal("user", "user ada", Role.EDITOR, 7)
GOOD = {"url": "door:front", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _door(monkeypatch: pytest.MonkeyPatch) -> None:
    door.register(monkeypatch)


@pytest.fixture
def questions(redis: "Redis", monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Questions that pass Redis on their way to a worker, which answers at once."""
    seen: list[str] = []

    def work(_: Any, task: str, args: list[str], **options: Any) -> None:
        assert (task, options["queue"]) == ("tasks.collect.trial", "collect")
        seen.append(str(redis.get(f"wf:trial:{args[0]}")))
        trials.answer(args[0])

    monkeypatch.setattr("celery.app.base.Celery.send_task", work)
    yield seen
    assert all(redis.ttl(key) > 0 for key in redis.keys("wf:trial*"))


def saved(by: Principal = SYSTEM, **config: Any) -> Source:
    return sources.create(by, "door", "front door", 10, {**GOOD, **config})


@pytest.mark.usefixtures("questions")
class TestTrial:
    def test_it_shows_what_would_be_stored(self) -> None:
        trial = trials.try_config(SYSTEM, "door", {**GOOD, "headers": {"X": "abcdef"}})
        assert [(one.metric, one.labels, one.value, one.unit) for one in trial.samples] == [
            ("door_open", {"said": "abc"}, 1.0, "doors"),
            ("door_limited", {}, 0.0, ""),
        ]
        assert (trial.count, trial.error, trial.note) == (2, "", "")
        assert trial.duration_s >= 0

    def test_nothing_is_stored(self) -> None:
        source = saved()
        before = Source.objects.values().get()
        trials.try_saved(SYSTEM, source.pk)
        trials.try_config(SYSTEM, "door", {**GOOD, "url": "door:back"}, source.pk)
        assert Source.objects.values().get() == before
        assert not Series.objects.exists()
        assert not Run.objects.exists()

    def test_a_saved_one_uses_its_credentials(self) -> None:
        assert trials.try_saved(SYSTEM, saved().pk).samples[0].value == 1.0

    def test_an_edit_that_is_not_saved_uses_those_it_does_not_name(self) -> None:
        source = saved()
        assert trials.try_config(SYSTEM, "door", {"url": "door:back"}, source.pk).samples[0].value == 1.0
        other = {"url": "door:back", "password": "something else"}
        assert trials.try_config(SYSTEM, "door", other, source.pk).samples[0].value == 0.0

    @pytest.mark.parametrize(("by", "limited"), [(SYSTEM, 0.0), (STAFF, 1.0)])
    def test_it_may_reach_what_a_run_may(self, by: Principal, limited: float) -> None:
        assert trials.try_config(by, "door", GOOD).samples[1].value == limited

    def test_only_the_first_of_many_are_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trials, "SHOWN_MOST", 1)
        trial = trials.try_config(SYSTEM, "door", GOOD)
        assert (trial.count, len(trial.samples)) == (2, 1)

    @pytest.mark.parametrize(
        ("fails", "said"),
        [
            ("says", "The door does not take '…'."),
            ("breaks", "RuntimeError: door:…@3"),
            (
                "quotes",
                "1 of 1 samples can't be stored, such as …: value is not a number between -1e+150 and 1e+150.",
            ),
        ],
    )
    def test_what_goes_wrong_is_a_sentence_without_credentials(
        self, fails: str, said: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        trial = trials.try_config(SYSTEM, "door", {**GOOD, "fails": fails})
        assert (trial.error, trial.count, trial.samples) == (said, 0, ())
        assert "sesame" not in caplog.text

    def test_a_lost_key_is_a_sentence(self, settings: Any) -> None:
        source = saved()
        settings.SECRET_KEY = "another one"
        assert "SECRET_KEY_FALLBACKS" in trials.try_saved(SYSTEM, source.pk).error


def test_no_credential_passes_redis_as_it_is(questions: list[str]) -> None:
    trials.try_config(SYSTEM, "door", {**GOOD, "headers": {"X-Key": "alibaba"}})
    assert len(questions) == 1
    assert not any(word in questions[0] for word in ("sesame", "X-Key", "alibaba"))


def test_who_tried_what_is_in_the_log(questions: list[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        trials.try_config(STAFF, "door", GOOD)
    said: list[Any] = [record.msg for record in caplog.records]
    (event,) = [one for one in said if one["event"] == "source tried"]
    assert (event["by"], event["kind"]) == ("user ada", "door")
    assert "sesame" not in caplog.text


@pytest.mark.usefixtures("questions")
class TestRefused:
    @pytest.mark.parametrize(
        ("kind", "config", "field"),
        [
            ("pigeon", {}, "kind"),
            ("push", {}, "kind"),
            ("door", {}, "config.url"),
            ("door", {**GOOD, "colour": 1}, "config.colour"),
            ("host", {}, "kind"),
        ],
    )
    def test_what_could_not_be_saved(self, kind: str, config: dict[str, Any], field: str) -> None:
        source = saved()
        with pytest.raises(Invalid) as refused:
            trials.try_config(SYSTEM, kind, config, source.pk if kind == "host" else None)
        assert refused.value.field == field

    def test_credentials_are_not_sent_elsewhere_by_who_does_not_know_them(self) -> None:
        source = saved()
        with pytest.raises(Invalid, match="has to enter this again"):
            trials.try_config(STAFF, "door", {"url": "door:thief"}, source.pk)

    def test_who_may_not(self) -> None:
        source, nobody = saved(), Principal("user", "user eve", Role.VIEWER, 8)
        with pytest.raises(Forbidden):
            trials.try_config(nobody, "door", GOOD)
        with pytest.raises(Forbidden):
            trials.try_saved(nobody, source.pk)

    def test_what_is_for_administrators_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        source = saved()
        door.register(monkeypatch, administrators_only=True)
        with pytest.raises(Forbidden, match="for administrators only"):
            trials.try_config(STAFF, "door", GOOD)
        with pytest.raises(Forbidden, match="for administrators only"):
            trials.try_saved(STAFF, source.pk)

    def test_what_is_not_there(self) -> None:
        with pytest.raises(Missing):
            trials.try_saved(SYSTEM, 7)
        with pytest.raises(Missing):
            trials.try_config(SYSTEM, "door", GOOD, 7)

    def test_what_is_pushed_and_what_lost_its_kind(self) -> None:
        make.token("job", "push")
        with pytest.raises(Invalid, match="is pushed"):
            trials.try_saved(SYSTEM, Source.objects.get().pk)
        source = make.source()
        Source.objects.filter(pk=source.pk).update(kind="gone")
        with pytest.raises(Invalid, match="no source kind 'gone'"):
            trials.try_saved(SYSTEM, source.pk)

    def test_too_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trials, "PER_MINUTE", 2)

        def try_often() -> None:
            for _ in range(6):  # on a slow machine, more are given meanwhile
                trials.try_config(SYSTEM, "door", GOOD)

        with pytest.raises(TooOften) as refused:
            try_often()
        assert 0 < refused.value.wait_s <= 60
        trials.try_config(STAFF, "door", GOOD)


@pytest.mark.usefixtures("redis")
def test_each_tries_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(*_: Any, **__: Any) -> None:
        with pytest.raises(TooOften, match="Another test of yours is still going on"):
            trials.try_config(SYSTEM, "door", GOOD)

    monkeypatch.setattr("celery.app.base.Celery.send_task", meanwhile)
    monkeypatch.setattr(trials, "GRACE_S", -4.5)
    for _ in range(2):
        with pytest.raises(NoAnswer):
            trials.try_config(SYSTEM, "door", GOOD)


@pytest.mark.usefixtures("redis")
def test_without_a_worker_one_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)
    monkeypatch.setattr(trials, "GRACE_S", -4.9)
    with pytest.raises(NoAnswer, match="No collecting worker answered"):
        trials.try_config(SYSTEM, "door", GOOD)


@pytest.mark.usefixtures("redis")
def test_without_redis_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any) -> None:
        raise RedisError("away")

    monkeypatch.setattr("metrics.redis_state.collecting.ask", unreachable)
    with pytest.raises(NoAnswer, match="Redis does not answer"):
        trials.try_config(SYSTEM, "door", GOOD)


def test_a_question_that_lapsed_is_not_worked_on(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    worked_on: list[object] = []
    monkeypatch.setattr(trials, "_trial", worked_on.append)
    trials.answer("0" * 32)
    assert worked_on == []
    assert redis.keys("*") == []
