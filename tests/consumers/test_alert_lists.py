"""Lists of alerts on open pages: one drawing and the same bytes for all who may see the same."""

import asyncio
from dataclasses import replace

import pytest
from django.db import OperationalError

from consumers import alert_lists
from consumers.access import Decision
from consumers.alert_lists import AlertLists
from consumers.frame import Frame
from consumers.holders import Credential
from consumers.viewer import Viewer
from metrics.access.principal import Principal, Role
from metrics.actions.alert_list import Asked, _digest
from tests.consumers.test_stream import Sent

ADA = Principal("user", "user ada", Role.EDITOR, 1, frozenset({7}), address="192.0.2.1")
BOB = replace(ADA, name="user bob", pk=2, address=None)
EVE = replace(BOB, name="user eve", pk=3, teams=frozenset({8}))


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now, self._until = 0.0, list[tuple[float, asyncio.Event]]()

    async def sleep(self, seconds: float) -> None:
        self._until.append((self.now + seconds, woken := asyncio.Event()))
        await woken.wait()

    async def go_on(self, until: float) -> None:
        while due := [one for one in self._until if one[0] <= until]:
            first = min(due, key=lambda one: one[0])
            self._until.remove(first)
            self.now = first[0]
            first[1].set()
            await settled()
        self.now = until


class Broken(Sent):
    """A socket whose next frame can't be written."""

    is_broken = True

    def write(self, frame: Frame) -> None:
        if self.is_broken:
            raise ValueError("no frame")
        super().write(frame)


class Drawn:
    """Stands for the database: each drawing waits until it is let go."""

    def __init__(self) -> None:
        self.asked: list[tuple[Principal, Asked]] = []
        self.go, self.fails, self.odd = asyncio.Event(), False, Asked()
        self.clock, self.takes_s = Clock(), 0.0
        self.go.set()

    async def __call__(self, by: Principal, asked: Asked) -> tuple[str, float]:
        self.asked.append((by, asked))
        await self.go.wait()
        if self.takes_s:
            await self.clock.sleep(self.takes_s)
        if self.fails:
            raise OperationalError
        if asked == self.odd != Asked():
            raise ValueError("a row is odd")
        return f"<p>{len(self.asked)}</p>", self.takes_s


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    made = Drawn()
    monkeypatch.setattr(alert_lists, "_html", made)
    return made


def follows(lists: AlertLists, by: Principal, sent: Sent | None = None, /, **asked: str) -> Sent:
    sent = sent or Sent()
    viewer = Viewer(sent, Credential("", ""), Decision(None, f"user:{by.pk}", by=by), asked={"personal": "1", **asked})
    lists.add(viewer)
    return sent


def viewer_of(lists: AlertLists, sent: Sent) -> Viewer:
    return next(one for one in lists._viewers if one.outlet is sent)


async def no_rest(_: float) -> None:
    await asyncio.sleep(0)


async def settled() -> None:
    for _ in range(40):
        await asyncio.sleep(0)


async def test_pages_that_show_the_same_are_sent_the_same_and_others_nothing(drawn: Drawn) -> None:
    lists = AlertLists(no_rest)
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
    lists = AlertLists(no_rest)
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
    lists = AlertLists(no_rest)
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
    lists = AlertLists(no_rest)
    page = follows(lists, ADA, list="alerts")
    drawn.fails = True
    lists.change(1)
    await settled()
    drawn.fails = False
    lists.change(1)
    await settled()
    assert len(page.frames) == 1


async def test_one_that_cannot_be_drawn_keeps_no_other_from_being_drawn(drawn: Drawn) -> None:
    lists = AlertLists(no_rest)
    drawn.odd = Asked(text="odd")
    pages = [follows(lists, ADA, list="alerts", q=text) for text in ("odd", "web")]
    for number in (1, 1, 2):
        lists.change(number)
        await settled()
    assert [len(page.frames) for page in pages] == [0, 2]
    assert [asked.text for _, asked in drawn.asked].count("odd") == 2  # once for a change: pages fetch it


async def test_one_that_rests_makes_no_other_late(drawn: Drawn) -> None:
    lists = AlertLists(drawn.clock.sleep)
    first = follows(lists, ADA, list="alerts")
    lists.change(1)
    await settled()
    other = follows(lists, ADA, list="alerts", q="web")
    lists.change(2)
    await drawn.clock.go_on(alert_lists.RESTS_LEAST_S / 2)
    assert (len(first.frames), len(other.frames)) == (1, 1)
    await drawn.clock.go_on(2 * alert_lists.RESTS_LEAST_S)
    assert (len(first.frames), len(other.frames)) == (2, 1)


