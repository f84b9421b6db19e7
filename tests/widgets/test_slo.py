"""Service level objectives: the budget that is left, and how fast it burns."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from metrics.series.read import Point
from metrics.widgets.base import Named
from metrics.widgets.slo import HOUR_S, STEP_S, Slo, SloConfig, SloView
from tests.widgets.make import AT, config, named, window

NAN = float("nan")
PLAIN = str.maketrans({"\u202f": " ", "\u2212": "-", "\u00d7": "x"})
DAY, TEN_DAYS = 24 * HOUR_S, 10 * 24 * HOUR_S
TWO = {"queries": [{"metric": "counted"}, {"metric": "all"}]}


def series(
    *parts: tuple[float, float], until_s: float = 0, of: int = 0, unit: str = "", step_s: float = STEP_S
) -> Named:
    """Return a series of parts, each so many seconds long and of one value, the last one up to `until_s` ago."""
    points: list[Point] = []
    end = AT - until_s
    for length_s, value in reversed(parts):
        points = [Point(end - length_s + step_s * n, value) for n in range(round(length_s / step_s))] + points
        end -= length_s
    made = named("web", 1.0, unit=unit)
    return Named("web", replace(made.track, points=tuple(points)), of)


def plain(text: str) -> str:
    return text.translate(PLAIN)


def view(*found: Named, **fields: Any) -> SloView:
    checked = SloConfig.model_validate({**config(), "days": 10, "objective": 99, **fields})
    return Slo().view(checked, list(found), Slo().window(checked, window()))


@pytest.mark.parametrize(
    ("parts", "left", "time", "burn", "word"),
    [
        ([(TEN_DAYS, 1)], "100.0", "2.40 h of 2.40 h left", ("0.0x in 1 h", "0.0x in 6 h"), "OK"),
        ([(TEN_DAYS, 0.99)], "0.0", "0 s of 2.40 h left", ("1.0x in 1 h", "1.0x in 6 h"), "Spent"),
        ([(TEN_DAYS, 0.995)], "50.0", "1.20 h of 2.40 h left", ("0.5x in 1 h", "0.5x in 6 h"), "OK"),
        ([(TEN_DAYS, 0.5)], "-4 900", "4.90 d over", ("50.0x in 1 h", "50.0x in 6 h"), "Spent"),
        (
            [(TEN_DAYS - HOUR_S, 1), (HOUR_S, 0.9)],
            "95.8",
            "2.30 h of 2.40 h",
            ("10.0x in 1 h", "1.7x in 6 h"),
            "Burns fast",
        ),
        ([(TEN_DAYS - DAY, 1), (DAY, 0.98)], "80.0", "1.92 h", ("2.0x in 1 h", "2.0x in 6 h"), "Burns"),
        ([(TEN_DAYS - DAY, 0), (DAY, 1)], "-8 900", "8.90 d over", ("0.0x in 1 h", "0.0x in 6 h"), "Spent"),
        ([(HOUR_S, 0.5)], "79.2", "1.90 h of 2.40 h left", ("50.0x in 1 h", "50.0x in 6 h"), "Burns fast"),
        ([(DAY, 1e308)], "100.0", "2.40 h", ("0.0x in 1 h", "0.0x in 6 h"), "OK"),
        ([(HOUR_S, -1e308)], "58.3", "1.40 h", ("100x in 1 h", "100x in 6 h"), "Burns fast"),
        ([(TEN_DAYS, 0.9996)], "96.0", "2.30 h of 2.40 h left", ("<0.1x in 1 h", "<0.1x in 6 h"), "OK"),
        ([(TEN_DAYS, 0.9991)], "91.0", "2.18 h of 2.40 h left", ("0.1x in 1 h", "0.1x in 6 h"), "OK"),
        ([(HOUR_S, 1), (HOUR_S, NAN), (HOUR_S, 1)], "100.0", "2.40 h", ("0.0x in 1 h", "0.0x in 6 h"), "OK"),
    ],
)
def test_the_budget(parts: list[tuple[float, float]], left: str, time: str, burn: tuple[str, ...], word: str) -> None:
    found = view(series(*parts))
    assert found.left is not None
    assert plain(found.left.text) == left
    assert plain(found.time).startswith(time)
    assert (tuple(map(plain, found.burn)), found.level.word) == (burn, word)


@pytest.mark.parametrize(
    ("first", "of", "left"),
    [
        (series((TEN_DAYS, 199)), "good", "50.0"),
        (series((TEN_DAYS, 1)), "bad", "50.0"),
        (series((TEN_DAYS - DAY, 0), (DAY, 10)), "bad", "50.0"),
        (series((TEN_DAYS, 0)), "bad", "100.0"),
        (series((TEN_DAYS, 900)), "good", "100.0"),
        (None, "bad", "100.0"),
        (None, "good", None),
    ],
)
def test_events_are_counted_by_two_queries(first: Named | None, of: str, left: str | None) -> None:
    """Of 200 in each second; where no bad one was ever counted, there is no series of them."""
    found = view(*([first] if first else []), series((TEN_DAYS, 200), of=1), of=of, **TWO)
    assert (found.left and found.left.text) == left


def test_more_events_in_an_hour_weigh_more_than_few_in_a_day() -> None:
    found = view(
        series((TEN_DAYS - HOUR_S, 0), (HOUR_S, 100)),
        series((TEN_DAYS - HOUR_S, 1), (HOUR_S, 1000), of=1),
        of="bad",
        **TWO,
    )
    assert plain(found.ratio) == "91.929 % of 99.0 %"


def test_of_several_series_it_is_the_mean_and_they_may_be_in_per_cent() -> None:
    found = view(series((TEN_DAYS, 100), unit="percent"), series((TEN_DAYS, 99), unit="percent"))
    assert (found.left and found.left.text, plain(found.ratio)) == ("50.0", "99.500 % of 99.0 %")


def test_of_how_much_there_is_data_is_said() -> None:
    assert view(series((TEN_DAYS, 1))).known == ""
    assert plain(view(series((2 * DAY, 1))).known) == "data of 2.00 d only"


def test_the_rollups_of_hours_are_no_gaps_and_a_pause_is_one() -> None:
    assert view(series((TEN_DAYS, 0.995), step_s=HOUR_S)).left == view(series((TEN_DAYS, 0.995))).left
    found = view(series((DAY, 0.5), until_s=5 * DAY))
    assert (found.left and plain(found.left.text), found.burn) == ("-400", ())


def test_the_curve_falls_from_all_to_what_is_left() -> None:
    found = view(series((TEN_DAYS / 2, 1), (TEN_DAYS / 2, 0.99)))
    assert found.spark
    assert found.spark.line.startswith("M0 0l")
    assert found.zero == ""
    over = view(series((TEN_DAYS, 0.98)))
    assert over.zero == "100"
    assert len(over.spark.line if over.spark else "") < 700


def test_nothing_is_known_without_series() -> None:
    assert view() == SloView(None)
    assert view(named("web", 1.0)) == SloView(None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"objective": 100}, "less than 100"),
        ({"objective": 0}, "greater than 0"),
        ({"days": 93}, "less than or equal to 92"),
        ({"of": "bad"}, "of 'bad' needs two queries: bad events, and all events"),
    ],
)
def test_what_can_not_be_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        view(**fields)
