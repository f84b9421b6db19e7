"""Late series: which series are listed, in which order, and what is said of them all."""

from typing import Any

import pytest

from metrics.models import Widget
from metrics.sample import Sample
from metrics.series.write import write
from metrics.widgets.late import Late, LateConfig, LateView
from metrics.widgets.render import WidgetView, widget_views
from tests import make
from tests.widgets.make import AT, config, named, window


def view(*ages_s: float | None, every_s: float | None = 10, **fields: Any) -> LateView:
    """Return the view of series `a`, `b` … with newest values so old; None for one that has none."""
    series = [
        named(name, None if age_s is None else 1.0, age_s=age_s or 0.0, every_s=every_s)
        for name, age_s in zip("abcdefgh", ages_s, strict=False)
    ]
    return Late().view(LateConfig.model_validate(config(**fields)), series, window())


@pytest.mark.parametrize(
    ("ages_s", "fields", "rows", "summary"),
    [
        ((2, 9), {}, [], "All 2 are fresh"),
        ((2,), {}, [], "Fresh"),
        ((), {}, [], "No data"),
        ((None, 2, 3), {}, [], "All 2 are fresh"),
        ((2, 30, 900, 53), {}, ["c stale 15 min", "d stale 53 s", "b late 30 s"], "2 stale · 1 late of 4"),
        ((2, 30, 900, 53), {"stale_only": True}, ["c stale 15 min", "d stale 53 s"], "2 stale of 4"),
        ((2, 30), {"stale_only": True}, [], "None of 2 is stale"),
        ((2, 30, 400_000), {"every_s": 86_400}, ["c late 4 d"], "1 late of 3"),
        ((30, 30), {}, ["a late 30 s", "b late 30 s"], "2 late of 2"),
        ((-900, 2), {}, ["a stale 0 s"], "1 stale of 2"),
    ],
)
def test_the_longest_silent_comes_first(
    ages_s: tuple[float | None, ...], fields: dict[str, Any], rows: list[str], summary: str
) -> None:
    """A time of the future is stale, too: nobody knows how long ago it was."""
    found = view(*ages_s, **fields)
    assert [f"{row.name} {row.state} {row.silent}" for row in found.rows] == rows
    assert (found.summary, found.more) == (summary, 0)


def test_what_has_no_room_is_counted() -> None:
    found = view(100, 200, 300, rows=2)
    assert ([row.name for row in found.rows], found.more, found.summary) == (["c", "b"], 1, "3 stale of 3")


def test_how_often_it_should_come_is_said_where_it_is_known() -> None:
    assert view(100).rows[0].every == "every 10 s"
    assert view(1000, every_s=None).rows[0].every == ""


class TestOfAll:
    """Without a query: all sources and series."""

    @pytest.fixture(autouse=True)
    def _stored(self, db: None) -> None:
        feed, secret = make.source(name="feed", every_s=10), make.source(name="secret", every_s=10)
        mixed = make.source(name="mixed", every_s=10)
        secret.for_everyone = False
        secret.save()
        rows = [
            *[(feed, "cpu", str(n), 900 + n) for n in range(3)],
            *[(mixed, "disk", mount, age_s) for mount, age_s in (("/a", 2), ("/b", 600), ("/c", 40))],
            (secret, "hidden", "x", 5000),
            (None, "pushed", "shop", 700),
            (None, "hourly", "fresh", 200),
        ]
        for source, metric, name, age_s in rows:
            write([Sample(metric, 1.0, {"name": name}, AT - age_s)], source, AT)

    def seen(self, hidden: tuple[int, ...] = (), at: float = AT, **fields: Any) -> WidgetView:
        return widget_views([Widget(key="k", kind="late", title="Late", config=fields)], "1h", at, hidden)[0]

    def names(self, **fields: Any) -> list[str]:
        shown: Any = self.seen(**fields).view
        return [f"{row.name} {row.state} {row.silent}" for row in shown.rows]

    def test_sources_that_are_silent_as_a_whole_are_a_row(self) -> None:
        rows = ["hidden name=x stale 83 min", "feed, 3 series stale 15 min", "pushed name=shop late 11 min"]
        assert self.names() == [*rows, "disk name=/b stale 10 min", "disk name=/c late 40 s"]
        assert self.names(stale_only=True) == [one for one in self.names() if " stale " in one]
        shown: Any = self.seen().view
        assert (shown.summary, self.seen().freshness.state) == ("3 stale · 2 late", "fresh")

    def test_those_that_the_dashboard_may_not_show_are_left_out(self) -> None:
        dashboard = make.dashboard("open", [{"kind": "late", "title": "Late", "config": {}}])
        (view,) = widget_views(list(dashboard.widgets.all()), "1h", AT)
        shown: Any = view.view
        assert [row.name for row in shown.rows][:1] == ["feed, 3 series"]

    def test_in_the_past_they_were_as_they_were(self) -> None:
        shown: Any = self.seen(at=AT - 895).view
        assert [row.name for row in shown.rows] == ["hidden name=x"]

    def test_what_is_turned_off_is_not_missed(self) -> None:
        from metrics.models import Source

        Source.objects.update(enabled=False)
        assert self.names() == ["pushed name=shop late 11 min"]
