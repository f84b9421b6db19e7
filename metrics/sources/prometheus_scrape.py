"""Scrapes what Prometheus would: an exporter, or whatever else has a page of metrics.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
"""

import time
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated

import httpx
from msgspec import structs
from pydantic import Field, StringConstraints

from metrics.exposition import BadExposition, parse
from metrics.sample import LABEL_VALUE_MOST, METRIC_NAME_MOST, Sample
from metrics.sources import fetch
from metrics.sources.base import SourceError, SourceKind
from metrics.sources.http_config import HttpConfig
from metrics.sources.network_policy import Forbidden

BODY_MOST_BYTES = 8 * 1024 * 1024
READ_MOST_S = 4
OPENMETRICS = "application/openmetrics-text"
ACCEPT = f"{OPENMETRICS};version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
Pattern = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_:*]+$", max_length=METRIC_NAME_MOST)]
LabelValue = Annotated[str, StringConstraints(max_length=LABEL_VALUE_MOST)]


class PrometheusScrapeConfig(HttpConfig):
    """Settings of a scrape: the target, and the series to keep."""

    job: LabelValue = Field(default="", description="Value of the label job; without one there is no such label.")
    instance: LabelValue = Field(default="", description="Value of the label instance; else host:port of the URL.")
    names: list[Pattern] = Field(
        default_factory=lambda: ["*"],
        min_length=1,
        max_length=100,
        title="Only these metrics",
        description="Names to keep; * stands for anything.",
    )
    honor_labels: bool = Field(
        default=False,
        title="Keep labels job and instance",
        description="Whether labels job and instance that are there already stay; else they are renamed.",
    )
    samples_most: int = Field(
        default=5000,
        ge=1,
        le=50_000,
        title="Samples at most",
        description="More samples to keep than this are an error.",
    )

    @property
    def target(self) -> dict[str, str]:
        """The labels that say what was scraped."""
        url = httpx.URL(self.url)
        port = url.port or (443 if url.scheme == "https" else 80)
        host = f"[{url.host}]" if ":" in url.host else url.host
        labels = {"instance": self.instance or f"{host}:{port}", "job": self.job}
        return {name: value for name, value in labels.items() if value}


class PrometheusScrape(SourceKind[PrometheusScrapeConfig]):
    """Samples of a page in Prometheus' text format or OpenMetrics', and whether it could be had."""

    kind = "prometheus_scrape"
    config_class = PrometheusScrapeConfig

    def collect(self, config: PrometheusScrapeConfig) -> list[Sample]:
        began = time.perf_counter()
        try:
            scraped = _scrape(config)
        except Forbidden:
            raise
        except SourceError as problem:
            raise SourceError(str(problem), _report(config, 0, time.perf_counter() - began)) from None
        took_s = time.perf_counter() - began
        wanted = [one for one in scraped if any(fnmatchcase(one.metric, pattern) for pattern in config.names)]
        if len(wanted) > config.samples_most:
            message = f"{config.where} has {len(wanted)} samples to keep, more than {config.samples_most}."
            raise SourceError(message, _report(config, 0, took_s))
        kept = [_labelled(one, config.target, config.honor_labels) for one in wanted]
        counts = {"scrape_samples_scraped": len(scraped), "scrape_samples_post_metric_relabeling": len(kept)}
        return [*kept, *_report(config, 1, took_s, counts)]


def _scrape(config: PrometheusScrapeConfig) -> list[Sample]:
    answer = fetch.run(config, lambda client: fetch.fetch(client, config, BODY_MOST_BYTES, headers={"Accept": ACCEPT}))
    try:
        return parse(fetch.good(answer, config).body, answer.type == OPENMETRICS, READ_MOST_S).samples
    except BadExposition as problem:
        raise SourceError(
            f"{config.where} is no page of metrics: {str(problem)[0].lower()}{str(problem)[1:]}"
        ) from None


def _labelled(sample: Sample, target: Mapping[str, str], honor: bool) -> Sample:
    """Return `sample` with the labels of the target. Of labels with the same name it keeps its own, or renames them."""
    labels = dict(sample.labels)
    for name, value in target.items():
        if name not in labels:
            labels[name] = value
        elif not honor:
            renamed = f"exported_{name}"
            while renamed in sample.labels:
                renamed = f"exported_{renamed}"
            labels[renamed], labels[name] = labels[name], value
    return structs.replace(sample, labels=labels)


def _report(
    config: PrometheusScrapeConfig, up: int, took_s: float, counts: Mapping[str, int] | None = None
) -> list[Sample]:
    """Return what Prometheus says of each scrape."""
    return [
        Sample("up", float(up), config.target, type="gauge"),
        Sample("scrape_duration_seconds", took_s, config.target, unit="seconds", type="gauge"),
        *(Sample(name, float(count), config.target, type="gauge") for name, count in (counts or {}).items()),
    ]
