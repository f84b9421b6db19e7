"""On call: schedules, overrides, and who it is now."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User

from metrics.access.principal import SYSTEM, of_user
from metrics.access.sharing import Access
from metrics.actions import feeds, on_call, schedules
from metrics.actions.errors import Conflict, Forbidden, Invalid, Missing
from metrics.actions.named_people import People
from metrics.alerts import calendars
from metrics.models import AuditEntry, Override, Schedule, Team
from tests import make
from tests.sources.web import Handler, answering, serving

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The moment that it is, in a list."""
    moment = [NOW]
    for module in (schedules, feeds):
        monkeypatch.setattr(module.time, "time", lambda: moment[0].timestamp())
    return moment


@pytest.fixture
def people() -> dict[str, User]:
    return {
        "ann": make.user("ann", email="Ann@example.org", first_name="Ann", last_name="Lee"),
        "bob": make.user("bob", first_name="Bob", last_name="Ray", email="bob@example.org"),
        "cy": make.user("cy", is_staff=True),
    }


def schedule(**fields: Any) -> Schedule:
    access = fields.pop("access", None)
    layer = {"people": ["ann", "bob"], "start": "2026-11-30T09:00", "unit": "days"}
    return schedules.create(SYSTEM, {"name": "Ops", "time_zone": "Europe/Berlin", "layers": [layer], **fields}, access)


def now(of: Schedule | Team, at: datetime = NOW) -> list[str]:
    return sorted(user.username for user in on_call.now(type(of).objects.get(pk=of.pk), at.timestamp()))


def test_it_is_known_who_it_is_now(people: dict[str, User]) -> None:
    row = schedule()
    assert [now(row, NOW + days * DAY) for days in (-1, 0, 1, 2)] == [[], ["ann"], ["bob"], ["ann"]]
    with pytest.raises(Invalid, match="there is a schedule 'Ops' already"):
        schedule()


def test_a_team_has_all_of_its_schedules(people: dict[str, User], django_assert_max_num_queries: Any) -> None:
    ops = make.team("ops")
    schedule(access=Access(teams=["ops"]))
    schedule(name="Bosses", layers=[{"people": ["cy"], "start": "2026-01-01T00:00"}], access=Access(teams=["ops"]))
    schedule(name="Others", layers=[{"people": ["bob"], "start": "2026-01-01T00:00"}])
    with django_assert_max_num_queries(4):
        assert now(ops) == ["ann", "cy"]


def test_an_override_goes_before(people: dict[str, User], clock: list[datetime]) -> None:
    row = schedule()
    made = schedules.override(SYSTEM, row.pk, "cy", NOW, NOW + 2 * HOUR)
    assert [now(row, at) for at in (NOW, NOW + 2 * HOUR)] == [["cy"], ["ann"]]
    clock[0] += HOUR
    schedules.end_override(SYSTEM, row.pk, made.pk)
    assert [now(row, at) for at in (NOW, NOW + HOUR)] == [["cy"], ["ann"]]
    later = schedules.override(SYSTEM, row.pk, "bob", NOW + DAY, NOW + 2 * DAY)
    schedules.end_override(SYSTEM, row.pk, later.pk)
    assert not Override.objects.filter(pk=later.pk).exists()
    verbs = [entry.verb for entry in AuditEntry.objects.filter(noun="schedule").order_by("pk")]
    assert verbs == ["create", "override", "end override", "override", "end override"]
    schedules.forget((NOW + 500 * DAY).timestamp())
    assert not Override.objects.exists()


