"""OpenTSDB's `/api/put`, and what netdata sends to the same path in a form of its own.

http://opentsdb.net/docs/build/html/api_http/put.html and
https://learn.netdata.cloud/docs/exporting-metrics/exporting-quickstart (`opentsdb:http` and `json:http`)
"""

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.json import Decoder

from metrics.batch import Parsed
from metrics.ingest.json_entries import entries
from metrics.sample import UNIT_MOST, Sample

SECONDS_MOST = 10**11
"""OpenTSDB takes a time beyond it for milliseconds, and so do we."""
UNITS = {"percentage": "percent", "%": "percent", "B": "bytes", "By": "bytes", "ms": "milliseconds", "s": "seconds"}
OWN = "_"
"""How the labels begin that netdata adds of itself, such as `_is_ephemeral`."""


class Point(Struct):
    """A data point of OpenTSDB, if it has a `metric`; else one of netdata, of a dimension of a chart."""

    value: float | str | None = None
    timestamp: float | None = None
    metric: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    hostname: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    chart_name: str = ""
    chart_context: str = ""
    chart_family: str = ""
    units: str = ""
    name: str = ""


_points = Decoder(Point)


def parse(body: bytes) -> Parsed:
    """Return the samples in `body`; the place of a sample is the number of its data point. Raises NotJson."""
    parsed = Parsed()
    for number, point in entries(body, _points):
        try:
            sample = _sample(point)
        except ValueError as error:
            metric = "" if isinstance(point, str) else point.metric or point.chart_context
            parsed.refused.add(number, [("value", str(error))], metric)
        else:
            parsed.samples.append(sample)
            parsed.places.append(number)
    return parsed


def _sample(point: Point | str) -> Sample:
    """Return the sample of a data point. Raises ValueError with a sentence."""
    if isinstance(point, str):
        raise ValueError(point)
    try:
        value = float(point.value if point.value is not None else "")
    except ValueError:
        raise ValueError("value is missing or not a number.") from None
    at = point.timestamp
    if at is not None and at >= SECONDS_MOST:
        at /= 1000
    if point.metric or not point.chart_context:
        return Sample(point.metric, value, point.tags, at)
    unit = UNITS.get(point.units, point.units)
    return Sample(
        f"{point.prefix}_{point.chart_context}" if point.prefix else point.chart_context,
        value,
        _labels(point),
        at,
        unit if 0 < len(unit) <= UNIT_MOST else None,
    )


def _labels(point: Point) -> Mapping[str, str]:
    own = {"instance": point.hostname, "chart": point.chart_name, "family": point.chart_family, "dimension": point.name}
    return {**{name: value for name, value in point.labels.items() if not name.startswith(OWN)}, **own}
