"""Lists of alerts on open pages: one drawing and the same bytes for all who may see the same."""

import asyncio
from dataclasses import replace

import pytest
from django.db import OperationalError

from consumers import alert_lists
from consumers.access import Decision
from consumers.alert_lists import AlertLists
from consumers.holders import Credential
from consumers.viewer import Viewer
from metrics.access.principal import Principal, Role
from metrics.actions.alert_list import Asked
from tests.consumers.test_stream import Sent

ADA = Principal("user", "user ada", Role.EDITOR, 1, frozenset({7}), address="192.0.2.1")
BOB = replace(ADA, name="user bob", pk=2, address=None)
EVE = replace(BOB, name="user eve", pk=3, teams=frozenset({8}))


class Drawn:
    """Stands for the database: each drawing waits until it is let go."""

    def __init__(self) -> None:
        self.asked: list[tuple[Principal, Asked]] = []
        self.go, self.fails, self.odd = asyncio.Event(), False, Asked()
        self.go.set()

    async def __call__(self, by: Principal, asked: Asked) -> tuple[str, float]:
        self.asked.append((by, asked))
        await self.go.wait()
        if self.fails:
            raise OperationalError
        if asked == self.odd != Asked():
            raise ValueError("a row is odd")
        return f"<p>{len(self.asked)}</p>", 0.0


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    made = Drawn()
    monkeypatch.setattr(alert_lists, "_html", made)
    monkeypatch.setattr(alert_lists, "RESTS_LEAST_S", 0.0)
    monkeypatch.setattr(alert_lists, "RESTS_MOST_S", 0.0)
    return made


def follows(lists: AlertLists, by: Principal, **asked: str) -> Sent:
    sent = Sent()
    viewer = Viewer(sent, Credential("", ""), Decision(None, f"user:{by.pk}", by=by), asked={"personal": "1", **asked})
    lists.add(viewer)
    return sent


def viewer_of(lists: AlertLists, sent: Sent) -> Viewer:
    return next(one for one in lists._viewers if one.outlet is sent)


async def settled() -> None:
    for _ in range(40):
        await asyncio.sleep(0)


async def test_pages_that_show_the_same_are_sent_the_same_and_others_nothing(drawn: Drawn) -> None:
    lists = AlertLists()
    pages = [follows(lists, by, list="alerts", **asked) for by in (ADA, BOB, EVE) for asked in ({}, {"q": "web"})]
    others = [follows(lists, ADA), follows(lists, ADA, list="alerts", format="json")]
    lists.change(5)
    await settled()
    assert len(drawn.asked) == 4
    assert all(by.name == "" and by.pk is None and by.address is None for by, _ in drawn.asked)
    assert pages[0].frames == pages[2].frames != pages[4].frames
    assert [len(page.frames) for page in (*pages, *others)] == [1] * 6 + [0] * 2
    lists.change(5)
    await settled()
    assert len(drawn.asked) == 4
    late = follows(lists, BOB, list="alerts")
    lists.change(5)  # the hub compares every round
    await settled()
    assert [len(one.frames) for one in (late, pages[2])] == [1, 1]


async def test_changes_while_a_list_is_drawn_are_one_more_drawing(drawn: Drawn) -> None:
    lists = AlertLists()
    page = follows(lists, ADA, list="alerts")
    drawn.go.clear()
    for number in (1, 2, 3):
        lists.change(number)
        await settled()
    drawn.go.set()
    await settled()
    assert len(drawn.asked) == len(page.frames) == 2


async def test_one_that_left_or_is_slow_is_sent_nothing_until_it_has_room(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = AlertLists()
    gone, slow = follows(lists, ADA, list="alerts"), follows(lists, BOB, list="alerts")
    drawn.go.clear()
    lists.change(1)
    await settled()
    lists.discard(viewer_of(lists, gone))
    monkeypatch.setattr(alert_lists, "is_slow", lambda viewer: viewer.outlet is slow)
    drawn.go.set()
    await settled()
    assert (gone.frames, slow.frames) == ([], [])
    monkeypatch.undo()
    monkeypatch.setattr(alert_lists, "_html", drawn)
    lists.change(1)
    await settled()
    assert len(slow.frames) == 1


async def test_a_database_that_does_not_answer_is_asked_again(drawn: Drawn) -> None:
    lists = AlertLists()
    page = follows(lists, ADA, list="alerts")
    drawn.fails = True
    lists.change(1)
    await settled()
    drawn.fails = False
    lists.change(1)
    await settled()
    assert len(page.frames) == 1


async def test_one_that_cannot_be_drawn_keeps_no_other_from_being_drawn(drawn: Drawn) -> None:
    lists = AlertLists()
    drawn.odd = Asked(text="odd")
    pages = [follows(lists, ADA, list="alerts", q=text) for text in ("odd", "web")]
    for number in (1, 1, 2):
        lists.change(number)
        await settled()
    assert [len(page.frames) for page in pages] == [0, 2]
    assert [asked.text for _, asked in drawn.asked].count("odd") == 2  # once for a change: pages fetch it


async def test_one_that_rests_makes_no_other_late(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = AlertLists()
    monkeypatch.setattr(alert_lists, "RESTS_LEAST_S", 60.0)
    monkeypatch.setattr(alert_lists, "RESTS_MOST_S", 60.0)
    dear = follows(lists, ADA, list="alerts")
    lists.change(1)
    await settled()
    other = follows(lists, ADA, list="alerts", q="web")
    lists.change(2)
    await settled()
    assert (len(dear.frames), len(other.frames)) == (1, 1)


async def test_nobody_has_more_lists_drawn_than_they_may(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_lists, "LISTS_OF_ONE", 2)
    monkeypatch.setattr(alert_lists, "LISTS_OF_ALL", 3)
    lists = AlertLists()
    pages = [
        follows(lists, by, list="alerts", q=text)
        for by, text in [(ADA, "a"), (ADA, "b"), (ADA, "c"), (EVE, "d"), (EVE, "e"), (EVE, "d"), (BOB, "a")]
    ]
    lists.change(1)
    await settled()
    assert [len(page.frames) for page in pages] == [1, 1, 0, 1, 0, 1, 1]
    lists.discard(viewer_of(lists, pages[1]))
    free = follows(lists, ADA, list="alerts", q="c")
    lists.change(1)
    await settled()
    assert len(free.frames) == 1


async def test_a_page_that_has_the_newest_is_sent_nothing_until_alerts_change(drawn: Drawn) -> None:
    lists = AlertLists()
    pages = [follows(lists, ADA, list="alerts", listed=listed) for listed in ("7", "6", "-7", "9" * 5000)]
    lists.change(7)
    await settled()
    assert [len(page.frames) for page in pages] == [0, 1, 1, 1]


async def test_somebody_who_may_see_something_else_is_sent_that_alone(drawn: Drawn) -> None:
    lists = AlertLists()
    page = follows(lists, ADA, list="alerts")
    viewer = viewer_of(lists, page)
    drawn.go.clear()
    lists.change(1)
    await settled()
    viewer.who = viewer.who._replace(by=EVE)  # while what ADA may see is drawn
    drawn.go.set()
    await settled()
    assert page.frames == []
    lists.change(1)  # the hub compares every round
    await settled()
    assert len(page.frames) == 1
    assert drawn.asked[-1][0].teams == EVE.teams
