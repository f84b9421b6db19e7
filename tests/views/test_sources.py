"""The pages of sources: who sees and does what, that nonsense gets sentences, and that nothing secret is there."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from metrics.access.principal import SYSTEM
from metrics.actions import credentials, runs, sources, trials
from metrics.models import Run, Source
from metrics.sample import Sample
from metrics.sources.base import Noted, SourceError, checked
from metrics.sources.host import Host
from tests import door, make
from tests.door import PASSWORD
from tests.html_form import chosen_from

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis", "_worker")]

LIST = "/sources/"
HTMX = {"HX-Request": "true"}
CONFIG = {"url": "door:front", "password": PASSWORD, "headers": {"X-Key": "alibaba"}}


@pytest.fixture
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do at once what is asked of a worker."""
    work: dict[str, Callable[[Any], None]] = {
        "tasks.collect.trial": trials.answer,
        "tasks.collect.collect": runs.collect,
    }
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda _, name, args, **__: work[name](args[0]))
    door.register(monkeypatch)


def staff(name: str = "ada") -> User:
    """Return an editor."""
    return make.user(name, is_staff=True)


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make.admin())
    return client


def text(response: Any) -> str:
    """Return what is to be read on the page, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def behind_a_door(**config: Any) -> Source:
    return sources.create(SYSTEM, "door", "front door", 10, {**CONFIG, **config})


def path(source: Source, what: str = "") -> str:
    return f"{LIST}{source.pk}/{what}/" if what else f"{LIST}{source.pk}/"


class TestWho:
    def answers(self, client: Client) -> dict[str, int]:
        source = behind_a_door()
        form = {"name": "new", "when": "every", "every": "5", "config-url": "door:a", "config-password": PASSWORD}
        asked = {
            "list": client.get(LIST),
            "page": client.get(path(source)),
            "new": client.get(f"{LIST}new/"),
            "form": client.get(f"{LIST}new/?kind=door"),
            "add": client.post(f"{LIST}new/?kind=door", form),
            "edit": client.get(path(source, "edit")),
            "change": client.post(
                path(source, "edit"), {**form, "name": "front door", "enabled": "on", "config-headers": "X: y"}
            ),
            "test": client.post(path(source, "test")),
            "run": client.post(path(source, "run")),
            "turn off": client.post(path(source, "enable"), {"on": "0"}),
            "ask": client.get(path(source, "delete")),
            "delete": client.post(path(source, "delete")),
        }
        return {name: response.status_code for name, response in asked.items()}

    def test_who_is_not_signed_in_signs_in_first(self, client: Client) -> None:
        assert set(self.answers(client).values()) == {302}
        assert client.get(LIST)["Location"] == f"/sign-in/?next={LIST}"
        assert Source.objects.filter(enabled=True).count() == 1

    def test_a_page_whose_reader_was_signed_out_loads_itself_anew(self, client: Client) -> None:
        response = client.get(LIST, headers=HTMX)
        assert (response.status_code, response["HX-Refresh"], response.content) == (401, "true", b"")

    def test_a_viewer_only_looks(self, client: Client) -> None:
        client.force_login(make.user())
        answers = self.answers(client)
        assert {name for name, status in answers.items() if status == 200} == {"list", "page"}
        assert set(answers.values()) == {200, 403}
        assert Source.objects.filter(enabled=True, name="front door").exists()

    def test_an_editor_may_everything(self, client: Client) -> None:
        client.force_login(staff())
        assert set(self.answers(client).values()) == {200, 302}

    def test_an_administrator_may_everything(self, admin: Client) -> None:
        assert set(self.answers(admin).values()) == {200, 302}

    def test_a_refusal_says_why(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        source = behind_a_door()
        client.force_login(make.user("eve"))
        said = "You are a viewer: only editors and administrators may change sources."
        assert said in text(client.get(path(source, "edit")))
        client.force_login(staff())
        door.register(monkeypatch, administrators_only=True)
        response = client.get(f"{LIST}new/?kind=door")
        assert response.status_code == 403
        assert "Sources of the kind door are for administrators only." in text(response)
        assert "For administrators only." in text(client.get(f"{LIST}new/"))

    def test_what_one_may_not_do_is_not_offered(self, client: Client) -> None:
        source = behind_a_door()
        client.force_login(make.user())
        assert "Add a source" not in text(client.get(LIST))
        page = text(client.get(path(source)))
        assert not any(word in page for word in ("Test now", "Run now", "Edit", "Delete", "Turn off"))

    def test_configs_and_values_are_for_staff(self, client: Client) -> None:
        source = behind_a_door()
        runs.collect(source.pk)
        client.force_login(make.user("eve"))
        assert "door:front" not in text(client.get(path(source)))
        assert "door_open" not in text(client.get(path(source)))
        client.force_login(staff())
        assert "door:front" in text(client.get(path(source)))
        assert "door_open" in text(client.get(path(source)))

    def test_forms_from_elsewhere_are_refused(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(make.admin())
        assert client.post(path(behind_a_door(), "delete")).status_code == 403
        assert Source.objects.filter(name="front door").exists()

    def test_what_is_done_needs_a_post(self, admin: Client) -> None:
        source = behind_a_door()
        assert [admin.get(path(source, what)).status_code for what in ("test", "run", "enable")] == [405] * 3

    def test_what_is_not_there_is_not_found(self, admin: Client) -> None:
        paths = [f"{LIST}4711/", f"{LIST}4711/edit/", f"{LIST}4711/delete/", f"{LIST}{'9' * 40}/", f"{LIST}x/"]
        assert [admin.get(one).status_code for one in paths] == [404] * 5
        assert [admin.post(f"{LIST}4711/{what}/").status_code for what in ("test", "run", "enable")] == [404] * 3


class TestList:
    def test_it_says_how_each_stands(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        make.source("watchfloor", "itself", 30)
        failing = sources.create(SYSTEM, "host", "mornings", None, {}, cron="30 6 * * *")

        def fails(*_: Any) -> None:
            raise SourceError("The machine is on fire.")

        monkeypatch.setattr(Host, "collect", fails)
        runs.collect(failing.pk)
        page = text(admin.get(LIST))
        assert re.search(r"mornings host failing The machine is on fire. 30 6 \* \* \* \(UTC\) \d s ago", page)
        assert re.search(r"itself watchfloor waiting every 30 s never", page)
        assert page.index("mornings") < page.index("itself")

    def test_states_are_words_and_shapes_and_not_colours_alone(self, admin: Client) -> None:
        make.source()
        assert '<span class="mark mark-nodata" aria-hidden="true"></span>waiting' in admin.get(LIST).content.decode()

    @pytest.mark.parametrize(
        ("search", "found"),
        [("", {"alpha", "beta"}), ("ALPH", {"alpha"}), ("host", {"beta"}), ("fire", {"beta"}), ("x\x00'\"%_<", set())],
    )
    def test_it_is_searched_by_name_kind_and_error(self, admin: Client, search: str, found: set[str]) -> None:
        make.source("watchfloor", "alpha")
        make.source("host", "beta")
        Source.objects.filter(name="beta").update(last_error="On fire.")
        page = text(admin.get(LIST, {"q": search}, headers=HTMX))
        assert {name for name in ("alpha", "beta") if name in page} == found
        assert ("No source has" in page) is not bool(found)

    def test_what_is_down_is_not_ok_and_comes_before_what_fails(self, admin: Client) -> None:
        now = timezone.now()
        told: dict[str, dict[str, Any]] = {
            "a": {"last_verdict": "up"},
            "b": {"last_verdict": "warning", "last_note": "WARNING - 81 % full"},
            "c": {"last_error": "The plug-in is gone."},
            "d": {"last_verdict": "down", "last_note": "It answered 503."},
            "e": {"last_verdict": "down", "enabled": False},
        }
        for name, fields in told.items():
            make.source("host", name)
            Source.objects.filter(name=name).update(last_run_at=now, **fields)
        page = admin.get(LIST)
        assert [row.name for row in page.context["rows"]] == ["d", "c", "b", "a", "e"]
        assert text(page).count("1 down 1 failing 1 warning of 5 sources") == 1
        assert "d host down It answered 503." in text(page)
        assert (
            '<span class="source-status source-status-down"><span class="mark mark-critical"' in page.content.decode()
        )
        searched = {"503": "d", "DOWN": "d", "81 %": "b", "when pushed": "", "every 10 s": "dcbae", "off": "e"}
        for search, found in searched.items():
            assert "".join(row.name for row in admin.get(LIST, {"q": search}).context["rows"]) == found, search

    def test_htmx_gets_the_rows_alone(self, admin: Client) -> None:
        make.source()
        part = admin.get(LIST, headers=HTMX).content.decode()
        assert "<html" not in part
        assert "machine" in part

    def test_there_are_pages_of_it_and_the_search_goes_along(self, admin: Client) -> None:
        Source.objects.bulk_create(Source(kind="host", name=f"m {n:03}", every_s=60) for n in range(250))
        assert "1\N{EN DASH}100 of 250" in text(admin.get(LIST))
        second = admin.get(f"{LIST}?page=2&q=m")
        assert "101\N{EN DASH}200 of 250" in text(second)
        assert "?q=m&amp;page=3" in second.content.decode()
        for nonsense in ("0", "-1", "x", "9" * 50):
            assert admin.get(f"{LIST}?page={nonsense}").status_code == 200

    def test_how_many_there_are_costs_no_queries(self, admin: Client) -> None:
        needed = []
        for n in range(3):
            Source.objects.bulk_create(Source(kind="host", name=f"m {n} {i}", every_s=60) for i in range(30))
            with CaptureQueriesContext(connection) as queries:
                admin.get(LIST, headers=HTMX)
            needed.append(len(queries))
        assert needed[0] == needed[1] == needed[2]

    def test_without_any_it_says_so(self, admin: Client) -> None:
        assert "There are no sources yet." in text(admin.get(LIST))

    def test_names_are_escaped(self, admin: Client) -> None:
        make.source(name="<script>alert(1)</script>")
        assert b"<script>alert" not in admin.get(LIST).content

    def test_it_is_linked_from_every_page(self, client: Client) -> None:
        client.force_login(make.user())
        assert 'href="/sources/"' in client.get("/").content.decode()


class TestPage:
    def test_it_shows_the_last_run_and_those_before(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        source = behind_a_door()
        runs.collect(source.pk)
        monkeypatch.setattr(door.Door, "collect", lambda *_: (_ for _ in ()).throw(SourceError("It is shut.")))
        for _ in range(2):
            runs.collect(source.pk)
        page = admin.get(path(source))
        said = text(page)
        assert "State failing" in said
        assert re.search(r"It is shut. 2 runs in a row failed. The last good one was \d s ago\.", said)
        assert said.count("It is shut.") == 3  # above, and twice in the list
        (failed,) = re.findall(r'<path class="failed" d="([^"]+)"', page.content.decode())
        assert failed.count("M") == 2
        assert "The last 3 runs took up to" in said
        assert re.search(r"door_limited 0 \d s", said)
        assert re.search(r"door_open said ali 1\sdoors \d s", said)

    def test_runs_that_found_it_down_are_told_apart(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        source = behind_a_door()
        for what in (checked([], ""), checked([], "It is shut."), checked([], "It is shut.")):
            monkeypatch.setattr(door.Door, "collect", lambda *_, what=what: what)
            runs.collect(source.pk)
        page = admin.get(path(source))
        assert "State down" in text(page)
        assert text(page).count("down It is shut.") == 2  # in the list of runs
        assert "2 found it down, none failed." in text(page)
        assert page.content.decode().count('<path class="down"') == 1

    def test_a_line_that_the_run_said_is_shown(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(door.Door, "collect", lambda *_: Noted([], "OK - it is open"))
        source = behind_a_door()
        runs.collect(source.pk)
        assert text(admin.get(path(source))).count("OK - it is open") == 2
        assert "front door door ok OK - it is open" in text(admin.get(LIST))

    def test_htmx_gets_how_it_stands_alone(self, admin: Client) -> None:
        part = admin.get(path(behind_a_door()), headers=HTMX).content.decode()
        assert "<html" not in part
        assert "Test now" not in part
        assert "waiting" in part

    def test_when_cron_comes_next_is_said(self, admin: Client, settings: Settings) -> None:
        settings.TIME_ZONE = "UTC"
        source = sources.create(SYSTEM, "host", "x", None, {}, cron="30 6 1 1 *", time_zone="Europe/Zurich")
        assert re.search(r"30 6 1 1 \* \(Europe/Zurich\) next \w{3} 1 Jan 06:30", text(admin.get(path(source))))

    def test_what_is_pushed_has_a_page(self, admin: Client) -> None:
        make.token("backup-job", "push")
        source = Source.objects.get()
        make.stored("backup_bytes", {0: 5}, source)
        page = text(admin.get(path(source)))
        assert "Last push never Token backup-job Series 1" in page
        assert not any(word in page for word in ("Test now", "Turn off", "Delete"))
        make.revoke_token("backup-job")
        assert "Token revoked" in text(admin.get(path(source)))

    def test_a_push_is_noted(self, admin: Client, client: Client) -> None:
        secret = make.token("backup-job", "push")
        pushed = {"samples": [{"metric": "backup_bytes", "value": 5}]}
        headers = {"Authorization": f"Bearer {secret}"}
        Client().post("/api/v1/samples", pushed, content_type="application/json", headers=headers)
        assert re.search(r"State ok Last push \d s ago", text(admin.get(path(Source.objects.get()))))

    def test_a_kind_that_is_gone_is_said(self, admin: Client) -> None:
        source = make.source()
        Source.objects.update(kind="gone")
        page = text(admin.get(path(source)))
        assert "There is no source kind gone any more" in page
        assert "Edit" not in page
        assert admin.get(path(source, "edit")).status_code == 404

    def test_a_lost_key_is_a_sentence(self, admin: Client, settings: Settings) -> None:
        source = behind_a_door()
        sealed = credentials.keep({"password": "x"}).replace("gAAAA", "gAAAB")
        Source.objects.filter(pk=source.pk).update(secrets=sealed)
        assert "t be read with this SECRET_KEY any more" in text(admin.get(path(source)))

    def test_of_many_series_the_first_are_shown(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("metrics.views.source_view.SERIES_SHOWN", 3)
        source = make.source()
        for n in range(5):
            make.stored("m", {0: n}, source, n=str(n))
        assert "3 of 5 are shown." in text(admin.get(path(source)))


class TestButtons:
    def test_test_now_shows_what_would_be_stored(self, admin: Client) -> None:
        source = behind_a_door()
        for headers in ({}, HTMX):
            said = text(admin.post(path(source, "test"), headers=headers))
            assert "It would store 2 samples; nothing was stored." in said
            assert "door_open said ali 1 doors" in said
        assert not Run.objects.exists()

    def test_test_now_says_what_is_down(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(door.Door, "collect", lambda *_: checked([Sample("door_open", 0.0)], "It is shut."))
        tried = admin.post(path(behind_a_door(), "test"), headers=HTMX)
        assert "down It is shut. It would store 1 sample; nothing was stored." in text(tried)
        assert "mark-ok" not in tried.content.decode()

    def test_test_now_says_why_nothing_would_be_stored(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(door.Door, "collect", lambda *_: Noted([], "It answers."))
        tried = text(admin.post(path(behind_a_door(), "test"), headers=HTMX))
        assert tried.startswith("It answers. It took")
        assert tried.count("It answers.") == 1

    def test_test_now_says_what_goes_wrong(self, admin: Client) -> None:
        source = behind_a_door(fails="says")
        assert "It fails. The door does not take '…'." in text(admin.post(path(source, "test")))

    def test_too_many_tests_are_refused(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trials, "PER_MINUTE", 0)
        response = admin.post(path(behind_a_door(), "test"), headers=HTMX)
        assert response.status_code == 429
        assert "A source may be tried 0 times a minute" in text(response)

    def test_without_a_worker_a_test_says_so(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("metrics.redis_state.collecting.ask", lambda *_: None)
        response = admin.post(path(behind_a_door(), "test"))
        assert response.status_code == 503
        assert "No collecting worker answered in time" in text(response)

    def test_run_now_runs_it(self, admin: Client) -> None:
        source = behind_a_door()
        said = text(admin.post(path(source, "run"), follow=True))
        assert "It runs as soon as a worker is free." in said
        assert Run.objects.get().samples == 2

    def test_it_is_turned_off_and_on(self, admin: Client) -> None:
        source = behind_a_door()
        assert "It is off." in text(admin.post(path(source, "enable"), {"on": "0"}, follow=True))
        assert not sources.find(SYSTEM, source.pk).enabled
        assert "front door is off; turn it on first." in text(admin.post(path(source, "run"), follow=True))
        assert "It is on." in text(admin.post(path(source, "enable"), {"on": "1"}, follow=True))
        assert sources.find(SYSTEM, source.pk).enabled

    def test_deleting_asks_first(self, admin: Client) -> None:
        source = behind_a_door()
        runs.collect(source.pk)
        assert "Its 2 series and their samples stay." in text(admin.get(path(source, "delete")))
        assert Source.objects.exists()
        assert "front door was removed." in text(admin.post(path(source, "delete"), follow=True))
        assert not Source.objects.exists()

    def test_what_a_token_pushes_stays(self, admin: Client) -> None:
        make.token("job", "push")
        response = admin.post(path(Source.objects.get(), "delete"))
        assert response.status_code == 422
        assert "belongs to a token; revoke the token first." in text(response)


GOOD = {"name": "new", "when": "every", "every": "30", "enabled": "on", "config-url": "door:front"}


class TestForm:
    def add(self, client: Client, headers: Any = None, do: str = "", **changes: str) -> Any:
        fields = {**GOOD, "config-password": PASSWORD, **{k.replace("__", "-"): v for k, v in changes.items()}}
        return client.post(f"{LIST}new/?kind=door{do}", fields, headers=headers or {})

    def test_every_kind_has_one(self, admin: Client) -> None:
        page = admin.get(f"{LIST}new/").content.decode()
        kinds = re.findall(r'href="\?kind=(\w+)"', page)
        assert {"host", "http_check", "door"} <= set(kinds)
        chosen = chosen_from(page)
        assert chosen[:2] == ["Checks: up or down", "http_check"]
        assert chosen[chosen.index("Values of other systems") + 1] == "prometheus_scrape"
        assert set(kinds) <= set(chosen)
        for kind in kinds:
            assert admin.get(f"{LIST}new/?kind={kind}").status_code == 200

    def test_what_is_typed_is_saved(self, admin: Client) -> None:
        response = self.add(admin, config__headers="X-Key: alibaba", config__fails="says")
        made = Source.objects.get()
        assert response["Location"] == path(made)
        assert (made.kind, made.name, made.every_s, made.enabled) == ("door", "new", 30, True)
        assert made.config == {"url": "door:front", "fails": "says"}
        assert credentials.read(made.secrets) == {"password": PASSWORD, "headers": {"X-Key": "alibaba"}}
        assert made.trusted

    def test_by_cron(self, admin: Client) -> None:
        self.add(admin, when="cron", cron="30 6 * * *", time_zone="Asia/Tokyo", every="nonsense")
        made = Source.objects.get()
        assert (made.every_s, made.cron, made.time_zone) == (None, "30 6 * * *", "Asia/Tokyo")

    def test_how_long_it_is_kept(self, admin: Client) -> None:
        self.add(admin, raw_retention_hours="7")
        made = Source.objects.get()
        assert (made.raw_retention_hours, made.minute_retention_days) == (7, None)
        assert "Hours to keep every sample 7" in text(admin.get(path(made)))
        admin.post(path(made, "edit"), {**GOOD, "raw_retention_hours": ""})
        assert sources.find(SYSTEM, made.pk).raw_retention_hours is None

    def test_of_what_is_pushed_there_is_nothing_else_to_say(self, admin: Client) -> None:
        make.token("job", "push")
        pushed = Source.objects.get()
        page = text(admin.get(path(pushed, "edit")))
        assert "Days to keep the rollups of hours" in page
        assert not any(word in page for word in ("Seconds between", "Config", "Test now"))
        assert admin.post(path(pushed, "edit"), {"hour_retention_days": "9"})["Location"] == path(pushed)
        assert sources.find(SYSTEM, pushed.pk).hour_retention_days == 9
        assert admin.post(path(pushed, "edit"), {"hour_retention_days": "x"}).status_code == 422

    def test_what_comes_by_itself_is_not_made_here(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        source = behind_a_door()
        door.register(monkeypatch, comes_from="a carpenter")
        assert "Such sources come by themselves, from a carpenter." in text(admin.get(f"{LIST}new/"))
        assert admin.get(f"{LIST}new/?kind=door").status_code == 404
        assert "It comes from a carpenter, and is changed there." in text(admin.get(path(source)))
        page = text(admin.get(path(source, "edit")))
        assert "It comes from a carpenter, and is changed there." in page
        assert "Hours to keep every sample" in page
        assert "Seconds between" not in page
        admin.post(path(source, "edit"), {"raw_retention_hours": "7"})
        assert sources.find(SYSTEM, source.pk).raw_retention_hours == 7

    def test_a_source_of_staff_is_not_trusted(self, client: Client) -> None:
        client.force_login(staff())
        assert "it may connect to public addresses only" in text(client.get(f"{LIST}new/?kind=door"))
        self.add(client)
        assert not Source.objects.get().trusted

    def test_all_that_is_wrong_is_said_at_once(self, admin: Client) -> None:
        changes = {
            "name": "x" * 101,
            "config__headers": "nonsense",
            "config__url": "http://x",
            "raw_retention_hours": "-",
            "every": "0",
        }
        said = text(self.add(admin, **changes))
        assert "5 things to put right" in said
        for sentence in (
            "A name has 1 to 100",
            "Line 1 is not",
            "It has a character",
            "This is a whole number of seconds",
        ):
            assert sentence in said

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"name": ""}, "A name has 1 to 100 characters."),
            ({"name": "x" * 101}, "A name has 1 to 100 characters."),
            ({"name": "machine"}, "There is a source 'machine' already."),
            ({"every": ""}, "This is a whole number of seconds from 1 to 86400."),
            ({"every": "soon"}, "This is a whole number of seconds from 1 to 86400."),
            ({"every": "0"}, "This is a whole number of seconds from 1 to 86400."),
            ({"when": "cron"}, "Say when it runs, such as 30 6 * * MON-FRI."),
            ({"when": "cron", "cron": "whenever"}, "'whenever' does not have five fields, such as 5 * * * *."),
            ({"when": "cron", "cron": "* * * * *", "time_zone": "Mars"}, "'Mars' is not one such as UTC."),
            ({"raw_retention_hours": "0"}, "This is a whole number from 1 to 876000."),
            ({"minute_retention_days": "-1"}, "This is a whole number from 1 to 36500, or empty."),
            ({"hour_retention_days": "9" * 5000}, "This is a whole number from 1 to 36500, or empty."),
            ({"config__url": ""}, "It has to be given."),
            ({"config__url": "http://x"}, "It has a character that can't be there, or lacks one that has to be."),
            ({"config__url": "door:\x00"}, "a character that can't be stored"),
            ({"config__password": ""}, "It has to be given."),
            ({"config__password": "abc"}, "It has to have at least 4 characters."),
            ({"config__headers": "nonsense"}, "Line 1 is not a name, a colon and a value."),
        ],
    )
    def test_nonsense_is_refused_with_a_sentence_and_what_was_typed_stays(
        self, admin: Client, changes: dict[str, str], said: str
    ) -> None:
        make.source()
        response = self.add(admin, **changes)
        page = response.content.decode()
        assert response.status_code == 422
        assert f">{said}<" in unescape(page) or said in text(response)
        assert "It was not saved." in text(response)
        assert 'class="field-error"' in page
        assert 'aria-invalid="true"' in page
        assert changes.get("name", "new") in page
        assert "sesame" not in page
        assert not Source.objects.filter(kind="door").exists()

    def test_everything_that_is_wrong_is_said_at_once(self, admin: Client) -> None:
        said = text(self.add(admin, name="", every="0", config__url="", config__password=""))
        assert "4 things to put right." in said

    def test_what_belongs_to_no_field_is_said_above(self, admin: Client) -> None:
        fields = {"name": "x", "when": "every", "every": "9", "config-url": "http://x/", "config-method": "GET"}
        fields |= {"config-expected_status": "2xx", "config-body": "x"}
        response = admin.post(f"{LIST}new/?kind=http_check", fields)
        assert "1 thing to put right. Body can't be sent with GET." in text(response)

    def test_what_is_typed_is_tried_before_it_is_saved(self, admin: Client) -> None:
        for headers in ({}, HTMX):
            response = self.add(admin, headers, "&do=test", name="")
            assert response.status_code == 200
            assert "It would store 2 samples; nothing was stored." in text(response)
        assert not Source.objects.exists()

    def test_nonsense_that_is_tried_is_refused_with_its_fields(self, admin: Client) -> None:
        response = self.add(admin, HTMX, "&do=test", config__url="", config__headers="x")
        assert response.status_code == 422
        assert text(response) == "Headers: Line 1 is not a name, a colon and a value."
        response = self.add(admin, HTMX, "&do=test", config__url="", config__password="")
        assert text(response) == "URL: It has to be given. Password: It has to be given."

    def test_an_edit_begins_with_what_is_set_but_for_credentials(self, admin: Client) -> None:
        page = admin.get(path(behind_a_door(), "edit")).content.decode()
        assert 'value="front door"' in page
        assert 'value="door:front"' in page
        assert "set, and not shown" in page
        assert not any(word in page for word in ("sesame", "alibaba", "X-Key"))

    def test_an_edit_that_is_left_alone_changes_nothing(self, admin: Client) -> None:
        source = sources.create(SYSTEM, "door", "front door", None, CONFIG, cron="5 * * * *")
        before = sources.find(SYSTEM, source.pk)
        fields = {"name": "front door", "when": "cron", "cron": "5 * * * *", "time_zone": "UTC", "enabled": "on"}
        admin.post(path(source, "edit"), {**fields, "config-url": "door:front", "every": ""})
        after = sources.find(SYSTEM, source.pk)
        assert credentials.read(after.secrets) == credentials.read(before.secrets)
        for one in (before, after):
            one.secrets = ""
        assert {**vars(after), "_state": 0} == {**vars(before), "_state": 0}

    def test_a_credential_is_replaced_or_removed(self, admin: Client) -> None:
        source = behind_a_door()
        fields = {**GOOD, "config-password": "another one", "remove-headers": "on"}
        admin.post(path(source, "edit"), fields)
        assert credentials.read(sources.find(SYSTEM, source.pk).secrets) == {"password": "another one"}

    def test_an_edit_is_tried_with_the_credentials_that_are_set(self, admin: Client) -> None:
        source = behind_a_door()
        response = admin.post(path(source, "edit") + "?do=test", {**GOOD, "config-url": "door:b"}, headers=HTMX)
        assert "door_open said ali 1 doors" in text(response)
        assert sources.find(SYSTEM, source.pk).config == {"url": "door:front"}

    def test_staff_enters_credentials_again_to_change_where_they_are_sent(self, client: Client) -> None:
        client.force_login(staff())
        source = behind_a_door()
        response = client.post(path(source, "edit"), {**GOOD, "config-url": "door:thief"})
        assert response.status_code == 422
        assert "A person who changes the config has to enter this again." in text(response)

    def test_htmx_and_a_browser_get_the_same_form(self, admin: Client) -> None:
        assert admin.get(f"{LIST}new/?kind=door").status_code == 200


@pytest.fixture
def pages(admin: Client) -> list[str]:
    """Every page, with what may be secret on it."""
    source = behind_a_door()
    for what in ("breaks", "says", "quotes"):
        Source.objects.filter(pk=source.pk).update(config={"url": "door:front", "fails": what})
        runs.collect(source.pk)
    found = [admin.get(one) for one in (LIST, path(source), path(source, "edit"), path(source, "delete"))]
    found += [admin.post(path(source, "test")), admin.post(path(source, "edit"), {"config-password": PASSWORD})]
    return [response.content.decode() for response in found]


def test_no_page_has_a_credential(pages: list[str], caplog: pytest.LogCaptureFixture) -> None:
    assert not any(word in page for page in [*pages, caplog.text] for word in ("sesame", "alibaba"))
    assert "…" in pages[1]


def test_nothing_on_them_is_inline(pages: list[str]) -> None:
    for page in pages:
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
