"""Schedules as files: what they say is who is on call, addresses of calendars stay secret, and comments stay."""

import re

import pytest
from django.contrib.auth.models import User

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import feeds, schedule_files, schedules
from metrics.actions.errors import Conflict, Invalid
from metrics.models import Schedule
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

OPS = """# Hand-over is on Monday.
name: Ops
time_zone: Europe/Berlin
layers:
  - people: [ada, bob]
    start: 2026-11-30T09:00
    only:
      - from: 09:00   # office hours
        to: 17:00
holidays: [2026-12-25]
access: {everyone: false, teams: [ops]}
"""
SECRET = "https://calendar.example/private-7/on-call.ics"


def applied(text: str = OPS, *, prune: bool = False) -> list[str]:
    changes = schedule_files.compare(SYSTEM, {"ops": text} if text else {}, prune=prune)
    assert SECRET not in repr(changes) + "".join(line for one in changes for line in one.lines())
    schedule_files.apply(SYSTEM, changes)
    return [one.verb for one in changes]


@pytest.fixture(autouse=True)
def _people() -> None:
    make.team("ops")
    for name in ("ada", "bob"):
        make.user(name)


def test_a_file_is_applied_once_and_follows_the_page() -> None:
    assert (applied(), applied()) == (["create"], [])
    row = Schedule.objects.get()
    assert (row.name, row.time_zone, [one.name for one in row.teams.all()]) == ("Ops", "Europe/Berlin", ["ops"])
    layers = [{"people": ["bob"], "start": "2026-11-30T09:00", "only": [{"from": "09:00", "to": "18:00"}]}]
    schedules.change(SYSTEM, row.pk, {"layers": layers})
    text = schedule_files.export(SYSTEM, {"ops": OPS})["ops"]
    assert text == OPS.replace("[ada, bob]", "[bob]").replace("17:00", "18:00")
    assert applied(text) == []
    assert schedule_files.export(SYSTEM, {"ops": text}) == {"ops": text}
    alone = schedule_files.export(SYSTEM, {})
    assert list(alone) == ["ops"]
    assert applied(alone["ops"]) == []


def test_the_address_of_a_calendar_is_named_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ON_CALL", SECRET)
    text = "name: Elsewhere\nurl: {env: ON_CALL}\n"
    assert (applied(text), applied(text)) == (["create"], [])
    row = Schedule.objects.get()
    assert feeds.address(row) == SECRET
    assert schedule_files.export(SYSTEM, {"ops": text}) == {"ops": text}
    kept = schedule_files.export(SYSTEM, {})["elsewhere"]
    assert kept == "name: Elsewhere\nurl: {kept: true}\n"
    assert applied(kept) == []
    monkeypatch.setenv("ON_CALL", f"{SECRET}?v=2")
    assert applied(text) == ["change"]
    assert feeds.address(Schedule.objects.get()) == f"{SECRET}?v=2"
    assert applied("name: Elsewhere\n") == ["change"]
    assert feeds.address(Schedule.objects.get()) == ""


def test_an_address_as_browsers_give_it_is_the_one_that_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ON_CALL", SECRET.replace("https", "webcal"))
    text = "name: Elsewhere\nurl: {env: ON_CALL}\n"
    assert (applied(text), applied(text)) == (["create"], [])
    assert schedule_files.export(SYSTEM, {"ops": text}) == {"ops": text}


def test_an_address_whose_key_is_lost_can_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ON_CALL", SECRET)
    applied("name: Elsewhere\nurl: {env: ON_CALL}\n")
    Schedule.objects.update(url="lost")
    assert applied("name: Elsewhere\nurl: {kept: true}\n") == []
    assert applied("name: Elsewhere\n") == ["change"]
    assert Schedule.objects.get().url == ""
    assert applied("name: Elsewhere\n") == []


@pytest.mark.parametrize("files", [{"ops": OPS.replace("Berlin", "Zurich")}, {}])
def test_a_change_meanwhile_is_refused(files: dict[str, str]) -> None:
    applied()
    changes = schedule_files.compare(SYSTEM, files, prune=True)
    schedules.change(SYSTEM, Schedule.objects.get().pk, {"time_zone": "UTC"})
    with pytest.raises(Conflict, match="Somebody changed the schedule Ops meanwhile"):
        schedule_files.apply(SYSTEM, changes)


def test_one_without_a_file_is_deleted_only_when_asked_and_others_teams_are_left_alone() -> None:
    applied()
    assert applied("") == []
    assert schedule_files.compare(of_user(make.user("eve", is_staff=True)), {}, prune=True) == []
    assert applied("", prune=True) == ["delete"]
    assert not Schedule.objects.exists()


def test_somebody_who_left_stops_only_a_file_that_differs() -> None:
    applied()
    User.objects.filter(username="ada").update(is_active=False)
    assert applied() == []
    assert schedule_files.export(SYSTEM, {"ops": OPS}) == {"ops": OPS}
    without = OPS.replace("[ada, bob]", "[bob]")
    changed = schedule_files.export(SYSTEM, {"ops": without})["ops"]  # a file of the time before, or after
    assert applied(changed) == []
    assert applied(without) == ["change"]


@pytest.mark.parametrize(
    ("was", "wrong", "said"),
    [
        ("ada", "carol", "layers: there is no user 'carol'."),
        ("[ops]", "[dev]", "access.teams: there is no team 'dev'."),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_people_and_teams_that_there_are_not_are_refused(was: str, wrong: str, said: str, is_new: bool) -> None:
    if not is_new:
        applied()
    with pytest.raises(Invalid) as refused:
        applied(OPS.replace(was, wrong))
    assert re.fullmatch(f"schedules/ops.yaml: line \\d+: {re.escape(said)}", str(refused.value))


def test_one_whose_time_zone_this_machine_does_not_know_is_exported() -> None:
    applied()
    Schedule.objects.update(time_zone="Mars/Olympus")
    (text,) = schedule_files.export(SYSTEM, {}).values()
    assert "time_zone: Mars/Olympus\n" in text
    assert "unit:" not in text
    assert schedule_files.export(SYSTEM, {"ops": OPS}) == {"ops": OPS.replace("Europe/Berlin", "Mars/Olympus")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "ops.yaml: line 1: It is no schedule"),
        (OPS.replace("Europe/Berlin", "Mars"), "line 3: time_zone: "),
        (OPS.replace("09:00   #", "9 o'clock   #"), "line 8: layers.0.only.0.from: "),
        (f"{OPS}url: {{kept: true}}\n", "line 12: url: nothing is stored that could be kept."),
        (f"{OPS}url: {{env: NOT_THERE}}\n", "line 12: url: the environment has no variable 'NOT_THERE'."),
        (f"{OPS}url: {{a: {{env: HOME}}}}\n", "line 12: url: a credential is not written here"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        schedule_files.compare(SYSTEM, {"ops": text})
    assert said.lower() in str(refused.value).lower()
