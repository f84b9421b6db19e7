"""Maintenance on widgets: which series it is of, its band, and what is said of it."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import pytest

from metrics.alerts import matchers
from metrics.alerts.matchers import Matcher, parse
from metrics.series.read import Track
from metrics.widgets import gallery, maintained
from metrics.widgets.facts import Facts
from metrics.widgets.history import HistoryView
from metrics.widgets.maintained import Maintained, band, of_tracks, shown
from metrics.widgets.render import view_of_tracks
from tests.widgets.make import AT, track

HOUR = (AT - 3600, AT)


def window(id: int, start: float, end: float, text: str = "host=a", reason: str = "Disks") -> Maintained:
    return Maintained(id, AT + start, AT + end, reason, parse(text))


@pytest.mark.parametrize(
    ("spans", "path"),
    [
        ([], ""),
        ([(-1800, -900)], "M500 0h250v400h-250z"),
        ([(-9000, 9000)], "M0 0h1000v400h-1000z"),
        ([(-1800, -1795)], "M500 0h3v400h-3z"),
        ([(-1800, -900), (-1000, -800), (-795, -700)], "M500 0h306v400h-306z"),
        ([(-60 * n, -60 * n + 1) for n in range(60)], None),
    ],
)
def test_a_band_is_drawn_from_start_to_end_and_those_that_touch_are_one(
    spans: list[tuple[float, float]], path: str | None
) -> None:
    found = band([(AT + start, AT + end) for start, end in spans], *HOUR)
    assert found == path or (path is None and len(found) < 2000)


def test_it_is_of_the_series_whose_labels_match() -> None:
    windows = [window(1, 0, 9), window(1, 20, 29), window(2, 0, 9, 'host=~"b|c"'), window(3, 0, 9, "metric=disk")]
    for labels, ids in [({"host": "a"}, [1, 1]), ({"host": "c"}, [2]), ({}, [])]:
        assert [one.id for one in of_tracks([Track("load", labels, "", None, None, ())], windows)] == ids, labels
    assert [one.id for one in of_tracks([Track("disk", {}, "", None, None, ())], windows)] == [3]


def test_while_it_goes_on_it_says_until_when_and_why() -> None:
    found = shown([window(4, -60, 7200)], AT, None)
    assert found is not None
    assert (found.until, found.reason, found.link) == ("until 14:00", "Disks", "/maintenance/#maintenance-4")
    assert (found.band, found.said) == ("", "")
    both = shown([window(4, -60, 7200), window(5, -60, 90_000, reason="Racks")], AT, None)
    assert both is not None
    assert (both.until, both.reason, both.link) == ("until Sat 13:00", "Racks · and 1 more", "/maintenance/")
    assert [shown([window(4, *ends)], AT, None) for ends in [(-60, 0), (60, 90)]] == [None, None]


def test_a_chart_says_in_words_what_it_draws() -> None:
    found = shown([window(1, -60 * n, -60 * n + 30) for n in range(9, 4, -1)] + [window(1, 60, 90)], AT, HOUR)
    assert found is not None
    assert found.said == (
        "Maintenance: 11:53 to 11:53, Disks; 11:54 to 11:54, Disks; 11:55 to 11:55, Disks; and 2 before."
    )
    assert maintained.shown([window(1, -9000, -8000)], AT, HOUR) is None


def test_a_history_has_it_in_the_rows_that_it_concerns() -> None:
    known = Facts(maintenance=[window(1, -600, 600)])
    tracks = [Track("up", {"host": host}, "", None, track(1).latest, ()) for host in "ab"]
    widget = gallery._widget("history", "x", "x", {"queries": [{"metric": "up"}], "days": 0})
    found = view_of_tracks(widget, [tracks], "1h", AT, known)
    assert isinstance(found.view, HistoryView)
    assert {row.name: bool(row.maintenance) for row in found.view.rows} == {"a": True, "b": False}


def test_windows_that_a_widget_does_not_show_are_matched_with_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def match(given: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
        asked.append(given)
        return matchers.match(given, labels)

    monkeypatch.setattr(maintained, "matchers", SimpleNamespace(match=match))
    night = [window(1, -86_400 * n - 600, -86_400 * n, "host=b") for n in range(365)]
    long_ago = [window(id, -86_400 * 400, -86_400 * 399, "host=b") for id in range(2, 9)]
    tracks = [Track("up", {"host": host}, "", None, track(1).latest, ()) for host in "aaab"]
    for kind, count in [("line", 4), ("history", 4 + 4), ("number", 0)]:  # rows of a history are matched by themselves
        asked.clear()
        widget = gallery._widget(kind, "x", "x", {"queries": [{"metric": "up"}]})
        view_of_tracks(widget, [tracks], "1h", AT, Facts(maintenance=[*night, *long_ago]))
        assert len(asked) == count, kind
