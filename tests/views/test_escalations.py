"""The pages on which teams say who is told of their alerts."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import channels
from metrics.models import AuditEntry, Escalation, Schedule, Team
from tests import make
from tests.html_form import form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def ops() -> Team:
    return make.team("ops", make.user("eve", is_staff=True))


@pytest.fixture
def editor(client: Client, ops: Team) -> Client:
    client.force_login(ops.user_set.get())
    return client


def text(response: Any) -> str:
    return html.unescape(response.content.decode())


def path(team: Team) -> str:
    return f"/access/teams/{team.pk}/escalation/"


def test_a_team_says_who_is_told_and_the_page_says_what_that_means(editor: Client, ops: Team) -> None:
    page = text(editor.get(path(ops)))
    assert "says nothing of its own yet" in page
    assert "At once the team and its channels, until somebody takes it." in page
    make.user("boss")
    typed = form(editor.get(path(ops)).content.decode(), path(ops))
    again = editor.post(path(ops), {**typed, "add": "escalation-steps"})
    typed = form(again.content.decode(), path(ops))
    typed |= {"escalation-steps-1-after": "10m", "escalation-steps-1-tell": "user:boss", "escalation-repeat": "30m"}
    said = text(editor.post(f"{path(ops)}?do=meaning", typed))
    means = "At once the team and its channels; after 10m boss; then every 30m again, until somebody takes it."
    assert said.startswith(means)
    assert editor.post(path(ops), typed).status_code == 302
    assert Escalation.objects.get().spec == {
        "steps": [{"tell": ["team", "channels"]}, {"after": "10m", "tell": ["user:boss"]}],
        "repeat": "30m",
    }
    assert means in text(editor.get(path(ops)))
    assert AuditEntry.objects.filter(noun="escalation", verb="create").count() == 1
    quiet = {f"escalation-quiet-{name}": value for name, value in QUIET.items()}
    assert editor.post(path(ops), {**typed, **quiet}).status_code == 302
    assert "From 22:00 to 07:00 Europe/Berlin, channels are not told of info and warning." in text(
        editor.get(path(ops))
    )


def test_the_page_says_who_of_those_is_not_there_yet(editor: Client, ops: Team) -> None:
    no_channel = "ops has no channel yet, so nobody is told outside of these pages."
    assert no_channel in text(editor.get(path(ops)))
    assert "no members" not in text(editor.get(path(ops)))
    channels.create(SYSTEM, "webhook", "hook", {"url": "https://example.org/", "secret": "x" * 16}, "ops")
    assert no_channel not in text(editor.get(path(ops)))
    nobody = make.team("nobody")
    admin = make.user("admin", is_superuser=True)
    editor.force_login(admin)
    assert "nobody has no members yet." in text(editor.get(path(nobody)))
    typed = {**form(editor.get(path(nobody)).content.decode(), path(nobody)), "escalation-steps-0-tell": "user:eve"}
    assert editor.post(path(nobody), typed).status_code == 302
    assert "yet" not in text(editor.get(path(nobody)))


def test_the_page_says_which_of_those_may_not_acknowledge(editor: Client, ops: Team) -> None:
    make.user("vic")
    make.user("abe")
    told = {"escalation-steps-0-tell": "user:vic\nuser:eve\nuser:abe"}
    says = r"(\w+) is a viewer: viewers are told of alerts, and only editors can acknowledge them\."
    editor.force_login(make.user("admin", is_superuser=True))
    for where in (path(ops), "/access/escalation/"):
        assert re.findall(says, text(editor.get(where))) == []
        typed = {**form(editor.get(where).content.decode(), where), **told}
        assert re.findall(says, text(editor.post(f"{where}?do=meaning", typed))) == ["abe", "vic"]
        assert editor.post(where, typed).status_code == 302
        assert re.findall(says, text(editor.get(where))) == ["abe", "vic"]


def test_the_page_says_which_teams_have_nobody_who_may(editor: Client, ops: Team) -> None:
    make.team("guests", make.user("vic"))
    make.team("empty")
    make.team("both", make.user("abe"), make.user("ed", is_staff=True))
    viewers = r"(\w+) has no members but viewers: they are told of alerts, and only editors can acknowledge them\."
    editor.force_login(make.user("admin", is_superuser=True))
    for where in (path(ops), "/access/escalation/"):
        told = {"escalation-steps-0-tell": "team:guests\nteam:both\nteam:empty"}
        page = text(editor.post(f"{where}?do=meaning", {**form(editor.get(where).content.decode(), where), **told}))
        assert re.findall(viewers, page) == ["guests"]
        assert re.findall(r"(\w+) has no members yet\.", page) == ["empty"]


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("", ["team", "everyone", "channels", "user:ann", "user:eve", "team:ops", "on-call:Nights", "channel:hook"]),
        ("te", ["team", "team:ops"]),
        ("Lee", ["user:ann"]),
        ("user:", ["user:ann", "user:eve"]),
        (" User: E ", ["user:ann", "user:eve"]),
        ("on-call:nig", ["on-call:Nights"]),
        ("channel:", ["channel:hook"]),
        ("ho", ["channel:hook"]),
        ("mail:ann", []),
        ("user:\x00%_", []),
    ],
)
def test_those_who_can_be_told_are_suggested(editor: Client, ops: Team, typed: str, lines: list[str]) -> None:
    make.user("ann", first_name="Ann", last_name="Lee")
    make.user("gone", is_active=False)
    theirs = make.team("theirs")
    for team in ("ops", "theirs"):
        config = {"url": "https://example.org/", "secret": "x" * 16}
        channels.create(SYSTEM, "webhook", "hook" if team == "ops" else "their hook", config, team)
    Schedule.objects.create(name="Nights", time_zone="UTC", spec={})
    Schedule.objects.create(name="Theirs", time_zone="UTC", spec={}, for_everyone=False).teams.add(theirs)
    page = editor.get(path(ops), {"do": "suggest", "q": typed}, headers={"HX-Request": "true"})
    assert re.findall(r'data-line="([^"]*)"', text(page)) == lines
    assert f'data-suggest="told" data-suggest-from="{path(ops)}?do=suggest"' in text(editor.get(path(ops)))


def test_viewers_are_suggested_nobody(editor: Client, ops: Team) -> None:
    editor.force_login(make.user("vic"))
    assert editor.get("/access/escalation/?do=suggest").status_code == 403


QUIET = {"from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin", "severities": ""}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"escalation-steps-0-tell": "user:nobody"}, "no user 'nobody'"),
        ({"escalation-steps-0-tell": "channel:none"}, "no channel 'none'"),
        ({"escalation-steps-0-tell": "everybody"}, "it has to be team, channels"),
        ({"escalation-gather": "soon"}, "not a period"),
        ({"escalation-quiet-from": "22:00", "escalation-quiet-to": "25:00"}, "It has to"),
    ],
)
def test_what_can_not_be_is_said_beside_its_field(
    editor: Client, ops: Team, changes: dict[str, str], sentence: str
) -> None:
    typed = form(editor.get(path(ops)).content.decode(), path(ops))
    answer = editor.post(path(ops), {**typed, **changes})
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert not Escalation.objects.exists()


def test_a_team_answers_as_the_installation_again(editor: Client, ops: Team) -> None:
    Escalation.objects.create(spec={"gather": "1h"})
    assert "Answer as the installation" not in text(editor.get(path(ops)))
    row = Escalation.objects.create(team=ops, spec={"gather": "2h"})
    page = editor.get(path(ops)).content.decode()
    typed = form(page, f"{path(ops)}reset/")
    assert "Answer as the installation" in page
    assert editor.post(f"{path(ops)}reset/", typed).status_code == 302
    assert not Escalation.objects.filter(pk=row.pk).exists()
    assert "says nothing of its own yet" in text(editor.get(path(ops)))
    assert editor.get(f"{path(ops)}reset/").status_code == 405
    assert editor.post("/access/escalation/reset/").status_code == 403
    assert editor.post(f"{path(make.team('night'))}reset/").status_code == 404


def test_that_of_the_installation_is_for_administrators(editor: Client) -> None:
    assert 'id="form"' not in text(editor.get("/access/escalation/"))
    assert editor.post("/access/escalation/", {}).status_code in (403, 422)
    assert editor.get(path(make.team("night"))).status_code == 404
    editor.force_login(make.admin())
    assert 'id="form"' in text(editor.get("/access/escalation/"))
