"""Reading series."""

import math
import time
from collections.abc import Sequence
from typing import Annotated

from django.http import HttpRequest
from ninja import Query as Parameter
from ninja import Router, Schema
from pydantic import AfterValidator

from metrics import names
from metrics.access.policy import hidden_from
from metrics.actions.errors import Invalid
from metrics.api.body import ASKING, Text
from metrics.api.tokens import principal_of
from metrics.api.tokens import read as read_scope
from metrics.series import read
from metrics.series.read import Asked, Function, FunctionName, Over, Query, Track, Window, over_seconds

router = Router(tags=["read"], auth=read_scope)

POINTS_MOST = 5000
BAND = (Function("min"), Function("max"))
BANDED = ("avg", "min", "max", "last")
"""The functions whose values lie between the least and the greatest sample of their step, and are of the same steps."""


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
    """A series over a window: `points` are [Unix seconds, function of the step that begins then].

    With `band`, also the least and the greatest sample of that step.
    """

    metric: str
    labels: dict[str, str]
    unit: str
    points: list[tuple[float, float] | tuple[float, float, float, float]]


class RangeList(Schema):
    step: float
    series: list[RangeOut]


Metric = Annotated[Text, Parameter(description="Name of the metric.", max_length=200), AfterValidator(names.metric)]
Moment = Annotated[float, Parameter(description="Unix seconds.", ge=0, le=1e11)]


@router.get("series", response={200: SeriesList, **ASKING})
def series(request: HttpRequest, metric: Metric) -> dict[str, list[dict[str, object]]]:
    """Every series of a metric that the token may see, with its newest sample; an empty list, if there is none."""
    found = read.tracks(Query(metric), time.time(), hidden_from(principal_of(request)))
    return {"series": [_series(track) for track in found if track.latest]}


@router.get("range", response={200: RangeList, **ASKING})
def range_(
    request: HttpRequest,
    metric: Metric,
    start: Moment,
    end: Moment,
    points: Annotated[int, Parameter(description="How many steps at most.", ge=1, le=POINTS_MOST)] = 120,
    function: Annotated[FunctionName, Parameter(description="The function of each step.")] = "avg",
    quantile: Annotated[float, Parameter(description="Which quantile, for that function.", ge=0, le=1)] = 0.95,
    over: Annotated[
        Over | None,
        Parameter(
            description="Over how long a rate is, such as 5m; else enough for four expected samples, at least a minute."
        ),
    ] = None,
    band: Annotated[
        bool, Parameter(description="Whether points have the least and greatest of their step too.")
    ] = False,
) -> dict[str, object]:
    """Every series of a metric over start ≤ t < end, as a function of equal steps, by itself the mean.

    Steps without samples are left out.
    """
    if end <= start:
        raise Invalid("end", "end is not after start.")
    if band and function not in BANDED:
        raise Invalid("band", f"a band is of samples, and the function is {function}; take {', '.join(BANDED)}.")
    try:
        over_s = over_seconds(over, function)
    except ValueError as problem:
        raise Invalid("over", f"{problem}.") from problem
    step_s = math.ceil((end - start) * 1000 / points) / 1000
    window = Window(end, start, end, step_s, start)
    made = [Function(function, quantile), *(BAND if band else ())]
    asked = [Asked(Query(metric), one, window, points=True, over_s=over_s) for one in made]
    found = read.tracks_of_all(asked, end, hidden_from(principal_of(request)))
    return {
        "step": step_s,
        "series": [
            {
                "metric": track.metric,
                "labels": track.labels,
                "unit": track.unit,
                "points": _points([track, *least_and_greatest]),
            }
            for track, *least_and_greatest in zip(*found, strict=True)
            if track.points
        ],
    }


def _points(tracks: Sequence[Track]) -> list[tuple[float, ...]]:
    """Return when each step begins, and its value in each of `tracks`, which are of the same samples."""
    columns = [[point.value for point in track.points] for track in tracks]
    return list(zip((point.at for point in tracks[0].points), *columns, strict=True))


def _series(track: Track) -> dict[str, object]:
    assert track.latest is not None
    return {
        "metric": track.metric,
        "labels": track.labels,
        "value": track.latest.value,
        "at": track.latest.at,
        "unit": track.unit,
    }