@pytest.mark.parametrize(
    ("who", "starts_at", "ends_at", "fields"),
    [
        ("nobody", NOW, NOW + HOUR, ["who"]),
        ("cy", NOW, NOW, ["ends_at"]),
        ("cy", NOW - 2 * HOUR, NOW - HOUR, ["ends_at"]),
        ("cy", NOW, NOW + 500 * DAY, ["ends_at"]),
        ("cy", NOW.replace(year=9998), NOW.replace(year=9999), ["ends_at"]),
        ("nobody", NOW + HOUR, NOW, ["who", "ends_at"]),
    ],
)
def test_an_override_that_can_not_be_is_refused(
    people: dict[str, User], who: str, starts_at: datetime, ends_at: datetime, fields: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        schedules.override(SYSTEM, schedule().pk, who, starts_at, ends_at)
    assert [field for field, _ in refused.value.all] == fields


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "x" * 101}, ["name"]),
        ({"time_zone": "Mars"}, ["time_zone"]),
        ({"layers": [{"people": ["nobody"], "start": "2026-01-01T00:00"}]}, ["layers"]),
        ({"layers": [{"people": ["ann"], "start": "soon"}]}, ["layers.0.start"]),
        ({"colour": "red"}, ["colour"]),
        ({"url": "http://"}, ["url"]),
        ({"access": Access(teams=["nobody"])}, ["access.teams"]),
        ({"name": "", "holidays": ["x"], "url": "x"}, ["name", "holidays.0", "url"]),
    ],
)
def test_a_schedule_that_can_not_be_is_refused(
    people: dict[str, User], fields: dict[str, Any], wrong: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        schedule(**fields)
    assert [field for field, _ in refused.value.all] == wrong


def test_only_editors_change_it_and_nobody_overwrites_what_they_did_not_see(people: dict[str, User]) -> None:
    row, ann, cy = schedule(), of_user(people["ann"]), of_user(people["cy"])
    with pytest.raises(Forbidden):
        schedules.change(ann, row.pk, {"name": "Mine"})
    with pytest.raises(Forbidden):
        schedules.override(ann, row.pk, "ann", NOW, NOW + HOUR)
    assert schedules.change(cy, row.pk, {"holidays": ["2026-12-25"]}, seen=1).revision == 2
    with pytest.raises(Conflict):
        schedules.change(cy, row.pk, {"name": "Mine"}, seen=1)
    assert now(row) == ["ann"]
    schedules.delete(cy, row.pk)
    with pytest.raises(Missing):
        schedules.find(cy, row.pk)


def test_somebody_who_has_left_is_named_but_not_told(people: dict[str, User]) -> None:
    row = schedule()
    User.objects.filter(username="ann").update(is_active=False)
    assert now(row) == []
    (shift,) = on_call.shifts([row], NOW.timestamp(), NOW.timestamp() + 1)[row.pk]
    assert (shift.who, shift.user) == ("ann", None)
    assert on_call.names_of([shift]) == "ann"
    assert on_call.names_of([]) == "nobody"


def test_who_knows_the_link_reads_it_as_a_calendar(people: dict[str, User]) -> None:
    row = schedule()
    secret = schedules.new_link(SYSTEM, row.pk)
    shown = on_call.calendar(on_call.by_link(row.pk, secret), NOW.timestamp())
    found = calendars.occurring(shown, ZoneInfo("UTC"), NOW.timestamp(), (NOW + DAY).timestamp()).events
    assert [one.summary for one in found] == ["Ann Lee", "Bob Ray"]
    newer = schedules.new_link(SYSTEM, row.pk)
    for id, wrong in ((row.pk, secret), (row.pk, ""), (row.pk + 1, newer)):
        with pytest.raises(Missing):
            on_call.by_link(id, wrong)
    assert newer not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize(
    ("who", "mail", "expected"),
    [
        ("ann", "", "ann"),
        ("ANN", "", "ann"),
        ("Ann Lee", "", "ann"),
        ("ann@example.org", "", "ann"),
        ("somebody", "ANN@example.org", "ann"),
        ("On Call - Ann Lee - Ops", "", "ann"),
        ("Weekend: Bob Ray", "", "bob"),
        ("Bob Ray (primary)", "", "bob"),
        ("Bob Rayner", "", None),
        ("", "", None),
        ("Two Names", "", None),
    ],
)
def test_people_are_known_by_what_calendars_call_them(
    people: dict[str, User], who: str, mail: str, expected: str | None
) -> None:
    for name in ("t1", "t2"):
        make.user(name, first_name="Two", last_name="Names")
    found = People.load().named(who, mail)
    assert (found.username if found else None) == expected


FEED = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
DTSTART:20261130T080000Z
DTEND:20261201T080000Z
SUMMARY:On Call - Somebody - Ops
ATTENDEE:ann@example.org
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART:20261130T100000Z
DTEND:20261130T140000Z
SUMMARY:Bob Ray
END:VEVENT
END:VCALENDAR
"""


def test_of_the_past_a_calendar_elsewhere_is_known_unless_it_says_something_else_now(people: dict[str, User]) -> None:
    feed = [FEED]
    with serving(answering(lambda handler: handler.answer(200, feed[0], Content_Type="text/calendar"))) as url:
        row = schedule(layers=[], url=f"{url}/feed")
        later, changed = FEED.replace("SUMMARY:Bob Ray", "SUMMARY:Cy"), FEED + "\n"
        for days, text, known_from in [
            (0, FEED, NOW),  # of what was before, it was not asked
            (1, changed, NOW),
            (1.5, later, NOW + 1.5 * DAY),
            (9, later, NOW + 2 * DAY),  # of what was before, nothing is kept
        ]:
            feed[0] = text
            Schedule.objects.update(next_at=NOW)
            assert on_call.refresh((NOW + days * DAY).timestamp()) == 1
            row.refresh_from_db()
            assert row.known_from == known_from, days


def test_a_calendar_elsewhere_says_who_it_is(people: dict[str, User], clock: list[datetime]) -> None:
    status = [200]

    def answer(handler: Handler) -> None:
        handler.answer(status[0], FEED, Content_Type="text/calendar")

    with serving(answering(answer)) as url:
        row = schedule(layers=[], url=f"{url}/feed")
        assert on_call.refresh(NOW.timestamp()) == 1
        row.refresh_from_db()
        assert [now(row, NOW + hours * HOUR) for hours in (0, 3)] == [["ann", "bob"], ["ann"]]
        status[0] = 500
        assert on_call.refresh((NOW + DAY).timestamp()) == 1
        row.refresh_from_db()
        assert "answered 500" in row.problem
        assert row.good_at == NOW
        assert now(row) == ["ann", "bob"]
        schedules.override(SYSTEM, row.pk, "cy", NOW, NOW + HOUR)
        assert now(schedules.find(SYSTEM, row.pk)) == ["cy"]
        changed = schedules.change(SYSTEM, row.pk, {"url": ""})
        assert (changed.place, changed.problem, changed.shifts) == ("", "", [])
