"""The notice: what is said when nearly everything is late at once, and that nothing is said otherwise."""

import math
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from metrics.actions import notice
from metrics.actions.notice import Notice
from metrics.health import standstill
from metrics.health import store as health
from metrics.health.standstill import STILL, Part, PartStatus, State
from metrics.health.store import Arriving
from metrics.redis_state.round_trip import ask
from tests.make import AT

pytestmark = pytest.mark.usefixtures("redis")

LATER = AT + 3600
COLLECTED = (
    "Nearly all that is collected is late at once, though all processes run: the likely fault is this server's network,"
    " not what is measured."
)
PUSHED = (
    "Nearly all that is pushed is late at once: the likely fault is the network, the senders, or the address of this"
    " server, not what they measure."
)
BOTH = (
    "Nearly everything is late at once, though all processes run: the likely fault is this server or its network, not"
    " what is measured."
)


@pytest.fixture(autouse=True)
def _zone() -> Iterator[None]:
    with timezone.override("UTC"):
        yield


def current(at: float) -> Notice:
    return notice.of(ask(health.noted()), at)


def said(collected: float | None, pushed: float | None, at: float = LATER) -> Notice:
    """Return the notice at `at` if the two ways stopped when it is said (Unix seconds; None: they go on)."""
    health.record_arriving([Arriving("collected", 9, 9, AT, collected), Arriving("pushed", 9, 9, AT, pushed)])
    return current(at)


@pytest.mark.parametrize(
    ("collected", "pushed", "what", "likely"),
    [
        (None, None, "", ""),
        (AT, None, "Collecting stopped at 12:00 UTC.", COLLECTED),
        (None, AT + 61, "Pushes stopped at 12:01 UTC.", PUSHED),
        (AT, AT + 59, "Collecting and pushes stopped at 12:00 UTC.", BOTH),
        (AT, AT + 61, "Collecting stopped at 12:00 UTC, pushes at 12:01 UTC.", BOTH),
    ],
)
def test_it_says_what_stopped_and_since_when_and_where_to_look(
    collected: float | None, pushed: float | None, what: str, likely: str
) -> None:
    assert said(collected, pushed) == Notice(what, likely)


def test_before_anything_was_looked_at_nothing_is_said() -> None:
    assert current(AT) == Notice()


def test_it_does_not_change_while_the_day_lasts() -> None:
    assert len({said(AT, None, AT + after).what for after in range(60, 12 * 3600, 60)}) == 1


@pytest.mark.parametrize(
    ("zone", "what"),
    [
        ("UTC", "Collecting stopped on 20 November at 12:00 UTC."),
        ("Asia/Kathmandu", "Collecting stopped on 20 November at 17:45 +0545."),
        ("Pacific/Auckland", "Collecting stopped at 01:00 NZDT."),
    ],
)
def test_of_another_day_it_names_the_day_as_the_server_s_time_zone_has_it(zone: str, what: str) -> None:
    at = datetime(2026, 11, 21, 0, 30, tzinfo=ZoneInfo("UTC")).timestamp()
    with timezone.override(zone):
        assert said(AT, None, at).what == what


def test_the_fragment_is_one_element_that_is_empty_without_a_notice() -> None:
    assert notice.fragment(Notice()) == '<div id="notice" role="alert"></div>'
    html = notice.fragment(said(AT, None))
    assert html.startswith('<div id="notice" role="alert"><p class="notice">')
    assert html.endswith("</p></div>")
    assert "<strong>Collecting stopped at 12:00 UTC.</strong>" in html


def test_each_part_that_stands_still_has_a_sentence_of_its_own() -> None:
    still = [(part, state) for part in Part for state in STILL if (part, state) in notice._CAUSES]
    found = [notice.cause(part, PartStatus(state, 61), LATER) for part, state in still]
    assert len({one.likely for one in found}) == len(still) == 6
    assert all(one.what.endswith(" at 12:58 UTC.") for one in found)


def test_what_stands_still_is_said_before_what_is_late_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = dict.fromkeys(Part, PartStatus(State.OK)) | {Part.BEAT: PartStatus(State.SILENT, 60)}
    monkeypatch.setattr(standstill, "look_at", lambda *_: statuses)
    assert said(AT, None).what == "Beat stopped at 12:59 UTC."


@pytest.mark.parametrize(
    ("by_s", "after_s", "what"),
    [
        (30, 0, "The server's clock was set back by 30 s at 12:00 UTC."),
        (3600, 3599, "The server's clock was set back by 60 min at 12:00 UTC."),
        (3600, 3600, ""),
        (3600, -60, ""),
    ],
)
def test_while_time_comes_a_second_time_it_says_so(by_s: float, after_s: float, what: str) -> None:
    health.record_set_back(AT, AT + by_s)
    assert current(AT + after_s).what == what
    if what:
        assert f"Until it is past {'12:00' if by_s == 30 else '13:00'} UTC," in current(AT + after_s).likely


def test_of_a_sign_of_the_future_it_does_not_say_since_when() -> None:
    assert notice.cause(Part.BEAT, PartStatus(State.SILENT, math.inf), AT).what == "Beat stopped."
