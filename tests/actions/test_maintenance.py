"""Maintenance: its windows, once, again and again, or by a calendar elsewhere; and what they withhold."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from metrics.access.principal import SYSTEM, of_user
from metrics.access.sharing import Access
from metrics.actions import feeds, maintenance, rules, withholding
from metrics.actions import windows as windows_of_charts
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.actions.maintenance import Window
from metrics.alerts import calendars
from metrics.alerts.matchers import parse
from metrics.models import Alert, AuditEntry, Maintenance, MaintenanceSpan
from metrics.times import datetime_of
from tests import make
from tests.sources.web import Handler, answering, serving

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NIGHT = Window("Europe/Berlin", datetime(2026, 10, 23, 22), 4 * 3600)
NIGHTLY = Window("Europe/Berlin", datetime(2026, 10, 23, 22), 4 * 3600, "FREQ=DAILY")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The moment that it is, in a list."""
    moment = [NOW]
    for module in (maintenance, feeds):
        monkeypatch.setattr(module.time, "time", lambda: moment[0].timestamp())
    return moment


def made(window: Window = NIGHT, text: str = "host=a", comment: str = "Patches", **fields: Any) -> Maintenance:
    return maintenance.create(SYSTEM, parse(text), window, comment, **fields)


def changed(row: Maintenance, window: Window, enabled: bool = True) -> Maintenance:
    return maintenance.change(SYSTEM, row.pk, parse("host=a"), window, "Patches", enabled)


def windows(row: Maintenance) -> list[str]:
    rows = MaintenanceSpan.objects.filter(maintenance=row).order_by("starts_at")
    return [f"{one.starts_at:%m-%dT%H:%M} {one.ends_at:%m-%dT%H:%M}" for one in rows]


def alert(**labels: str) -> Alert:
    condition = {"kind": "threshold", "above": 90}
    rule = rules.create(SYSTEM, {"name": "Disk full", "query": {"metric": "disk_used"}, "condition": condition})
    return Alert.objects.create(rule=rule, key="x", since_ms=0, seen_at_ms=0, state="firing", labels=labels)


def test_a_window_withholds_from_its_start_until_before_its_end() -> None:
    one, row = alert(host="a"), made()
    assert windows(row) == ["10-23T20:00 10-24T00:00"]
    found = {
        hour: [
            reason.text
            for reason in withholding.reasons([one], (NOW + timedelta(hours=hour)).timestamp()).get(one.pk, [])
        ]
        for hour in (7, 8, 11, 12)
    }
    assert found == {7: [], 8: ["Patches"], 11: ["Patches"], 12: []}
    (reason,) = withholding.reasons([one], (NOW + timedelta(hours=9)).timestamp())[one.pk]
    assert (reason.kind, reason.id) == ("maintenance", str(row.pk))


def test_one_that_comes_again_follows_the_clocks_of_its_zone(clock: list[datetime]) -> None:
    row = made(NIGHTLY)
    assert windows(row)[:3] == ["10-23T20:00 10-24T00:00", "10-24T20:00 10-25T00:00", "10-25T21:00 10-26T01:00"]
    assert len(windows(row)) == maintenance.AHEAD.days
    clock[0] += 10 * DAY
    maintenance.look_ahead(clock[0].timestamp())
    assert windows(row)[0] == "10-23T20:00 10-24T00:00"
    assert len(windows(row)) == maintenance.AHEAD.days + 10
    maintenance.forget((NOW + 600 * DAY).timestamp())
    assert windows(row) == []


def test_a_change_leaves_what_is_over_and_ends_what_is_left_out(clock: list[datetime]) -> None:
    row = made(NIGHTLY)
    clock[0] = NOW + DAY + timedelta(hours=9)
    changed(row, Window("UTC", datetime(2026, 11, 1, 10), 3600))
    assert windows(row) == ["10-23T20:00 10-24T00:00", "10-24T20:00 10-24T21:00", "11-01T10:00 11-01T11:00"]
    changed(row, NIGHTLY, enabled=False)
    assert windows(row) == ["10-23T20:00 10-24T00:00", "10-24T20:00 10-24T21:00"]
    verbs = [entry.verb for entry in AuditEntry.objects.filter(noun="maintenance").order_by("pk")]
    assert verbs == ["create", "change", "change"]


