"""Rotations: who is on call when."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from metrics.alerts.rotation import ScheduleSpec, Span, document, names, spans

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def shown(found: tuple[Span, ...]) -> list[str]:
    """Return each as "ann 03-28T08 03-29T07": in UTC, with minutes where there are any."""
    return [f"{one.who}{'!' if one.is_override else ''} {_short(one.start)} {_short(one.end)}" for one in found]


def _short(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%m-%dT%H:%M" if moment.minute else "%m-%dT%H")


def layer(people: str, start: str = "2026-01-05T09:00", **fields: Any) -> dict[str, Any]:
    return {"people": people.split(), "start": start, **fields}


def override(who: str, start: str, end: str) -> Span:
    return Span(who, at(start), at(end), is_override=True)


DAILY = {"unit": "days"}
WORKING = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}]


@pytest.mark.parametrize(
    ("layers", "overrides", "start", "end", "expected"),
    [
        pytest.param(
            [layer("ann bob")],
            [],
            "2026-01-05",
            "2026-01-21",
            ["ann 01-05T08 01-12T08", "bob 01-12T08 01-19T08", "ann 01-19T08 01-21T00"],
            id="weekly, and nobody before it begins",
        ),
        pytest.param(
            [layer("ann bob", **DAILY)],
            [],
            "2026-03-28T12:00",
            "2026-03-30T12:00",
            ["ann 03-28T12 03-29T07", "bob 03-29T07 03-30T07", "ann 03-30T07 03-30T12"],
            id="daily: a hand-over at nine stays at nine when summer time begins",
        ),
        pytest.param(
            [layer("ann bob", **DAILY)],
            [],
            "2026-10-24T12:00",
            "2026-10-26T12:00",
            ["ann 10-24T12 10-25T08", "bob 10-25T08 10-26T08", "ann 10-26T08 10-26T12"],
            id="and when it ends",
        ),
        pytest.param(
            [layer("ann bob", "2026-10-24T20:00", every=12, unit="hours")],
            [],
            "2026-10-24T18:00",
            "2026-10-26T07:00",
            ["ann 10-24T18 10-25T07", "bob 10-25T07 10-25T19", "ann 10-25T19 10-26T07"],
            id="hours: the night that has one more",
        ),
        pytest.param(
            [layer("ann bob", "2026-03-28T02:30", **DAILY)],
            [],
            "2026-03-28T02:00",
            "2026-03-30T02:00",
            ["ann 03-28T02 03-29T01:30", "bob 03-29T01:30 03-30T00:30", "ann 03-30T00:30 03-30T02"],
            id="a hand-over at a time that is skipped",
        ),
        pytest.param(
            [layer("ann bob", "2026-10-24T02:30", **DAILY)],
            [],
            "2026-10-24T01:00",
            "2026-10-26T01:00",
            ["ann 10-24T01 10-25T00:30", "bob 10-25T00:30 10-26T01"],
            id="a hand-over at a time that comes twice, at its first",
        ),
        pytest.param(
            [layer("ann bob", "2028-02-28T00:00", **DAILY)],
            [],
            "2028-02-27T23:00",
            "2028-03-01T23:00",
            ["ann 02-27T23 02-28T23", "bob 02-28T23 02-29T23", "ann 02-29T23 03-01T23"],
            id="a leap day is a day",
        ),
        pytest.param([layer("")], [], "2026-02-01", "2026-03-01", [], id="nobody"),
        pytest.param([], [], "2026-02-01", "2026-03-01", [], id="no layer"),
        pytest.param(
            [layer("ann")], [], "2026-02-01", "2026-03-01", ["ann 02-01T00 03-01T00"], id="one person has every turn"
        ),
        pytest.param(
            [layer("ann bob", "2026-01-05T09:00"), layer("cy", "2026-01-06T00:00", only=WORKING)],
            [],
            "2026-01-09",
            "2026-01-12T12:00",
            ["ann 01-09T00 01-09T08", "cy 01-09T08 01-09T16", "ann 01-09T16 01-12T08", "cy 01-12T08 01-12T12"],
            id="the last layer counts where it has somebody",
        ),
        pytest.param(
            [
                layer("ann", "2026-01-01T00:00", only=[{"from": "08:00", "to": "20:00"}]),
                layer("kim", "2026-01-01T00:00", only=[{"from": "20:00", "to": "08:00"}]),
            ],
            [],
            "2026-01-05",
            "2026-01-06",
            ["kim 01-05T00 01-05T07", "ann 01-05T07 01-05T19", "kim 01-05T19 01-06T00"],
            id="following the sun",
        ),
        pytest.param(
            [layer("ann", only=[{"days": ["sat"], "from": "20:00", "to": "08:00"}])],
            [],
            "2026-03-27",
            "2026-03-31",
            ["ann 03-28T19 03-29T06"],
            id="a night in which summer time begins",
        ),
        pytest.param(
            [layer("ann", only=[{"days": ["sun"]}])],
            [],
            "2026-10-24",
            "2026-10-27",
            ["ann 10-24T22 10-25T23"],
            id="a whole day of 25 hours",
        ),
        pytest.param(
            [layer("ann", holidays="never"), layer("bob", holidays="only")],
            [],
            "2026-12-24",
            "2026-12-28",
            ["ann 12-24T00 12-24T23", "bob 12-24T23 12-26T23", "ann 12-26T23 12-28T00"],
            id="holidays",
        ),
        pytest.param(
            [layer("ann bob")],
            [override("cy", "2026-01-11", "2026-01-13")],
            "2026-01-10",
            "2026-01-14",
            ["ann 01-10T00 01-11T00", "cy! 01-11T00 01-13T00", "bob 01-13T00 01-14T00"],
            id="an override over a hand-over",
        ),
        pytest.param(
            [],
            [override("cy", "2026-01-11", "2026-01-13"), override("di", "2026-01-12", "2026-01-14")],
            "2026-01-10",
            "2026-01-13T12:00",
            ["cy! 01-11T00 01-12T00", "di! 01-12T00 01-13T12"],
            id="the last override counts",
        ),
    ],
)
def test_who_is_on_call(layers: list[Any], overrides: list[Span], start: str, end: str, expected: list[str]) -> None:
    spec = ScheduleSpec.model_validate({"layers": layers, "holidays": ["2026-12-26", "2026-12-25"]})
    assert shown(spans(spec, BERLIN, overrides, at(start), at(end))) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"layers": [{"people": ["ann"]}]},
        {"layers": [layer("ann", "soon")]},
        {"layers": [layer("ann", "2026-01-05T09:00+01:00")]},
        {"layers": [layer("ann", every=0)]},
        {"layers": [layer("ann", unit="months")]},
        {"layers": [layer("ann", only=[{"from": "25:00"}])]},
        {"layers": [layer("ann", only=[{"days": ["monday"]}])]},
        {"layers": [layer("ann", colour="red")]},
        {"holidays": ["Christmas"]},
    ],
)
def test_what_is_no_schedule_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ScheduleSpec.model_validate(wrong)


def test_it_is_stored_without_what_is_as_usual() -> None:
    given = {"layers": [layer("ann bob", only=WORKING)], "holidays": ["2026-12-25"]}
    spec = ScheduleSpec.model_validate(given)
    assert document(spec) == given
    assert names(spec) == {"ann", "bob"}


@given(
    st.integers(1, 30),
    st.sampled_from(["hours", "days", "weeks"]),
    st.integers(1, 4),
    st.integers(0, 400 * 24),
    st.integers(1, 60 * 24),
)
def test_somebody_is_always_on_call_and_never_two(every: int, unit: str, people: int, begin: int, hours: int) -> None:
    spec = ScheduleSpec.model_validate({"layers": [layer(" ".join("abcd"[:people]), every=every, unit=unit)]})
    start = at("2026-01-05T08:00") + begin * 3600
    end = start + timedelta(hours=hours).total_seconds()
    found = spans(spec, BERLIN, [], start, end)
    assert (found[0].start, found[-1].end) == (start, end)
    assert all(one.end == after.start for one, after in pairwise(found))
