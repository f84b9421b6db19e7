"""The pages of who is on call, as a person uses them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from metrics.actions.on_call import Shift
from metrics.models import Override, Schedule
from metrics.views.on_call import weeks
from tests import make
from tests.html_form import form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

NEW = "/on-call/new/"
LAYER = {
    "name": "Ops",
    "time_zone": "Europe/Berlin",
    "spec-layers-0-people": "ann\nbob",
    "spec-layers-0-start": "2026-01-05T09:00",
    "spec-layers-0-every": "1",
    "spec-layers-0-unit": "days",
}


@pytest.fixture
def editor(client: Client) -> Client:
    make.user("ann", first_name="Ann", last_name="Lee")
    make.user("bob")
    client.force_login(make.user("eve", is_staff=True))
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def typed(editor: Client, path: str = NEW, **changes: str) -> dict[str, str]:
    return {**form(text(editor.get(path)), path), **changes}


def test_the_unit_of_a_turn_stands_beside_how_many(editor: Client) -> None:
    page = text(editor.get(NEW))
    assert page.index('name="spec-layers-0-unit"') < page.index("<summary>")


def test_the_start_of_turns_is_chosen_as_a_time(editor: Client) -> None:
    entry = r'name="spec-layers-0-start" type="datetime-local" value="(.*?)"'
    assert re.findall(entry, text(editor.get(NEW))) == [""]
    editor.post(NEW, typed(editor, **LAYER))
    assert re.findall(entry, text(editor.get(f"/on-call/{Schedule.objects.get().pk}/edit/"))) == ["2026-01-05T09:00"]


@pytest.mark.parametrize(
    ("part", "names"), [("", ["ann", "bob", "eve"]), (" lee", ["ann"]), ("zoe", []), ("\x00%", [])]
)
def test_people_are_suggested_for_turns(editor: Client, part: str, names: list[str]) -> None:
    make.user("gone", is_active=False)
    page = text(editor.get(NEW, {"do": "suggest", "q": part}, headers={"HX-Request": "true"}))
    assert re.findall(r'data-line="([^"]*)"', page) == names
    assert f'data-suggest="person" data-suggest-from="{NEW}?do=suggest"' in text(editor.get(NEW))
    editor.force_login(make.user("vic"))
    assert editor.get(f"{NEW}?do=suggest").status_code == 403


def test_a_schedule_says_who_on_it_may_not_acknowledge(editor: Client) -> None:
    editor.post(NEW, typed(editor, **LAYER | {"spec-layers-0-people": "ann\nbob\neve"}))
    page = text(editor.get(f"/on-call/{Schedule.objects.get().pk}/"))
    assert re.findall(r"(\w+) is a viewer: viewers are told of alerts", page) == ["Lee", "bob"]


def test_a_schedule_is_made_changed_overridden_and_removed(editor: Client) -> None:
    assert "There are no schedules yet" in text(editor.get("/on-call/"))
    made = editor.post(NEW, typed(editor, **LAYER))
    assert made.status_code == 302, text(made)
    row = Schedule.objects.get()
    assert row.spec["layers"] == [{"people": ["ann", "bob"], "start": "2026-01-05T09:00", "unit": "days"}]
    assert re.search("<strong>(Ann Lee|bob)</strong>", text(editor.get("/on-call/")))
    path = f"/on-call/{row.pk}/"
    page = text(editor.get(path))
    assert page.count('class="roster-date"') == 28
    assert "nobody" not in page
    edit = f"{path}edit/"
    assert editor.post(edit, typed(editor, edit, **{"spec-holidays": "2026-12-25"})).status_code == 302
    assert editor.post(edit, typed(editor, edit, name="", **{"spec-layers-0-start": "soon"})).status_code == 422
    soon = datetime.now(ZoneInfo("Europe/Berlin")) + timedelta(hours=1)
    times = {"starts": soon.strftime("%Y-%m-%dT%H:%M"), "ends": (soon + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")}
    assert editor.post(f"{path}override/", {"who": "bob", **times}).status_code == 302
    assert "<strong>bob</strong> from" in text(editor.get(path))
    assert editor.post(f"{path}override/", {"who": "bob", "starts": "soon", "ends": ""}).status_code == 422
    editor.post(f"{path}override/", {"end": str(Override.objects.get().pk)})
    assert not Override.objects.exists()
    editor.post(f"{path}delete/")
    assert editor.get(path).status_code == 404


def test_an_override_is_typed_and_shown_in_the_zone_of_the_schedule(editor: Client) -> None:
    editor.post(NEW, typed(editor, **LAYER | {"time_zone": "Asia/Kathmandu"}))
    path = f"/on-call/{Schedule.objects.get().pk}/"
    page = text(editor.get(path))
    assert "Times are those of Asia/Kathmandu, as everywhere on this page." in page
    now = datetime.now(ZoneInfo("Asia/Kathmandu")).replace(tzinfo=None)
    begins = datetime.fromisoformat(form(page, f"{path}override/")["starts"])
    assert timedelta(0) <= now - begins < timedelta(minutes=5)
    day = f"{now + timedelta(days=2):%Y-%m-%d}"
    typed_in = {"who": "bob", "starts": f"{day}T08:00", "ends": f"{day}T20:00"}
    assert editor.post(f"{path}override/", typed_in).status_code == 302
    made = Override.objects.get()
    assert (f"{made.starts_at:%FT%R}", f"{made.ends_at:%FT%R}") == (f"{day}T02:15", f"{day}T14:15")
    assert re.search(
        r">\w+ \d+ \w+ 08:00 \+0545</time> until <time [^>]*>\w+ \d+ \w+ 20:00 \+0545<", text(editor.get(path))
    )
    refused = text(editor.post(f"{path}override/", {**typed_in, "ends": ""}))
    assert f'name="starts" type="datetime-local" value="{day}T08:00"' in refused


def test_its_calendar_is_for_those_who_know_its_address(editor: Client, client: Client) -> None:
    editor.post(NEW, typed(editor, **LAYER))
    row = Schedule.objects.get()
    page = text(editor.post(f"/on-call/{row.pk}/link/"))
    found = re.search(rf"http://testserver(/on-call/{row.pk}\.ics\?key=[\w-]+)", page)
    assert found is not None
    assert found[1].partition("=")[2] not in text(editor.get(f"/on-call/{row.pk}/"))
    client.logout()
    answer = client.get(found[1])
    assert answer["Content-Type"].startswith("text/calendar")
    assert "SUMMARY:Ann Lee" in text(answer)
    for wrong in (f"/on-call/{row.pk}.ics", f"/on-call/{row.pk}.ics?key=x"):
        assert client.get(wrong).status_code == 404


def test_a_calendar_elsewhere_is_kept_until_another_is_given(editor: Client) -> None:
    address = "webcal://calendar.example/private/KEY"
    made = editor.post(NEW, {"name": "Ops", "time_zone": "UTC", "url": address, "everyone": "on"})
    assert made.status_code == 302, text(made)
    row = Schedule.objects.get()
    path = f"/on-call/{row.pk}/edit/"
    page = text(editor.get(path))
    assert "Keep the one of https://calendar.example" in page
    assert "KEY" not in page
    assert editor.post(path, typed(editor, path, name="Ops 2")).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.place) == ("Ops 2", "https://calendar.example")
    given = typed(editor, path)
    del given["elsewhere"]
    editor.post(path, given)
    row.refresh_from_db()
    assert row.place == ""


def test_a_day_of_25_hours_is_drawn_to_its_end() -> None:
    now = datetime(2026, 10, 20, 12, tzinfo=UTC).timestamp()
    start, end = (datetime(2026, 10, day, 12, tzinfo=UTC).timestamp() for day in (24, 25))
    days = [
        day for week in weeks([Shift("ann", None, start, end, False)], ZoneInfo("Europe/Berlin"), now) for day in week
    ]
    assert [day.date.day for day in days[:7]] == [19, 20, 21, 22, 23, 24, 25]
    assert [day.is_today for day in days[:3]] == [False, True, False]
    saturday, sunday = days[5], days[6]
    assert saturday.bars == ((840.0, 600.0, 1),)
    assert sunday.bars == ((0.0, 806.4, 1),)
    assert [(line.who, line.from_) for line in saturday.lines + sunday.lines] == [("ann", "14:00"), ("ann", "")]