def test_what_is_over_stays_on_charts_when_it_is_turned_off(clock: list[datetime]) -> None:
    row = made(NIGHTLY)
    now = NOW + DAY + timedelta(hours=9)
    clock[0] = now
    changed(row, NIGHTLY, enabled=False)
    ends = [
        (datetime_of(one.start), datetime_of(one.end)) for one in windows_of_charts.on_at(frozenset, now.timestamp())
    ]
    assert ends == [
        (NOW + timedelta(hours=32), now),
        (NOW + timedelta(hours=8), NOW + timedelta(hours=12)),
    ]
    assert len(maintenance.over(SYSTEM, [{"host": "a"}], NOW.timestamp(), now.timestamp() + 1)) == 2


def test_looking_ahead_tells_of_it_only_if_something_is_new(
    clock: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    made(Window("UTC", datetime(2026, 10, 23, 12), 3600, "FREQ=DAILY;COUNT=3"))
    monkeypatch.setattr("metrics.actions.maintenance.alert_changes.note", told.append)
    before = list(MaintenanceSpan.objects.values_list("pk", flat=True))
    for hours in (1, 24.5, 90):
        maintenance.look_ahead((NOW + timedelta(hours=hours)).timestamp())
    assert (told, list(MaintenanceSpan.objects.values_list("pk", flat=True))) == ([], before)
    row = Maintenance.objects.get()
    row.text = row.text.replace("COUNT=3", "COUNT=2")
    maintenance.make_spans(row, NOW.timestamp())
    assert told == ["maintenance"]


def test_a_longer_window_goes_on(clock: list[datetime]) -> None:
    row = made()
    clock[0] = NOW + timedelta(hours=9)
    changed(row, Window("Europe/Berlin", datetime(2026, 10, 23, 22), 6 * 3600))
    assert windows(row) == ["10-23T20:00 10-24T02:00"]


@pytest.mark.parametrize(
    ("text", "window", "comment", "fields"),
    [
        ("", NIGHT, "", ["matchers", "comment"]),
        ("a=~.*", NIGHT, "x", ["matchers"]),
        ("a=b", Window("Mars", datetime(2026, 10, 23, 22), 3600), "x", ["time_zone"]),
        ("a=b", Window("UTC"), "x", ["start"]),
        ("a=b", Window("UTC", datetime(2026, 10, 20), 3600), "x", ["start"]),
        ("a=b", Window("UTC", datetime(2026, 10, 23, 22), 1), "x", ["lasts"]),
        ("a=b", Window("UTC", datetime(2026, 10, 23, 22), 3600, "daily"), "x", ["repeat"]),
        ("a=b", Window("UTC", datetime(2026, 10, 23, 22), 3600, "FREQ=SECONDLY"), "x", ["repeat"]),
        ("a=b", Window("UTC", url="ftp://example.org/"), "x", ["url"]),
    ],
)
def test_what_can_not_be_is_refused(text: str, window: Window, comment: str, fields: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        made(window, text, comment)
    assert [field for field, _ in refused.value.all] == fields
    assert not Maintenance.objects.exists()


def test_only_editors_make_change_and_remove_it() -> None:
    row, viewer = made(), of_user(make.user("vera"))
    with pytest.raises(Forbidden):
        maintenance.create(viewer, parse("a=b"), NIGHT, "x")
    with pytest.raises(Forbidden):
        maintenance.delete(viewer, row.pk)
    hidden = made(access=Access(everyone=False))
    with pytest.raises(Missing):
        maintenance.find(viewer, hidden.pk)
    maintenance.delete(of_user(make.user("eve", is_staff=True)), row.pk)
    assert not MaintenanceSpan.objects.filter(maintenance=row.pk).exists()


def test_a_single_one_that_is_far_ahead_comes_to_pass(clock: list[datetime]) -> None:
    row = made(Window("UTC", datetime(2027, 5, 1, 22), 3600))
    assert windows(row) == []
    clock[0] += 120 * DAY
    maintenance.look_ahead(clock[0].timestamp())
    assert windows(row) == ["05-01T22:00 05-01T23:00"]
    clock[0] += 200 * DAY
    maintenance.look_ahead(clock[0].timestamp())
    assert windows(row) == ["05-01T22:00 05-01T23:00"]


def test_it_mutes_the_alerts_of_whoever_said_what_it_matches() -> None:
    user = make.user("eve", is_staff=True)
    ops, eve = make.team("ops", user), of_user(user)
    row = maintenance.create(eve, parse("host=a"), NIGHT, "Patches")
    assert row.reach == [ops.pk]
    assert changed(row, NIGHTLY).reach == [ops.pk]
    maintenance.change(SYSTEM, row.pk, parse("host=b"), NIGHTLY, "Patches", True)
    row.refresh_from_db()
    assert row.reach is None
    entry = AuditEntry.objects.filter(noun="maintenance").order_by("-pk")[0]
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["reach"], entry.after["reach"]) == ([ops.pk], None)
    maintenance.change(eve, row.pk, parse("host=b"), NIGHT, "Longer", True)
    make.team("night")
    document = {"name": "Secret", "query": {"metric": "x"}, "condition": {"kind": "threshold", "above": 1}}
    rules.create(SYSTEM, document, Access(everyone=False, teams=["night"]))
    with pytest.raises(Forbidden, match=r"^This maintenance mutes alerts that you may not see: end it, or make maint"):
        maintenance.change(eve, row.pk, parse("host=b"), NIGHT, "Longer", True)
    maintenance.delete(eve, row.pk)


def test_series_are_matched_by_their_labels_and_metric() -> None:
    row = made(text="host=a, metric=~disk_.*")
    start, end = NOW.timestamp(), (NOW + DAY).timestamp()
    for labels, expected in (
        ({"host": "a", "metric": "disk_used"}, [row.pk]),
        ({"host": "b", "metric": "disk_used"}, []),
        ({"host": "a", "metric": "cpu"}, []),
    ):
        assert [one.pk for _, _, one in maintenance.over(SYSTEM, [labels], start, end)] == expected
    assert maintenance.over(SYSTEM, [{"host": "a", "metric": "disk_used"}], end, end + 60) == []
    assert maintenance.spans([row.pk], start, end) == {
        row.pk: [((NOW + timedelta(hours=8)).timestamp(), (NOW + timedelta(hours=12)).timestamp())]
    }


CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
X-PUBLISHED-TTL:PT20M
BEGIN:VEVENT
UID:x
DTSTART:20261024T100000Z
DTEND:20261024T120000Z
SUMMARY:Switches
END:VEVENT
END:VCALENDAR
"""


class Elsewhere:
    """A server of a calendar: `text` and `status` are what it answers, `asked` what it was asked."""

    def __init__(self) -> None:
        self.text, self.status = CALENDAR, 200
        self.asked: list[str] = []
        self.url = ""

    def answer(self, handler: Handler) -> None:
        known = handler.headers.get("If-None-Match", "")
        self.asked.append(known)
        tag = f'"{hash(self.text)}"'
        if self.status == 200 and known == tag:
            handler.answer(304, ETag=tag)
        else:
            handler.answer(self.status, self.text, ETag=tag, Content_Type="text/calendar")


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    with serving(answering(lambda handler: server.answer(handler))) as url:
        server.url = f"{url}/private/SECRET/feed"
        yield server


def test_the_last_good_copy_of_a_calendar_is_kept(elsewhere: Elsewhere, clock: list[datetime]) -> None:
    row = made(Window("Europe/Berlin", url=elsewhere.url))
    assert windows(row) == []
    assert "SECRET" not in row.url + row.place + str(maintenance.facts(row))

    def refreshed(after: timedelta) -> Maintenance:
        clock[0] += after
        maintenance.refresh(clock[0].timestamp())
        row.refresh_from_db()
        return row

    assert refreshed(timedelta()).problem == ""
    assert windows(row) == ["10-24T10:00 10-24T12:00"]
    assert row.next_at == NOW + timedelta(minutes=20)
    refreshed(timedelta(minutes=10))
    assert len(elsewhere.asked) == 1
    assert refreshed(timedelta(minutes=10)).good_at == clock[0]
    assert elsewhere.asked[1] != ""
    for status, text, said in (
        (500, CALENDAR, "answered 500 Internal Server Error."),
        (200, "<html>Sign in</html>", "It is no calendar"),
        (404, "", "answered 404 Not Found."),
    ):
        elsewhere.status, elsewhere.text = status, text
        assert said in refreshed(timedelta(hours=1)).problem
        assert "SECRET" not in row.problem
        assert windows(row) == ["10-24T10:00 10-24T12:00"]
    elsewhere.status, elsewhere.text = 200, CALENDAR.replace("T10", "T11")
    assert refreshed(timedelta(hours=1)).problem == ""
    assert windows(row) == ["10-24T11:00 10-24T12:00"]


ODD = CALENDAR.replace("SUMMARY:Switches", "SUMMARY:Switches\x00\nX-WATCHFLOOR-LASTS:long")


def test_one_odd_calendar_does_not_stop_the_others(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere.text = ODD
    odd = made(Window("UTC", url=elsewhere.url))
    maintenance.refresh(NOW.timestamp())
    odd.refresh_from_db()
    assert (odd.problem, "\x00" in odd.text) == ("", False)
    assert windows(odd) == ["10-24T10:00 10-24T12:00"]

    real = calendars.occurring

    def occurring(text: str, *rest: Any) -> Any:
        if "X-WATCHFLOOR-LASTS" in text:
            raise RuntimeError("https://example.org/SECRET")
        return real(text, *rest)

    monkeypatch.setattr(calendars, "occurring", occurring)
    elsewhere.text = CALENDAR
    row, nightly = made(Window("UTC", url=elsewhere.url)), made(NIGHTLY)
    Maintenance.objects.filter(pk=odd.pk).update(next_at=NOW, etag="")
    MaintenanceSpan.objects.filter(maintenance=nightly).delete()
    elsewhere.text = CALENDAR.replace("SUMMARY:Switches", "X-WATCHFLOOR-LASTS:1")
    assert maintenance.refresh(NOW.timestamp()) == 2
    odd.refresh_from_db()
    assert odd.problem == "The calendar can't be used: RuntimeError."
    assert odd.next_at is not None
    assert odd.next_at > NOW
    elsewhere.text = CALENDAR
    Maintenance.objects.filter(pk=row.pk).update(next_at=NOW)
    Maintenance.objects.filter(pk=odd.pk).update(url="")
    maintenance.refresh(NOW.timestamp())
    assert windows(row) == ["10-24T10:00 10-24T12:00"]
    maintenance.look_ahead(NOW.timestamp())
    assert len(windows(nightly)) == maintenance.AHEAD.days


def test_a_calendar_of_people_who_are_not_administrators_is_only_asked_for_where_they_may(
    elsewhere: Elsewhere, settings: Any
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    eve = of_user(make.user("eve", is_staff=True))
    row = maintenance.create(eve, parse("host=a"), Window("UTC", url=elsewhere.url), "Patches")
    maintenance.refresh(NOW.timestamp())
    row.refresh_from_db()
    assert "only what an administrator set up may connect there" in row.problem
    assert elsewhere.asked == []
