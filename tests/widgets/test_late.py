"""Late series: which series are listed, in which order, and what is said of them all."""

from typing import Any

import pytest

from metrics.widgets.late import Late, LateConfig, LateView
from tests.widgets.make import config, named, window


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
