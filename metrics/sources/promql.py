"""Asks a server that speaks PromQL: Prometheus, Thanos, Mimir, VictoriaMetrics and others.

https://prometheus.io/docs/prometheus/latest/querying/api/#expression-queries
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

import httpx
from pydantic import Field, StringConstraints, field_validator, model_validator

from metrics.sample import Sample
from metrics.sources import fetch, promql_api
from metrics.sources.base import Noted, SourceError, SourceKind, first_of, keeping
from metrics.sources.fields import Unit, check_metrics, type_by_name
from metrics.sources.http_config import HttpConfig
from metrics.sources.network_policy import Forbidden, Unreachable

POINTS_MOST = 2000
ONLY_LIVE = "It answers. Widgets ask it themselves, and nothing is stored."
Query = Annotated[str, StringConstraints(min_length=1, max_length=5000)]


class PromqlConfig(HttpConfig):
    """The server to ask, and the query."""

    queries: dict[str, Query] = Field(
        default_factory=dict, max_length=20, description="Metric -> query in PromQL, whose results are stored."
    )
    units: dict[str, Unit] = Field(default_factory=dict, max_length=20, description="Metric -> unit.")
    range_s: int = Field(
        default=0,
        ge=0,
        le=30 * 86_400,
        title="Fetch the last, seconds",
        description="Seconds before now to fetch; 0 for the values of now alone.",
    )
    step_s: int = Field(default=15, ge=1, le=86_400, description="Seconds between two values of a range.")
    live: bool = Field(
        default=False,
        title="Widgets may ask it",
        description="Widgets may ask this server themselves: every editor of a dashboard, anything.",
    )
    samples_most: int = Field(
        default=5000, ge=1, le=50_000, title="Samples at most", description="More samples than this are an error."
    )

    @field_validator("queries")
    @classmethod
    def _are_for_metrics(cls, queries: dict[str, str]) -> dict[str, str]:
        check_metrics(queries)
        return queries

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.queries and not self.live:
            raise ValueError("give queries, or live, or both")
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


@dataclass(slots=True)
class Answered:
    """Outcome of the queries so far: `problems` are of those without samples, `notes` and `warnings` of the others."""

    samples: list[Sample] = field(default_factory=list)
    problems: list[SourceError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Promql(SourceKind[PromqlConfig]):
    """The results of queries, kept under names of one's own; without queries a run only sees whether it answers."""

    kind = "promql"
    config_class = PromqlConfig

    def collect(self, config: PromqlConfig) -> list[Sample]:
        answered = Answered()
        with keeping(answered.samples):
            fetch.run(config, lambda client: _ask(client, config, answered))
            if answered.problems:
                raise SourceError(first_of(answered.problems))
        return Noted(answered.samples, " ".join([*answered.notes, *answered.warnings[:1]]))


async def _ask(client: httpx.AsyncClient, config: PromqlConfig, answered: Answered) -> None:
    """Add the answer to each query to `answered`. Raises SourceError if nobody can be asked."""
    path, span = config.asks(time.time())
    if not config.queries:
        await promql_api.ask(client, config, path, {"query": "vector(1)", **span}, "vector(1)")
        answered.notes.append(ONLY_LIVE)
    for metric, query in config.queries.items():
        try:
            answer = await promql_api.ask(client, config, path, {"query": query, **span}, f"the query of {metric}")
            found = _samples(metric, answer, config)
            if len(answered.samples) + len(found) > config.samples_most:
                raise SourceError(
                    f"With the query of {metric} {config.where} returns more than {config.samples_most} samples."
                )
        except (Forbidden, Unreachable):
            raise
        except SourceError as problem:
            answered.problems.append(problem)
        else:
            answered.samples += found
            answered.notes += filter(None, [found.note])
            answered.warnings += promql_api.warnings(answer)


def _samples(metric: str, answer: Mapping[str, Any], config: PromqlConfig) -> Noted:
    """Return the samples of one answer. Of those that can't be told apart it has the first, by the names of series."""
    found: dict[tuple[Any, ...], Sample] = {}
    note = ""
    try:
        for all_labels, points in sorted(promql_api.series(answer["data"]), key=lambda one: sorted(one[0].items())):
            labels = {name: value for name, value in all_labels.items() if not name.startswith("__")}
            for at, value in points:
                if not math.isfinite(value):
                    continue
                place = (at, *sorted(labels.items()))
                if place in found:
                    note = (
                        f"Left out: The query of {metric} finds several series that differ in nothing but their name."
                    )
                    continue
                found[place] = Sample(metric, value, labels, at, config.units.get(metric), type_by_name(metric))
    except promql_api.STRANGE:
        raise SourceError(f"{config.where} answered the query of {metric} in a form that is not known here.") from None
    return Noted(found.values(), note)
