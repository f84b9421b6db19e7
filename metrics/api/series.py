"""Reading series."""

import math
import time
from typing import Annotated

from django.http import HttpRequest
from ninja import Query as Parameter
from ninja import Router, Schema
from pydantic import AfterValidator

from metrics import names
from metrics.actions.problems import Invalid
from metrics.api.body import ASKING, Text
from metrics.api.tokens import read as read_scope
from metrics.series import calculate, functions, read
from metrics.series.read import Query, Track

router = Router(tags=["read"], auth=read_scope)

POINTS_MOST = 5000


class SeriesOut(Schema):
    """A series with its newest sample; `at` is Unix seconds."""

    metric: str
    labels: dict[str, str]
    value: float
    at: float
    unit: str


class SeriesList(Schema):
    series: list[SeriesOut]


class RangeOut(Schema):
    """A series over a window: `points` are [Unix seconds, function of the step that begins then]."""

    metric: str
    labels: dict[str, str]
    unit: str
    points: list[tuple[float, float]]


class RangeList(Schema):
    step: float
    series: list[RangeOut]


Metric = Annotated[Text, Parameter(description="Name of the metric.", max_length=200), AfterValidator(names.metric)]
Moment = Annotated[float, Parameter(description="Unix seconds.", ge=0, le=1e11)]


@router.get("series", response={200: SeriesList, **ASKING})
def series(request: HttpRequest, metric: Metric) -> dict[str, list[dict[str, object]]]:
    """Every series of a metric with its newest sample; an empty list, if there is none."""
    found = read.tracks(Query(metric), time.time())
    return {"series": [_series(track) for track in found if track.latest]}


@router.get("range", response={200: RangeList, **ASKING})
def range_(
    request: HttpRequest,
    metric: Metric,
    start: Moment,
    end: Moment,
    points: Annotated[int, Parameter(description="How many steps at most.", ge=1, le=POINTS_MOST)] = 120,
    function: Annotated[functions.Name, Parameter(description="What is made of each step.")] = "avg",
    quantile: Annotated[float, Parameter(description="Which quantile, for that function.", ge=0, le=1)] = 0.95,
) -> dict[str, object]:
    """Every series of a metric over start ≤ t < end, as a function of equal steps, by itself the mean.

    Steps without samples are left out.
    """
    if end <= start:
        raise Invalid("end", "end is not after start.")
    step_s = math.ceil((end - start) * 1000 / points) / 1000
    window = calculate.Window(end, start, end, step_s, start)
    found = calculate.tracks(Query(metric), functions.Function(function, quantile), window, points=True)
    return {
        "step": step_s,
        "series": [
            {
                "metric": track.metric,
                "labels": track.labels,
                "unit": track.unit,
                "points": [(point.at, point.value) for point in track.points],
            }
            for track in found
            if track.points
        ],
    }


def _series(track: Track) -> dict[str, object]:
    assert track.latest is not None
    return {
        "metric": track.metric,
        "labels": track.labels,
        "value": track.latest.value,
        "at": track.latest.at,
        "unit": track.unit,
    }
