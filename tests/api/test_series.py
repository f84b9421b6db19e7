"""Reading series through the API."""

import re
import time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pydantic import ValidationError

from metrics.sample import Sample
from metrics.series import step_cache
from metrics.series.write import write
from metrics.widgets.base import QueryConfig
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SERIES, RANGE = "/api/v1/series", "/api/v1/range"
AT = 1_795_176_000.0


@pytest.fixture
def program() -> Program:
    return Program("read")


def store(metric: str, ages: dict[float, float], now: float = AT, **labels: str) -> None:
    write([Sample(metric, value, labels, now - age, "bytes") for age, value in ages.items()], None, now)


class TestSeries:
    def test_each_series_comes_with_its_newest_sample(self, program: Program) -> None:
        now = round(time.time(), 3)
        store("m", {60: 1, 0: 2}, now, dc="1")
        store("m", {30: 3}, now)
        assert body(program.get(SERIES, metric="m")) == {
            "series": [
                {
                    "metric": "m",
                    "labels": {"dc": "1"},
                    "value": 2,
                    "at": pytest.approx(now, abs=0.002),
                    "unit": "bytes",
                },
                {"metric": "m", "labels": {}, "value": 3, "at": pytest.approx(now - 30, abs=0.002), "unit": "bytes"},
            ]
        }

    def test_what_was_just_pushed_is_there_even_from_a_clock_that_is_ahead(self, program: Program) -> None:
        store("m", {-500: 7}, time.time())
        assert body(program.get(SERIES, metric="m"))["series"][0]["value"] == 7

    def test_an_unknown_metric_is_an_empty_list(self, program: Program) -> None:
        response = program.get(SERIES, metric="m")
        assert (response.status_code, body(response)) == (200, {"series": []})

    def test_without_a_metric_it_is_422_by_field(self, program: Program) -> None:
        response = program.get(SERIES)
        assert response.status_code == 422
        assert [field for _, field in fields(response)] == ["metric"]

    def test_a_nul_character_is_no_server_error(self, program: Program) -> None:
        assert program.get(SERIES, metric="a\x00b").status_code in (200, 422)
        assert program.get(RANGE, metric="a\x00b", start=0, end=1).status_code in (200, 422)


class TestRange:
    def test_points_are_means_of_steps(self, program: Program) -> None:
        store("m", {60: 1, 50: 3, 30: 5})
        answer = body(program.get(RANGE, metric="m", start=AT - 60, end=AT, points=2))
        assert answer == {
            "step": 30,
            "series": [{"metric": "m", "labels": {}, "unit": "bytes", "points": [[AT - 60, 2], [AT - 30, 5]]}],
        }

    def test_no_more_points_than_were_asked_for(self, program: Program) -> None:
        store("m", {float(age): 1 for age in range(300)})
        start = AT - 299.5
        answer = body(program.get(RANGE, metric="m", start=start, end=AT, points=10))
        assert len(answer["series"][0]["points"]) <= 10

    def test_every_point_lies_in_the_window(self, program: Program) -> None:
        store("m", {float(age): 1 for age in range(300)})
        start = AT - 299.5
        points = body(program.get(RANGE, metric="m", start=start, end=AT, points=10))["series"][0]["points"]
        assert min(at for at, _ in points) >= start

    def test_series_without_points_are_left_out(self, program: Program) -> None:
        store("m", {5000: 1}, host="old")
        store("m", {5: 1}, host="new")
        answer = body(program.get(RANGE, metric="m", start=AT - 60, end=AT))
        assert [one["labels"] for one in answer["series"]] == [{"host": "new"}]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({}, "metric"),
            ({"metric": "m", "end": AT}, "start"),
            ({"metric": "m", "start": AT}, "end"),
            ({"metric": "m", "start": "yesterday", "end": AT}, "start"),
            ({"metric": "m", "start": -1, "end": AT}, "start"),
            ({"metric": "m", "start": 0, "end": "inf"}, "end"),
            ({"metric": "m", "start": 0, "end": "nan"}, "end"),
            ({"metric": "m", "start": AT, "end": AT}, "end"),
            ({"metric": "m", "start": AT, "end": AT - 1}, "end"),
            ({"metric": "m", "start": 0, "end": AT, "points": 0}, "points"),
            ({"metric": "m", "start": 0, "end": AT, "points": 5001}, "points"),
        ],
    )
    def test_what_is_wrong_is_422_by_field(self, program: Program, query: dict[str, Any], field: str) -> None:
        response = program.get(RANGE, **query)
        assert response.status_code == 422
        assert field in [name for _, name in fields(response)]

    def test_the_smallest_window_and_the_largest(self, program: Program) -> None:
        assert program.get(RANGE, metric="m", start=AT, end=AT + 0.001).status_code == 200
        assert program.get(RANGE, metric="m", start=0, end=1e11, points=5000).status_code == 200


