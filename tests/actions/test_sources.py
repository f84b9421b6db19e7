"""Making, changing and removing sources: what is refused, and by whom what may be done."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from metrics.access.principal import SYSTEM, Principal, Role
from metrics.actions import bootstrap, credentials, source_configs, source_kinds, sources
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.models import Series, Source
from tests import door, make
from tests.door import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


class TestCreate:
    def test_only_what_was_given_is_kept(self) -> None:
        source = sources.create(SYSTEM, "http_check", "site", 10, {"url": "http://x.example/"})
        assert source.config == {"url": "http://x.example/"}

    def test_cron_is_in_the_time_zone_of_the_installation_unless_it_has_its_own(self, settings: Settings) -> None:
        settings.TIME_ZONE = "Europe/Zurich"
        usual = sources.create(SYSTEM, "host", "usual", None, {}, cron="0 9 * * *")
        own = sources.create(SYSTEM, "host", "own", None, {}, cron="0 9 * * *", time_zone="Asia/Tokyo")
        every = sources.create(SYSTEM, "host", "every", 10, {})
        assert [one.time_zone for one in (usual, own, every)] == ["Europe/Zurich", "Asia/Tokyo", ""]

    @pytest.mark.parametrize(
        ("every_s", "cron", "time_zone", "field"),
        [
            (None, "", "", "every"),
            (10, "* * * * *", "", "every"),
            (0, "", "", "every"),
            (86_401, "", "", "every"),
            (10, "", "UTC", "time_zone"),
            (None, "61 * * * *", "", "cron"),
            (None, "* * * * *", "Mars", "time_zone"),
        ],
    )
    def test_a_schedule_that_can_not_be_is_refused_by_its_field(
        self, every_s: int | None, cron: str, time_zone: str, field: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            sources.create(SYSTEM, "host", "new", every_s, {}, cron=cron, time_zone=time_zone)
        assert refused.value.field == field
        assert str(refused.value).endswith(".")
        assert not Source.objects.exists()

    @pytest.mark.parametrize(
        ("kind", "name", "config", "field"),
        [
            ("carrier_pigeon", "new", {}, "kind"),
            ("http_check", "new", {}, "config.url"),
            ("http_check", "new", {"url": "ftp://x"}, "config.url"),
            ("http_check", "new", {"url": "http://x", "colour": "red"}, "config.colour"),
            ("http_check", "new", {"url": "http://x", "timeout_s": 0}, "config.timeout_s"),
            ("host", "taken", {}, "name"),
        ],
    )
    def test_what_is_bad_is_refused_by_its_field(
        self, kind: str, name: str, config: dict[str, Any], field: str
    ) -> None:
        make.source(name="taken")
        with pytest.raises(Invalid) as refused:
            sources.create(SYSTEM, kind, name, 10, config)
        assert refused.value.field == field
        assert str(refused.value).endswith(".")
        assert Source.objects.count() == 1


STAFF = Principal("user", "user ada", Role.EDITOR, 7)
URL = "door:front"


@pytest.fixture
def _door(monkeypatch: pytest.MonkeyPatch) -> None:
    door.register(monkeypatch)


def behind_a_door(by: Principal = SYSTEM, **config: Any) -> Source:
    given = {"url": URL, "password": PASSWORD, **config}
    return sources.create(by, "door", "front door", 10, given)


def secrets(source: Source) -> dict[str, Any]:
    source.refresh_from_db()
    return credentials.read(source.secrets)


class TestChange:
    def test_what_is_not_given_stays(self) -> None:
        source = make.source("http_check", "site", 30, url="http://x.example/", timeout_s=3)
        changed = sources.change(SYSTEM, source.pk, {"name": "shop", "enabled": False})
        changed.refresh_from_db()
        assert (changed.name, changed.enabled, changed.every_s) == ("shop", False, 30)
        assert changed.config == {"url": "http://x.example/", "timeout_s": 3}

    def test_a_config_is_replaced_as_a_whole(self) -> None:
        source = make.source("http_check", "site", 30, url="http://x.example/", timeout_s=3)
        changed = sources.change(SYSTEM, source.pk, {"config": {"url": "http://y.example/"}})
        assert changed.config == {"url": "http://y.example/"}

    def test_what_runs_meanwhile_note_on_it_stays(self) -> None:
        source = make.source()
        Source.objects.update(last_samples=7)
        sources.change(SYSTEM, source.pk, {"name": "new"})
        source.refresh_from_db()
        assert (source.name, source.last_samples) == ("new", 7)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"every": 20}, (20, "", "")),
            ({"cron": "* * * * *"}, (None, "* * * * *", "UTC")),
            ({"cron": "* * * * *", "time_zone": "Asia/Tokyo"}, (None, "* * * * *", "Asia/Tokyo")),
            ({"every": None, "cron": "* * * * *"}, (None, "* * * * *", "UTC")),
            ({"every": 10, "cron": "", "time_zone": ""}, (10, "", "")),
        ],
    )
    def test_one_kind_of_schedule_takes_the_other_away(self, changes: dict[str, Any], expected: Any) -> None:
        for source in (make.source(), sources.create(SYSTEM, "host", "cron", None, {}, cron="5 * * * *")):
            new = sources.change(SYSTEM, source.pk, changes)
            assert (new.every_s, new.cron, new.time_zone) == expected

    def test_the_time_zone_alone_may_change(self) -> None:
        source = sources.create(SYSTEM, "host", "cron", None, {}, cron="5 * * * *")
        new = sources.change(SYSTEM, source.pk, {"time_zone": "Asia/Tokyo"})
        assert (new.cron, new.time_zone) == ("5 * * * *", "Asia/Tokyo")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": "taken"}, "name"),
            ({"name": "  "}, "name"),
            ({"name": "x" * 101}, "name"),
            ({"name": "a\x00b"}, "name"),
            ({"every": 10, "cron": "* * * * *"}, "every"),
            ({"every": 0}, "every"),
            ({"time_zone": "Asia/Tokyo"}, "time_zone"),
            ({"config": {"colour": "red"}}, "config.colour"),
            ({"config": {"x": "\ud800"}}, "config.x"),
        ],
    )
    def test_what_is_bad_is_refused_by_its_field_and_changes_nothing(self, changes: dict[str, Any], field: str) -> None:
        source = make.source()
        make.source(name="taken")
        before = Source.objects.values().get(pk=source.pk)
        with pytest.raises(Invalid) as refused:
            sources.change(SYSTEM, source.pk, {"enabled": False, **changes})
        assert refused.value.field == field
        assert str(refused.value).endswith(".")
        assert Source.objects.values().get(pk=source.pk) == before

    def test_everything_that_is_wrong_with_a_config_is_said(self) -> None:
        with pytest.raises(Invalid) as refused:
            sources.create(SYSTEM, "http_check", "x", 10, {"timeout_s": 0, "colour": 1})
        assert [field for field, _ in refused.value.all] == ["config.url", "config.timeout_s", "config.colour"]

    def test_how_long_it_is_kept_may_be_said_and_taken_back(self) -> None:
        source = sources.create(SYSTEM, "host", "x", 10, {}, retention={"raw_retention_hours": 7})
        assert sources.find(SYSTEM, source.pk).raw_retention_hours == 7
        sources.change(SYSTEM, source.pk, {"raw_retention_hours": None, "hour_retention_days": 36_500})
        kept = sources.find(SYSTEM, source.pk)
        assert (kept.raw_retention_hours, kept.minute_retention_days, kept.hour_retention_days) == (None, None, 36_500)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("raw_retention_hours", 0), ("raw_retention_hours", 876_001), ("hour_retention_days", 36_501)],
    )
    def test_what_can_not_be_kept_so_long_is_refused(self, name: str, value: int) -> None:
        source = make.source()
        with pytest.raises(Invalid) as refused:
            sources.change(SYSTEM, source.pk, {name: value})
        assert refused.value.field == name

    def test_how_long_what_is_pushed_is_kept_may_change(self) -> None:
        make.token("job", "push")
        id = Source.objects.get().pk
        assert sources.change(SYSTEM, id, {"raw_retention_hours": 7}).raw_retention_hours == 7

    def test_of_a_source_whose_kind_is_gone_the_config_can_not_be_changed(self) -> None:
        source = make.source()
        Source.objects.update(kind="gone")
        assert not sources.change(SYSTEM, source.pk, {"enabled": False}).enabled
        with pytest.raises(Invalid, match="no source kind 'gone'"):
            sources.change(SYSTEM, source.pk, {"config": {}})

    def test_what_is_pushed_can_not_be_changed(self) -> None:
        make.token("job", "push")
        with pytest.raises(Invalid, match="token pushes"):
            sources.change(SYSTEM, Source.objects.get().pk, {"name": "x"})

    def test_what_is_pushed_can_not_be_run(self) -> None:
        make.token("job", "push")
        with pytest.raises(Invalid, match=r"^push: job is pushed; there is nothing to run\.$"):
            sources.run_now(SYSTEM, Source.objects.get().pk)

    def test_what_there_is_not_is_missing(self) -> None:
        for call in (
            lambda: sources.change(SYSTEM, 7, {}),
            lambda: sources.delete(SYSTEM, 7),
            lambda: sources.find(SYSTEM, 7),
        ):
            with pytest.raises(Missing, match=r"^There is no source 7\.$"):
                call()


class TestDelete:
    def test_its_runs_go_and_its_series_stay(self) -> None:
        source = make.source()
        make.stored("m", {0: 1}, source=source)
        source.runs.create(started_at="2026-11-20T12:00Z", duration_s=1, samples=1)
        sources.delete(SYSTEM, source.pk)
        assert not Source.objects.exists()
        assert Series.objects.get().source is None

    def test_what_a_token_pushes_stays_until_the_token_is_revoked(self) -> None:
        make.token("job", "push")
        source = Source.objects.get()
        with pytest.raises(Invalid, match="revoke the token first"):
            sources.delete(SYSTEM, source.pk)
        make.revoke_token("job")
        sources.delete(SYSTEM, source.pk)
        assert not Source.objects.exists()


@pytest.mark.usefixtures("_door")
class TestCredentials:
    def test_they_are_no_part_of_the_config_and_only_kept_encrypted(self) -> None:
        source = behind_a_door(headers={"X-Key": "alibaba"})
        row = str(Source.objects.values().get(pk=source.pk))
        assert source.config == {"url": URL}
        assert source_configs.credentials_of(source) == ["headers", "password"]
        assert secrets(source) == {"password": PASSWORD, "headers": {"X-Key": "alibaba"}}
        assert "sesame" not in row
        assert "alibaba" not in row

    @pytest.mark.parametrize(
        ("config", "expected"),
        [
            ({}, {"password": PASSWORD, "headers": {"X": "abcd"}}),
            ({"password": "another"}, {"password": "another", "headers": {"X": "abcd"}}),
            ({"headers": {}}, {"password": PASSWORD}),
            ({"headers": ""}, {"password": PASSWORD}),
            ({"headers": None}, {"password": PASSWORD}),
            ({"headers": {"Y": "efgh"}}, {"password": PASSWORD, "headers": {"Y": "efgh"}}),
        ],
    )
    def test_one_that_is_not_given_stays_and_an_empty_one_is_removed(
        self, config: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        source = behind_a_door(headers={"X": "abcd"})
        sources.change(SYSTEM, source.pk, {"config": {"url": "door:back", **config}})
        assert secrets(source) == expected
        assert source.config == {"url": "door:back"}

    def test_one_that_has_to_be_given_can_not_be_removed(self) -> None:
        source = behind_a_door()
        with pytest.raises(Invalid, match=r"^config.password: It has to be given\.$"):
            sources.change(SYSTEM, source.pk, {"config": {"url": URL, "password": ""}})
        assert secrets(source) == {"password": PASSWORD}

    @pytest.mark.parametrize("password", ["abc", 4711, ["open sesame"], {"open": "sesame"}])
    def test_a_refusal_does_not_repeat_it(self, password: Any) -> None:
        with pytest.raises(Invalid) as refused:
            behind_a_door(password=password)
        assert refused.value.field == "config.password"
        assert not any(word in repr(refused.value) for word in ("abc", "4711", "sesame"))
        assert refused.value.__context__ is None or refused.value.__suppress_context__

    def test_with_a_lost_key_it_has_to_be_entered_again(self, settings: Settings) -> None:
        source = behind_a_door()
        settings.SECRET_KEY = "another one"
        assert source_configs.credentials_of(source) == ["password"]
        assert not sources.change(SYSTEM, source.pk, {"enabled": False}).enabled
        with pytest.raises(Invalid, match=r"^config.password: it can't be read with this SECRET_KEY any more"):
            sources.change(SYSTEM, source.pk, {"config": {"url": "door:back"}})
        sources.change(SYSTEM, source.pk, {"config": {"url": URL, "password": PASSWORD}})
        assert secrets(source) == {"password": PASSWORD}

    def test_after_the_key_changed_they_are_kept_under_the_new_one(self, settings: Settings) -> None:
        source, lost = behind_a_door(), make.source()
        Source.objects.filter(pk=lost.pk).update(secrets='{"password": "from elsewhere"}')
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another one"
        bootstrap.bootstrap()
        settings.SECRET_KEY_FALLBACKS = []
        assert secrets(source) == {"password": PASSWORD}
        assert source_configs.credentials_of(sources.find(SYSTEM, lost.pk)) == ["password"]

    def test_the_kind_says_which_there_are(self) -> None:
        about = source_kinds.about(door.BUILT_IN["door"])
        assert about["credentials"] == ["headers", "password"]
        assert about["description"] == "A source kind for tests: behind a door that takes a password."
        assert about["config_schema"]["properties"]["password"]["writeOnly"] is True


@pytest.mark.usefixtures("_door")
class TestRights:
    @pytest.mark.parametrize(
        ("verb", "call"),
        [
            ("create", lambda by, id: sources.create(by, "host", "new", 10, {})),
            ("change", lambda by, id: sources.change(by, id, {"enabled": False})),
            ("change", lambda by, id: sources.run_now(by, id)),
            ("delete", lambda by, id: sources.delete(by, id)),
        ],
    )
    def test_viewers_are_refused_and_told_who_may(self, verb: str, call: Callable[[Principal, int], object]) -> None:
        source = make.source()
        refused = f"^You are a viewer: only editors and administrators may {verb} sources\\.$"
        with pytest.raises(Forbidden, match=refused):
            call(Principal("user", "user eve", Role.VIEWER, 8), source.pk)
        source.refresh_from_db()
        assert (source.enabled, Source.objects.count()) == (True, 1)

    def test_what_is_for_administrators_only_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        door.register(monkeypatch, administrators_only=True)
        with pytest.raises(Forbidden, match="for administrators only"):
            behind_a_door(STAFF)
        source = behind_a_door(SYSTEM)
        for call in (
            lambda: sources.change(STAFF, source.pk, {"enabled": False}),
            lambda: sources.delete(STAFF, source.pk),
            lambda: sources.run_now(STAFF, source.pk),
        ):
            with pytest.raises(Forbidden):
                call()


class TestComesByItself:
    """Sources that something makes and changes by itself, such as those of a file."""

    @pytest.fixture(autouse=True)
    def _door(self, monkeypatch: pytest.MonkeyPatch) -> None:
        door.register(monkeypatch, comes_from="a carpenter")

    def test_nobody_else_makes_or_changes_one(self) -> None:
        root, source = Principal("user", "user root", Role.ADMIN, 1), behind_a_door(SYSTEM)
        with pytest.raises(
            Invalid, match=r"^Sources of the kind door come from a carpenter; make and change them there\.$"
        ):
            behind_a_door(root)
        for changes in ({"name": "x"}, {"every": 7}, {"config": {"url": URL}}, {"enabled": False, "name": "x"}):
            with pytest.raises(Invalid):
                sources.change(root, source.pk, changes)
        assert sources.change(SYSTEM, source.pk, {"every": 7}).every_s == 7

    def test_it_is_turned_off_kept_and_removed_as_others(self) -> None:
        root, source = Principal("user", "user root", Role.ADMIN, 1), behind_a_door(SYSTEM)
        assert not sources.change(root, source.pk, {"enabled": False}).enabled
        assert sources.change(root, source.pk, {"raw_retention_hours": 7}).raw_retention_hours == 7
        sources.delete(root, source.pk)
        assert not Source.objects.exists()


@pytest.mark.usefixtures("_door")
class TestTrust:
    """Requests of other users than administrators may not reach addresses that only administrators may."""

    def test_it_is_who_made_it(self) -> None:
        assert behind_a_door(SYSTEM).trusted
        Source.objects.all().delete()
        assert not behind_a_door(STAFF).trusted

    def test_it_is_who_last_changed_the_config(self) -> None:
        source = behind_a_door(STAFF)
        for by, trusted in ((SYSTEM, True), (STAFF, False)):
            config = {"url": f"door:{trusted}", "password": PASSWORD}
            assert sources.change(by, source.pk, {"config": config}).trusted is trusted

    @pytest.mark.parametrize("changes", [{"enabled": False}, {"name": "x"}, {"every": 7}, {"config": {"url": URL}}])
    def test_other_changes_leave_it(self, changes: dict[str, Any]) -> None:
        trusted = behind_a_door(SYSTEM)
        assert sources.change(STAFF, trusted.pk, changes).trusted

    def test_an_administrator_who_looked_at_the_config_vouches_for_it(self) -> None:
        source = behind_a_door(STAFF)
        assert not sources.change(SYSTEM, source.pk, {"enabled": False}).trusted
        assert sources.change(SYSTEM, source.pk, {"config": {"url": URL}}).trusted

    @pytest.mark.parametrize(
        "config", [{"url": "door:thief"}, {"url": URL, "headers": {"X": "another"}}, {"url": URL, "fails": "says"}]
    )
    def test_a_credential_is_not_sent_elsewhere_by_who_does_not_know_it(self, config: dict[str, Any]) -> None:
        source = behind_a_door(SYSTEM)
        with pytest.raises(Invalid, match="has to enter this again"):
            sources.change(STAFF, source.pk, {"config": config})
        source.refresh_from_db()
        assert (source.config, source.trusted) == ({"url": URL}, True)


def test_log_lines_name_who_and_what_and_no_credential(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    door.register(monkeypatch)
    with caplog.at_level("INFO"):
        source = behind_a_door(STAFF, headers={"X": "alibaba"})
        sources.change(STAFF, source.pk, {"config": {"url": URL, "password": "other words", "headers": ""}})
        sources.delete(STAFF, source.pk)
    said: list[Any] = [record.msg for record in caplog.records]
    assert [one["event"] for one in said] == ["source made", "source changed", "source removed"]
    assert caplog.text.count("user ada") == 3
    assert not any(word in caplog.text for word in ("sesame", "alibaba", "other words"))
