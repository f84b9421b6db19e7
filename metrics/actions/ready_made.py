"""Ready-made dashboards: files of this release for what its sources collect, and the one that fits a source."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from metrics import yaml
from metrics.access.principal import Principal
from metrics.actions import dashboard_files, dashboards, sources
from metrics.actions.errors import Missing
from metrics.models import Dashboard, Source

FOLDER = Path(__file__).parents[1] / "ready_made"


@dataclass(frozen=True, slots=True)
class Fit:
    """The ready-made dashboard `name` of sources of a kind, whose series are told apart by `label` if it has one."""

    name: str
    label: str = ""


FITS = {
    "celery": Fit("celery", "server"),
    "host": Fit("host"),
    "http_check": Fit("http_check", "check"),
    "postgres": Fit("postgres", "server"),
    "prometheus_scrape": Fit("node_exporter", "instance"),
    "redis": Fit("redis", "server"),
}
"""Which of them fits sources of a kind."""


@cache
def documents() -> dict[str, dict[str, Any]]:
    """Return the ready-made dashboards as documents, by the names of their files, in the order of their titles."""
    found = {
        path.stem: dashboard_files.with_versions(yaml.read(path.read_text(encoding="utf-8")).value)
        for path in FOLDER.glob(f"*{dashboard_files.ENDING}")
    }
    return dict(sorted(found.items(), key=lambda one: str(one[1]["title"])))


def fitting(source: Source) -> str:
    """Return the name of the dashboard that shows what `source` collects; empty if none does, or nothing came yet."""
    fit = FITS.get(source.kind)
    return fit.name if fit and source.series.filter(metric__in=_metrics(fit.name)).exists() else ""


def title_of(name: str, source: Source | None = None) -> str:
    """Return the title of the ready-made dashboard `name`, made for `source`. Raises Missing."""
    title = str(_document(name)["title"])
    return f"{title}: {source.name}"[:100] if source else title


def create(by: Principal, name: str, title: str, slug: str, source: Source | None = None) -> Dashboard:
    """Make the ready-made dashboard `name`, of one `source` or of all. Raises Missing, Forbidden, or Invalid."""
    document = {**_document(name), "title": title, "slug": slug}
    if source:
        labels = _labels(name, source)
        document["widgets"] = [{**one, "config": _of_series(one["config"], labels)} for one in document["widgets"]]
    return dashboards.create(by, document)


def find_source(by: Principal, id: int | None) -> Source | None:
    """Return the source `id`, None for None. Raises Missing."""
    return None if id is None else sources.find(by, id)


def _document(name: str) -> dict[str, Any]:
    if name not in documents():
        raise Missing(f"There is no ready-made dashboard {name!r}.")
    return documents()[name]


def _metrics(name: str) -> set[str]:
    """Return the names of the metrics that the dashboard `name` shows."""
    return {query["metric"] for widget in _document(name)["widgets"] for query in widget["config"].get("queries", ())}


def _labels(name: str, source: Source) -> dict[str, str]:
    """Return the labels that tell the series of `source` from those of others of its kind."""
    label = FITS[source.kind].label if source.kind in FITS else ""
    series = source.series.filter(metric__in=_metrics(name)).first()
    return {label: series.labels[label]} if label and series and label in series.labels else {}


def _of_series(config: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    queries = [{**query, "labels": {**query.get("labels", {}), **labels}} for query in config["queries"]]
    return {**config, "queries": queries if labels else config["queries"]}