@pytest.mark.parametrize(("lists_are", "drawings"), [(1, (14, 18)), (8, (45, 51))])
async def test_lists_of_a_storm_take_half_of_a_processor_at_most(
    drawn: Drawn, lists_are: int, drawings: tuple[int, int]
) -> None:
    lists = AlertLists(drawn.clock.sleep)
    drawn.takes_s = 0.1
    pages = [follows(lists, ADA, list="alerts", q=str(number)) for number in range(lists_are)]
    for number in range(1, 201):
        lists.change(number)
        await settled()
        await drawn.clock.go_on(number * 0.05)  # 10 s in all
    assert drawings[0] <= len(drawn.asked) <= drawings[1]
    came = [len(page.frames) for page in pages]
    assert max(came) - min(came) <= 1


async def test_a_list_that_nobody_waits_for_any_more_is_not_drawn(drawn: Drawn) -> None:
    lists = AlertLists(no_rest)
    drawn.go.clear()
    first, gone = (follows(lists, ADA, list="alerts", q=text) for text in ("a", "b"))
    lists.change(1)
    await settled()
    lists.discard(viewer_of(lists, gone))
    drawn.go.set()
    await settled()
    assert ([asked.text for _, asked in drawn.asked], len(first.frames)) == (["a"], 1)


async def test_one_that_cannot_be_written_to_keeps_no_other_from_it_and_is_tried_again(drawn: Drawn) -> None:
    lists = AlertLists(no_rest)
    broken = Broken()
    pages = [broken, Sent()]
    for page in pages:
        follows(lists, ADA, page, list="alerts")
    lists.change(1)
    await settled()
    assert [len(page.frames) for page in pages] == [0, 1]
    broken.is_broken = False
    lists.change(1)
    await settled()
    assert [len(page.frames) for page in pages] == [1, 1]


async def test_nobody_has_more_parts_drawn_than_they_may_until_there_is_room(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_lists, "LISTS_OF_ONE", 2)
    monkeypatch.setattr(alert_lists, "LISTS_OF_ALL", 3)
    lists = AlertLists(no_rest)
    shown = [(ADA, "a"), (ADA, "b"), (ADA, "c"), (EVE, "d"), (EVE, "e"), (EVE, "d"), (BOB, "a"), (ADA, ""), (EVE, "")]
    pages = [follows(lists, by, list="alerts", q=text) for by, text in shown]
    lists.change(1)
    await settled()
    assert [len(page.frames) for page in pages] == [1, 1, 0, 1, 0, 1, 1, 1, 1]
    lists.discard(viewer_of(lists, pages[1]))
    lists.change(1)
    await settled()
    assert len(pages[2].frames) + len(pages[4].frames) == 1  # there is room for one of them
    for page in (pages[0], pages[6]):
        lists.discard(viewer_of(lists, page))
    lists.change(1)
    await settled()
    assert len(pages[2].frames) == len(pages[4].frames) == 1
    assert not lists._left_out


async def test_what_others_still_show_does_not_count_for_one_who_left(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_lists, "LISTS_OF_ONE", 1)
    lists = AlertLists(no_rest)
    first, _, refused = (follows(lists, by, list="alerts", q=text) for by, text in [(ADA, "a"), (BOB, "a"), (ADA, "b")])
    lists.discard(viewer_of(lists, first))
    lists.change(1)
    await settled()
    assert len(refused.frames) == 1


async def test_one_that_was_left_out_and_leaves_is_forgotten(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_lists, "LISTS_OF_ALL", 0)
    lists = AlertLists(no_rest)
    follows(lists, ADA, list="alerts", q="a")
    (viewer,) = lists._left_out
    lists.discard(viewer)
    assert not lists._left_out


async def test_a_page_that_has_the_newest_is_sent_nothing_until_alerts_change(drawn: Drawn) -> None:
    lists = AlertLists(no_rest)
    ours, theirs = _digest(BOB), _digest(EVE)
    said = [f"7-{ours}", f"6-{ours}", f"7-{theirs}", "7", "", f"-7-{ours}", f"{'9' * 5000}-{ours}"]
    pages = [follows(lists, ADA, list="alerts", listed=listed) for listed in said]
    lists.change(7)
    await settled()
    assert [len(page.frames) for page in pages] == [0, 1, 1, 1, 1, 1, 1]


async def test_somebody_who_may_see_something_else_is_sent_that_alone(drawn: Drawn) -> None:
    lists = AlertLists(no_rest)
    page = follows(lists, ADA, list="alerts")
    viewer = viewer_of(lists, page)
    drawn.go.clear()
    lists.change(1)
    await settled()
    viewer.who = viewer.who._replace(by=EVE)  # while what ADA may see is drawn
    drawn.go.set()
    await settled()
    assert len(page.frames) == 1
    assert "<p>2</p>" in page.frames[0]
    assert drawn.asked[-1][0].teams == EVE.teams
