"""Changes of alerts: one small frame for each page, however often they change in a moment."""

import asyncio

import pytest

from consumers import alerts as module
from consumers.access import Decision
from consumers.alert_lists import AlertLists
from consumers.alerts import Alerts
from consumers.holders import Credential
from consumers.log_stream import LogStream
from consumers.stream import Stream
from consumers.viewer import Viewer
from metrics.live.bus import ALERTS, AlertsChanged
from metrics.live.topic import person, variant
from tests.consumers.test_stream import Sent


def follows(stream: Stream | LogStream, **asked: str) -> Sent:
    sent = Sent()
    viewer = Viewer(sent, Credential("", ""), Decision(None, "user:5", "ada"), asked=asked)
    viewer.begin(0, 0)
    stream.viewers.add(viewer)
    return sent


async def test_pages_are_told_once_and_programs_and_other_sockets_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.0)
    board, log = Stream(variant(1, "1h")), LogStream(person(5))
    board.fed = True
    tab, page, room, program = (
        follows(board),
        follows(log, personal="1"),
        follows(log),
        follows(log, personal="1", format="json"),
    )
    alerts = Alerts(lambda: [board, log], AlertLists())
    for number in (7, 8):
        alerts.hear(AlertsChanged(type=ALERTS, number=number, bad=3, critical=2))
    for _ in range(3):
        await asyncio.sleep(0)
    assert [frame.count('data-alerts="8"') for frame in tab.frames] == [1]
    assert 'data-alerts-down="3"' in tab.frames[0]
    assert [frame.count('data-alerts="8" data-bad="3" data-critical="2"') for frame in page.frames] == [1]
    assert (room.frames, program.frames) == ([], [])
    alerts.compare(8, 3, 2)
    assert (len(tab.frames), len(page.frames)) == (1, 1)
    late = follows(log, personal="1")
    alerts.compare(9, 0, 0)
    assert [len(one.frames) for one in (tab, page, late)] == [2, 2, 1]


@pytest.mark.parametrize(
    ("did", "number"),
    [
        ([("hears", 11), ("compares", 10)], 11),  # it was read before
        ([("hears", 11), ("hears", 10)], 11),
        ([("hears", 11), ("compares", 11), ("compares", 3)], 3),  # Redis lost its data
        ([("hears", 11), ("compares", 3), ("compares", 3)], 3),
        ([("compares", 11), ("hears", 1), ("compares", 1)], 1),
        ([("compares", 10), ("compares", 11)], 11),
    ],
)
async def test_an_older_number_than_what_was_heard_is_passed_over(did: list[tuple[str, int]], number: int) -> None:
    lists = AlertLists()
    alerts = Alerts(list, lists)
    for what, of in did:
        if what == "hears":
            alerts.hear(AlertsChanged(type=ALERTS, number=of, bad=of, critical=of))
        else:
            alerts.compare(of, of, of)
    assert (alerts._number, alerts._bad, lists._number) == (number, number, number)
