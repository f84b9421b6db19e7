"""Calendars: what others publish, and the times that it means."""

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.alerts.calendars import BadCalendar, Event, merged, occurring, published, window

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def event(*lines: str) -> str:
    uid = [] if any(line.startswith("UID:") for line in lines) else ["UID:x"]
    return "\n".join(["BEGIN:VEVENT", *uid, "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"])


def calendar(*events: str) -> str:
    return "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//", *events, "END:VCALENDAR", ""])


def times(
    text: str, zone: ZoneInfo = BERLIN, start: str = "2026-01-01", end: str = "2027-01-01"
) -> list[tuple[str, str]]:
    found = occurring(text, zone, at(start), at(end)).events
    return [(_short(one.start), _short(one.end)) for one in found]


def _short(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%m-%dT%H:%M")


DAILY = ("DTSTART;TZID=Europe/Berlin:20261023T200000", "DTEND;TZID=Europe/Berlin:20261024T080000")
WINDOWS_ZONE = """BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            calendar(event("DTSTART:20260610T080000Z", "DTEND:20260610T090000Z")),
            [("06-10T08:00", "06-10T09:00")],
            id="in UTC",
        ),
        pytest.param(
            calendar(event(*DAILY, "RRULE:FREQ=DAILY;COUNT=3")),
            [("10-23T18:00", "10-24T06:00"), ("10-24T18:00", "10-25T07:00"), ("10-25T19:00", "10-26T07:00")],
            id="local times, over the end of summer time",
        ),
        pytest.param(
            calendar(
                event(*DAILY, "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20261024T200000"),
                event(
                    "RECURRENCE-ID;TZID=Europe/Berlin:20261025T200000",
                    "DTSTART;TZID=Europe/Berlin:20261025T220000",
                    "DTEND;TZID=Europe/Berlin:20261026T080000",
                ),
            ),
            [("10-23T18:00", "10-24T06:00"), ("10-25T21:00", "10-26T07:00")],
            id="one left out, one moved",
        ),
        pytest.param(
            calendar(event("DTSTART;VALUE=DATE:20261024", "DTEND;VALUE=DATE:20261026")),
            [("10-23T22:00", "10-25T23:00")],
            id="whole days, in the zone that is asked for",
        ),
        pytest.param(
            calendar(event("DTSTART;VALUE=DATE:20261024")), [("10-23T22:00", "10-24T22:00")], id="a day without an end"
        ),
        pytest.param(
            calendar(event("DTSTART:20261024T120000", "DTEND:20261024T130000")),
            [("10-24T10:00", "10-24T11:00")],
            id="floating, in the zone that is asked for",
        ),
        pytest.param(
            calendar(event("DTSTART;TZID=Europe/Berlin:20261024T220000", "DURATION:PT12H")),
            [("10-24T20:00", "10-25T08:00")],
            id="a duration",
        ),
        pytest.param(
            calendar(event("DTSTART;TZID=Europe/Berlin:20261025T023000")), [], id="no end, and so no time at all"
        ),
        pytest.param(
            calendar(event("DTSTART;TZID=Europe/Berlin:20261025T023000", "DTEND;TZID=Europe/Berlin:20261025T040000")),
            [("10-25T00:30", "10-25T03:00")],
            id="begins in the hour that comes twice, at its first",
        ),
        pytest.param(
            calendar(event("DTSTART;TZID=Europe/Berlin:20260329T023000", "DTEND;TZID=Europe/Berlin:20260329T040000")),
            [("03-29T01:30", "03-29T02:00")],
            id="begins in the hour that is skipped",
        ),
        pytest.param(
            calendar(
                event("DTSTART:20240229T100000Z", "DTEND:20240229T110000Z", "RRULE:FREQ=YEARLY"),
                event("DTSTART:20260228T100000Z", "DTEND:20260228T110000Z", "UID:y"),
            ),
            [("02-28T10:00", "02-28T11:00")],
            id="a leap day is not in each year",
        ),
        pytest.param(
            calendar(event("DTSTART:20261024T100000Z", "DTEND:20261024T110000Z", "STATUS:CANCELLED")),
            [],
            id="cancelled",
        ),
        pytest.param(
            calendar(
                event("DTSTART:20261024T100000Z", "DTEND:20261024T120000Z"),
                event("DTSTART:20261024T110000Z", "DTEND:20261024T130000Z", "UID:y"),
            ),
            [("10-24T10:00", "10-24T12:00"), ("10-24T11:00", "10-24T13:00")],
            id="those that overlap all are",
        ),
        pytest.param(
            calendar(
                WINDOWS_ZONE,
                event(
                    "DTSTART;TZID=W. Europe Standard Time:20261019T090000",
                    "DTEND;TZID=W. Europe Standard Time:20261026T090000",
                ),
            ),
            [("10-19T07:00", "10-26T08:00")],
            id="a zone of Windows",
        ),
        pytest.param(
            calendar(event("DTSTART:20260610T080000Z", "UID:y")) + calendar(event(*DAILY)),
            [("10-23T18:00", "10-24T06:00")],
            id="two calendars in one",
        ),
        pytest.param(
            calendar(event("DTSTART;TZID=Europe/Berlin:20261024T220000", "DURATION:P1DT1H")),
            [("10-24T20:00", "10-25T22:00")],
            id="a duration of a day, which has 25 hours, and one more",
        ),
        pytest.param(
            calendar(event("DTSTART:20261024T120000Z", "DTEND:20261024T110000Z")),
            [("10-24T11:00", "10-24T12:00")],
            id="ends before it begins: the library takes it the other way round",
        ),
    ],
)
def test_events_are_when_the_calendar_says(text: str, expected: list[tuple[str, str]]) -> None:
    assert times(text) == expected
    assert occurring(text, BERLIN, at("2026-01-01"), at("2027-01-01")).problems == ()


GOOD = event("DTSTART:20261024T100000Z", "DTEND:20261024T110000Z", "UID:good")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (event("DTSTART:notadate", "SUMMARY:bad"), "One event can't be read."),
        (event("SUMMARY:bad"), "One event can't be read."),
        (event("DTSTART:20261024T100000Z", "UID:x", "UID:y"), "One event can't be read."),
        (event("DTSTART:20261024T100000Z", "RRULE:FREQ=SOMETIMES"), "One event can't be read."),
        (event("DTSTART:20261024T100000Z", "RRULE:FREQ=DAILY;INTERVAL=0"), "One event can't be read."),
        (event("DTSTART:20261024T100000Z", "RRULE:FREQ=DAILY;INTERVAL=-1"), "One event can't be read."),
        (event("DTSTART:20261024T100000Z", "RRULE:FREQ=DAILY;INTERVAL=2;INTERVAL=0"), "One event can't be read."),
        (
            event("DTSTART:20260101T000000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY", "SUMMARY:flood"),
            "flood recurs too often, and is left out.",
        ),
        (
            event("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,10,20,30,40,50,55,56,58"),
            "an event recurs too often, and is left out.",
        ),
        (
            event("DTSTART:16010101T000000Z", "DURATION:PT1S", "RRULE:FREQ=DAILY", "SUMMARY:old"),
            "old recurs too often, and is left out.",
        ),
        (
            event("DTSTART:20260101T000000Z", "DURATION:PT1S", "RRULE:FREQ=DAILY;COUNT=9;BYMONTH=2;BYMONTHDAY=30"),
            "an event recurs too often, and is left out.",
        ),
        (
            event("DTSTART;TZID=No Such Zone:20251020T090000", "DURATION:PT1H"),
            "'No Such Zone' is no time zone that is known; its times are read as local.",
        ),
    ],
)
def test_one_that_is_wrong_leaves_the_others_be(wrong: str, said: str) -> None:
    found = occurring(calendar(wrong, GOOD), BERLIN, at("2026-01-01"), at("2027-01-01"))
    assert found.problems == (said,)
    assert [one.start for one in found.events] == [at("2026-10-24T10:00")]


@pytest.mark.parametrize(
    "rule",
    [
        *(
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=DAILY;INTERVAL=7;BYDAY=FR",
        ),
        *("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=-30", "FREQ=WEEKLY;BYMONTH=12;BYYEARDAY=1,-366"),
    ],
)
def test_one_that_never_comes_is_not_looked_for_until_the_year_9999(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    never = event("DTSTART;VALUE=DATE:20260101", f"RRULE:{rule}", "UID:never")
    monkeypatch.setattr("dateutil.rrule.rrule._iter", None)
    assert times(calendar(never, GOOD)) == [("12-31T23:00", "01-01T23:00"), ("10-24T10:00", "10-24T11:00")]


def test_one_that_comes_seldom_is_found() -> None:
    seldom = event("DTSTART;VALUE=DATE:20240229", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=-1;BYDAY=SA", "UID:seldom")
    assert times(calendar(seldom)) == [("02-27T23:00", "02-28T23:00")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html><body>Sign in</body></html>",
        "BEGIN:VEVENT\nEND:VEVENT\n",
        calendar(GOOD)[:-40],
        calendar(GOOD)[:60],
        calendar(WINDOWS_ZONE.replace("INTERVAL=1", "INTERVAL=0"), GOOD),
        calendar(WINDOWS_ZONE.replace("FREQ=YEARLY", "FREQ=\n SECONDLY"), GOOD),
        calendar(WINDOWS_ZONE.replace("INTERVAL=1", "BYSECOND=1,2,3,4,5;BYMINUTE=1,2,3"), GOOD),
        "BEGIN:VCALENDAR\nX-LONG:" + "x" * 1_100_000 + "\nEND:VCALENDAR\n",
    ],
)
def test_what_is_no_calendar_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BadCalendar, match=r"^[A-Z].*\.$"):
        times(text)


def test_an_empty_calendar_says_so() -> None:
    assert occurring(calendar(), BERLIN, 0, 1).problems == ("There is no event in it.",)


@pytest.mark.parametrize(
    ("line", "mail"),
    [
        ("ATTENDEE;CN=Ann:mailto:ann@example.org", "ann@example.org"),
        ("ATTENDEE:ann@example.org", "ann@example.org"),
        ("ATTENDEE:urn:uuid:1", ""),
        ("SUMMARY:On Call - Ann - Ops", ""),
    ],
)
def test_who_attends_is_known_by_mail(line: str, mail: str) -> None:
    text = calendar(event("DTSTART:20261024T100000Z", "DTEND:20261024T110000Z", line))
    (found,) = occurring(text, BERLIN, at("2026-01-01"), at("2027-01-01")).events
    assert found.mail == mail


def test_only_what_touches_the_time_is_found() -> None:
    text = calendar(GOOD)
    for start, end, expected in (
        ("2026-10-24T11:00", "2026-10-25", 0),
        ("2026-10-24T10:59", "2026-10-25", 1),
        ("2026-10-24", "2026-10-24T10:00", 0),
        ("2026-10-24", "2026-10-24T10:01", 1),
    ):
        assert len(times(text, start=start, end=end)) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([(0, 2), (1, 3)], [(0, 3)]),
        ([(0, 2), (2, 3)], [(0, 3)]),
        ([(4, 5), (0, 9)], [(0, 9)]),
        ([(4, 5), (0, 1)], [(0, 1), (4, 5)]),
    ],
)
def test_times_that_touch_are_one(spans: list[tuple[float, float]], expected: list[tuple[float, float]]) -> None:
    assert merged(Event(*one) for one in spans) == expected


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        ("", ["10-23T18:00"]),
        ("FREQ=DAILY;COUNT=3", ["10-23T18:00", "10-24T18:00", "10-25T19:00"]),
        ("RRULE:FREQ=WEEKLY;UNTIL=20261031T000000Z", ["10-23T18:00", "10-30T19:00"]),
    ],
)
def test_a_window_of_ours_is_a_calendar_too(repeat: str, expected: list[str]) -> None:
    text = window(datetime(2026, 10, 23, 20), 3600, repeat, "Europe/Berlin")
    assert [start for start, _ in times(text)] == expected


@pytest.mark.parametrize(
    "repeat",
    [
        "every day",
        "FREQ=SOMETIMES",
        "FREQ=MINUTELY",
        "FREQ=DAILY;COUNT=2;BYMONTHDAY=1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
    ],
)
def test_what_is_no_rule_is_refused(repeat: str) -> None:
    with pytest.raises(BadCalendar, match=r"\.$"):
        window(datetime(2026, 10, 23, 20), 3600, repeat, "UTC")


def test_what_is_published_is_read_again() -> None:
    text = published("Ops", [("1", "Ann, the first", at("2026-05-01"), at("2026-05-02"))], at("2026-04-01"))
    (found,) = occurring(text, BERLIN, at("2026-01-01"), at("2027-01-01")).events
    assert found == Event(at("2026-05-01"), at("2026-05-02"), "Ann, the first")


LINES = st.sampled_from(
    [
        *calendar(event(*DAILY, "RRULE:FREQ=DAILY;COUNT=3")).splitlines(),
        *("DTSTART:x", "RRULE:FREQ=", "DTEND:2026", "X", "SUMMARY:a\x00b"),
        *("RRULE:FREQ=DAILY;INTERVAL=0", "RRULE:FREQ=YEARLY;INTERVAL=2", "BEGIN:VTIMEZONE", "END:VTIMEZONE"),
        *("DURATION:PT1H", "DURATION:P9999999D", "DURATION:x", "X-WATCHFLOOR-LASTS:x", "X-WATCHFLOOR-LASTS:1e400"),
    ]
)


@given(st.lists(LINES, max_size=20))
def test_nothing_but_a_sentence_comes_of_a_broken_one(lines: list[str]) -> None:
    with suppress(BadCalendar):
        occurring("\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]), BERLIN, 1.79e9, 1.8e9)