@pytest.mark.parametrize("path", [SERIES, RANGE])
@pytest.mark.parametrize(("scope", "status"), [(None, 401), ("push", 403), ("admin", 200)])
def test_who_may_read(path: str, scope: str | None, status: int) -> None:
    assert Program(scope).get(path, metric="m", start=0, end=1).status_code == status


@pytest.mark.parametrize(
    ("function", "expected"), [("avg", 2), ("max", 3), ("count", 3), ("quantile", 3), ("increase", 2)]
)
def test_a_function_is_made_of_each_step(program: Program, function: str, expected: float) -> None:
    store("m", {50: 1, 40: 2, 30: 3, 60: 1})
    asked = {"metric": "m", "start": AT - 55, "end": AT - 25, "points": 1, "function": function, "quantile": 1}
    (found,) = body(program.get(RANGE, **asked))["series"]
    assert [value for _, value in found["points"]] == [expected]


@pytest.mark.parametrize(("over", "seconds"), [("10s", 10), ("1m", 60), ("5m", 300)])
def test_a_rate_is_over_the_window_that_is_asked_for(program: Program, over: str, seconds: float) -> None:
    """A counter grew once, by 600: the rate is not 0 for as long as the window reaches back to that."""
    ages = {float(age): 600.0 * (age < 600) for age in range(0, 1200, 10)}
    write([Sample("sent", value, {}, AT - age, type="counter") for age, value in ages.items()], None, AT)
    asked = {"metric": "sent", "start": AT - 900, "end": AT, "points": 90, "function": "rate"}
    (found,) = body(program.get(RANGE, **asked, over=over))["series"]
    rates = [(AT - at, value) for at, value in found["points"] if value]
    assert rates[0][0] == 590
    assert 10 * len(rates) == pytest.approx(seconds, rel=0.1)
    assert [value for _, value in rates] == pytest.approx([600 / 10 / len(rates)] * len(rates))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"over": "31d"}, "31d is longer than 30d"),
        ({"over": "soon"}, "'soon' is not a period such as 10s, 5m, 1h30m or 1d"),
        ({"over": ""}, "'' is not a period such as 10s, 5m, 1h30m or 1d"),
        ({"over": "5m", "function": "avg"}, "over is for rates, and the function is avg"),
    ],
)
def test_a_window_that_is_none_is_refused_as_a_widget_s_is(program: Program, query: dict[str, str], said: str) -> None:
    response = program.get(RANGE, metric="m", start=0, end=1, **{"function": "rate", **query})
    assert (response.status_code, fields(response)) == (422, [(None, "over")])
    assert said in body(response)["errors"][0]["message"]
    with pytest.raises(ValidationError, match=re.escape(said)):
        QueryConfig.model_validate({"metric": "m", "function": "rate", **query})


def test_an_unknown_function_is_refused(program: Program) -> None:
    response = program.get(RANGE, metric="m", start=0, end=1, function="median")
    assert (response.status_code, fields(response)) == (422, [(None, "function")])


@pytest.mark.parametrize(
    ("function", "points", "expected"),
    [
        ("avg", 1, [[AT - 60, 4, 1, 9]]),
        ("avg", 2, [[AT - 60, 5, 1, 9], [AT - 30, 2, 2, 2]]),
        ("last", 1, [[AT - 60, 2, 1, 9]]),
        ("max", 1, [[AT - 60, 9, 1, 9]]),
        ("avg", 1000, [[AT - 60, 1, 1, 1], [AT - 45, 9, 9, 9], [AT - 30, 2, 2, 2]]),
    ],
)
def test_a_band_is_from_least_to_greatest(program: Program, function: str, points: int, expected: list[Any]) -> None:
    store("m", {90: 100, 60: 1, 45: 9, 30: 2})
    asked = {"metric": "m", "start": AT - 60, "end": AT, "points": points, "function": function}
    (found,) = body(program.get(RANGE, **asked, band="true"))["series"]
    assert found["points"] == expected
    (plain,) = body(program.get(RANGE, **asked))["series"]
    assert plain["points"] == [point[:2] for point in expected]


def test_a_band_reads_no_more_than_its_mean(program: Program) -> None:
    store("m", {60: 1, 45: 9, 30: 2})
    program.get(RANGE, metric="m", start=AT - 60, end=AT)  # that the token is used is noted once a minute
    counts = []
    for band in ("false", "true"):
        step_cache.forget()
        with CaptureQueriesContext(connection) as queries:
            program.get(RANGE, metric="m", start=AT - 60, end=AT, band=band)
        counts.append(sum("metrics_series s" not in query["sql"] for query in queries))  # but those that find series
    assert counts[0] == counts[1]


@pytest.mark.parametrize("function", ["rate", "increase", "count", "sum", "quantile"])
def test_a_band_around_what_is_no_sample_is_refused(program: Program, function: str) -> None:
    response = program.get(RANGE, metric="m", start=0, end=1, function=function, band="true")
    assert (response.status_code, fields(response)) == (422, [(None, "band")])
