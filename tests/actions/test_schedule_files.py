"""Schedules as files: what they say is who is on call, addresses of calendars stay secret, and comments stay."""

import pytest

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


def test_a_change_meanwhile_is_refused() -> None:
    applied()
    changes = schedule_files.compare(SYSTEM, {"ops": OPS.replace("Berlin", "Zurich")})
    schedules.change(SYSTEM, Schedule.objects.get().pk, {"time_zone": "UTC"})
    with pytest.raises(Conflict, match="Somebody changed the schedule Ops meanwhile"):
        schedule_files.apply(SYSTEM, changes)


def test_one_without_a_file_is_deleted_only_when_asked_and_others_teams_are_left_alone() -> None:
    applied()
    assert applied("") == []
    assert schedule_files.compare(of_user(make.user("eve", is_staff=True)), {}, prune=True) == []
    assert applied("", prune=True) == ["delete"]
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "ops.yaml: line 1: It is no schedule"),
        (OPS.replace("ada", "carol"), "ops.yaml: line 4: layers: there is no user 'carol'."),
        (OPS.replace("[ops]", "[dev]"), "there is no team 'dev'"),
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
