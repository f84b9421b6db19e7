"""Asks a server that speaks PromQL: Prometheus, Thanos, Mimir, VictoriaMetrics and others.

https://prometheus.io/docs/prometheus/latest/querying/api/#expression-queries
"""

import math
import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

import httpx
from pydantic import Field, StringConstraints, field_validator, model_validator

from metrics.sample import Sample
from metrics.sources import fetch, jmespath_values
from metrics.sources.base import Noted, SourceError, SourceKind
from metrics.sources.fields import Unit, check_metrics, type_by_name
from metrics.sources.http_config import HttpConfig

BODY_MOST_BYTES = 16 * 1024 * 1024
POINTS_MOST = 2000
Query = Annotated[str, StringConstraints(min_length=1, max_length=5000)]


class PromqlConfig(HttpConfig):
    """Whom to ask, and what."""

    queries: dict[str, Query] = Field(min_length=1, max_length=20, description="Metric -> query in PromQL.")
    units: dict[str, Unit] = Field(default_factory=dict, max_length=20, description="Metric -> unit.")
    range_s: int = Field(
        default=0, ge=0, le=30 * 86_400, description="Seconds before now to fetch; 0 for the values of now alone."
    )
    step_s: int = Field(default=15, ge=1, le=86_400, description="Seconds between two values of a range.")
    samples_most: int = Field(default=5000, ge=1, le=50_000, description="More samples than this are an error.")

    @field_validator("queries")
    @classmethod
    def _are_for_metrics(cls, queries: dict[str, str]) -> dict[str, str]:
        check_metrics(queries)
        return queries

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        strange = [metric for metric in self.units if metric not in self.queries]
        if strange:
            raise ValueError(f"units names {strange[0]}, which is not among queries")
        if self.range_s // self.step_s > POINTS_MOST:
            raise ValueError(f"range_s has more than {POINTS_MOST} steps of step_s")
        return self

    def asks(self, now: float) -> tuple[str, dict[str, str]]:
        """Return the end of the address, and what to send beside the query.

        The times of a range are multiples of the step, so that runs which overlap find the same values at the same
        times.
        """
        if not self.range_s:
            return "/api/v1/query", {"time": f"{now:.3f}"}
        end = math.floor(now / self.step_s) * self.step_s
        span = {"start": str(end - self.range_s), "end": str(end), "step": str(self.step_s)}
        return "/api/v1/query_range", span


class Promql(SourceKind[PromqlConfig]):
    """The results of queries, kept under names of one's own."""

    kind = "promql"
    config_class = PromqlConfig

    def collect(self, config: PromqlConfig) -> list[Sample]:
        now = time.time()
        answers = fetch.run(config, lambda client: _ask(client, config, now))
        found: list[Sample] = []
        for metric, answer in answers.items():
            found += _samples(metric, answer, config)
            if len(found) > config.samples_most:
                raise SourceError(f"{config.where} returns more than {config.samples_most} samples.")
        warnings = [str(one) for answer in answers.values() for one in _listed(answer.get("warnings"))]
        return Noted(found, warnings[0] if warnings else "")


async def _ask(client: httpx.AsyncClient, config: PromqlConfig, now: float) -> dict[str, dict[str, Any]]:
    """Return the answer to each query, by metric. Raises SourceError."""
    path, span = config.asks(now)
    base = httpx.URL(config.url)
    url = str(base.copy_with(path=base.path.rstrip("/") + path))
    found = {}
    for metric, query in config.queries.items():
        # POST, because a query may be longer than an address
        answer = await fetch.fetch(client, config, BODY_MOST_BYTES, url, method="POST", data={"query": query, **span})
        found[metric] = _result(answer, metric, config)
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _result(answer: fetch.Answer, metric: str, config: PromqlConfig) -> dict[str, Any]:
    try:
        result = jmespath_values.document(answer.body)
    except jmespath_values.NoValue as problem:
        fetch.good(answer, config)
        raise SourceError(f"{config.where} answered something that {problem}.") from None
    if not isinstance(result, dict) or result.get("status") not in ("success", "error"):
        fetch.good(answer, config)
        raise SourceError(f"{config.where} answered something that is not of Prometheus' API.")
    if result["status"] == "error":
        raise SourceError(f"{config.where} refuses the query of {metric}: {str(result.get('error')).rstrip('.')}.")
    return result


def _samples(metric: str, answer: Mapping[str, Any], config: PromqlConfig) -> list[Sample]:
    """Return the samples of one answer. Raises SourceError if they can't be told apart."""
    found: dict[tuple[Any, ...], Sample] = {}
    try:
        for labels, at, value in _points(answer["data"]):
            if not math.isfinite(value):
                continue
            place = (at, *sorted(labels.items()))
            if place in found:
                raise SourceError(f"The query of {metric} finds several series that differ in nothing but their name.")
            found[place] = Sample(metric, value, labels, at, config.units.get(metric), type_by_name(metric))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        raise SourceError(f"{config.where} answered the query of {metric} in a form that is not known here.") from None
    return list(found.values())


def _points(data: Mapping[str, Any]) -> Iterator[tuple[dict[str, str], float, float]]:
    """Return labels, time and value of each point. Raises whatever it stumbles over in another form."""
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        yield {}, float(result[0]), float(result[1])
        return
    if kind not in ("vector", "matrix"):
        raise ValueError(kind)
    for series in result:
        labels = {name: str(value) for name, value in series["metric"].items() if not name.startswith("__")}
        # A native histogram has no value, but stands under another name.
        points = [series["value"]] if "value" in series else series.get("values", [])
        for at, value in points:
            yield labels, float(at), float(value)
