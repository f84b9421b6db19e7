"""Alerts that are bad, as widgets show them, and what a widget says of those that are on its series. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from metrics.series.read import Query

SEVERITIES = ("critical", "warning", "info")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class BadAlert:
    """An alert that is bad: firing, recovering or without data, since `since` (Unix seconds).

    `labels` are those of the series and of the rule; `metric` and `series` are what it looks at. `value` has a `unit`.
    `who` has taken it, empty for nobody. It is in the `incident` (id), None while nobody was told of it. Its rule is
    `for_everyone`, or for `teams` (ids), whose names are `team_names`.
    """

    id: int
    rule: str
    labels: Mapping[str, str]
    metric: str
    series: Mapping[str, str]
    state: str
    severity: str
    since: float
    value: float | None
    unit: str
    who: str
    incident: int | None
    for_everyone: bool
    teams: frozenset[int]
    team_names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The rule and the values of its series' labels."""
        values = ", ".join(value for _, value in sorted(self.series.items()))
        return f"{self.rule}: {values}" if values else self.rule


@dataclass(frozen=True, slots=True)
class OnSeries:
    """Alerts on the series of a widget: how many (`count`), the worst `severity`, and where they lead (`link`).

    `text` says so in words. `incidents` are the ids of theirs, in order and with spaces between, for the page to say
    that somebody saw them.
    """

    count: int
    severity: str
    link: str
    text: str
    incidents: str


def severity_of(alerts: Sequence[BadAlert]) -> str:
    """Return the worst severity of `alerts`."""
    return min((one.severity for one in alerts), key=SEVERITIES.index)


def link_of(alerts: Sequence[BadAlert]) -> str:
    """Return the path of the page of one alert, of the incident of several, or of all alerts."""
    if len(alerts) == 1:
        return reverse("alert", args=[alerts[0].id])
    incidents = {one.incident for one in alerts}
    (incident,) = incidents if len(incidents) == 1 else (None,)
    return reverse("incident", args=[incident]) if incident else reverse("alerts")


def incidents_of(alerts: Sequence[BadAlert]) -> str:
    """Return the ids of the incidents of `alerts`, in order and with spaces between."""
    return " ".join(map(str, sorted({one.incident for one in alerts if one.incident is not None})))


def on_series(queries: Sequence[Query], alerts: Sequence[BadAlert]) -> OnSeries | None:
    """Return what a widget says of those of `alerts` that are on series of its `queries`; None if none is."""
    metrics = {query.metric for query in queries}
    found = [
        one
        for one in alerts
        if one.metric in metrics and any(query.matches(one.metric, one.series) for query in queries)
    ]
    if not found:
        return None
    worst = severity_of(found)
    noun = "alert" if len(found) == 1 else "alerts"
    text = f"{len(found)} {noun} here, {worst if len(found) == 1 else f'the worst {worst}'}: {found[0].rule}"
    return OnSeries(len(found), worst, link_of(found), text, incidents_of(found))


def made_up(number: int, rule: str, host: str, severity: str = "warning", **fields: Any) -> BadAlert:
    """Return an alert that there is not, for the gallery and examples."""
    usual: dict[str, Any] = {
        "id": number,
        "rule": rule,
        "labels": {"host": host},
        "metric": "example",
        "series": {"host": host},
        "state": "firing",
        "severity": severity,
        "value": 90.0 + number,
        "unit": "percent",
        "who": "",
        "incident": number,
        "for_everyone": True,
        "teams": frozenset(),
        "team_names": (),
    }
    return BadAlert(**(usual | fields))


def examples(at: float) -> list[BadAlert]:
    """Return three alerts that there are not, of each severity, as they would be at `at` (Unix seconds)."""
    return [
        made_up(1, "Site down", "shop", "critical", value=0.0, unit="", since=at - 300),
        made_up(2, "Disk full", "web-07", since=at - 7300, who="ada"),
        made_up(3, "Certificate ends", "mail", "info", since=at - 86_400, value=12.0, unit="days"),
    ]
