"""Alerts: what is bad now, by incident, the worst first, and who has taken it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from metrics.alerts import matchers
from metrics.widgets import bad_alert, units
from metrics.widgets.bad_alert import SEVERITIES, BadAlert
from metrics.widgets.base import Named, OfFact, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.thresholds import CRITICAL, OK, WARN, Level

ROWS_MOST = 30
LEVELS = {"critical": CRITICAL, "warning": WARN, "info": OK}
NO_DATA_STATE = "nodata"


def _matchers(text: str) -> str:
    matchers.parse(text)
    return text


class AlertsConfig(OfFact[BadAlert]):
    """Config of a list of alerts."""

    needs: ClassVar = "alerts"

    matchers: Annotated[str, AfterValidator(_matchers)] = Field(
        default="",
        max_length=1000,
        title="Only with labels",
        description='Only alerts with these labels, such as env="prod", host=~"web-.*"; a rule is alertname.',
    )
    team: str = Field(default="", max_length=150, description="Only alerts of this team.")
    severity: Literal["info", "warning", "critical"] = Field(
        default="info", title="Severity at least", description="Only alerts that are at least so severe."
    )
    rows: int = Field(
        default=20, ge=1, le=ROWS_MOST, title="Rows at most", description="How many to show, the worst first."
    )

    def takes(self, alert: BadAlert) -> bool:
        """Whether it shows `alert`."""
        own = {"alertname": alert.rule, "metric": alert.metric, "severity": alert.severity, **alert.labels}
        return (
            SEVERITIES.index(alert.severity) <= SEVERITIES.index(self.severity)
            and self.team in ("", *alert.team_names)
            and matchers.match(matchers.parse(self.matchers), own)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """An alert, or the worst of an incident that has several: its `name`, its `severity`, and where it leads (`link`).

    `count` is how many alerts it has, `value` that of the one, empty if it has none; `since` is for how long, in words.
    `who` has taken it, empty for nobody.
    """

    name: str
    severity: str
    link: str
    count: int
    value: str
    since: str
    who: str


@dataclass(frozen=True, slots=True)
class AlertsView:
    """View-model of `templates/widgets/alerts.html`: the `rows`, the worst first, and how many `more` there are.

    `summary` counts the alerts in words. `incidents` are the ids of those of the rows, for the page to say that
    somebody saw them. `level` is that of the worst.
    """

    rows: tuple[Row, ...]
    more: int
    summary: str
    incidents: str
    level: Level


class Alerts(WidgetKind[AlertsConfig]):
    """Alerts that are bad now, by incident, the worst first, and who has taken them."""

    kind = "alerts"
    config_class = AlertsConfig
    group = "alerts"
    size = (4, 2)
    windows_back = 0
    example: ClassVar = {}

    def view(self, config: AlertsConfig, series: list[Named], window: Window) -> AlertsView:
        alerts = [one for one in config.given if config.takes(one)]
        groups = sorted(_grouped(alerts), key=_worst_first)
        shown = groups[: config.rows]
        return AlertsView(
            rows=tuple(_row(one, window.at) for one in shown),
            more=len(groups) - len(shown),
            summary=_summary(alerts),
            incidents=bad_alert.incidents_of([one for those in shown for one in those]),
            level=LEVELS[bad_alert.severity_of(alerts)] if alerts else OK,
        )


def _grouped(alerts: Sequence[BadAlert]) -> list[list[BadAlert]]:
    """Return `alerts` by incident; of those that are in none, each is by itself."""

    def group_of(alert: BadAlert) -> tuple[int, int]:
        return (alert.incident, 0) if alert.incident is not None else (0, alert.id)

    return [list(those) for _, those in groupby(sorted(alerts, key=group_of), group_of)]


def _worst_first(alerts: Sequence[BadAlert]) -> tuple[int, bool, float, int]:
    taken = all(one.who for one in alerts)
    return SEVERITIES.index(bad_alert.severity_of(alerts)), taken, -max(one.since for one in alerts), alerts[0].id


def _row(alerts: Sequence[BadAlert], at: float) -> Row:
    worst = min(alerts, key=lambda one: (SEVERITIES.index(one.severity), one.since, one.id))
    is_one = len(alerts) == 1
    value = "" if worst.value is None else str(units.show(worst.value, worst.unit))
    return Row(
        name=worst.name,
        severity=worst.severity,
        link=bad_alert.link_of(alerts),
        count=len(alerts),
        value=("no data" if worst.state == NO_DATA_STATE else value) if is_one else "",
        since=units.age(max(0.0, at - min(one.since for one in alerts))),
        who=", ".join(sorted({one.who for one in alerts if one.who})),
    )


def _summary(alerts: Sequence[BadAlert]) -> str:
    counts = [(severity, sum(one.severity == severity for one in alerts)) for severity in SEVERITIES]
    free = sum(not one.who for one in alerts)
    said = " · ".join(f"{count} {severity}" for severity, count in counts if count)
    if not alerts:
        return "All is well"
    return said if free == len(alerts) else f"{said} · {f'{free} not taken' if free else 'all taken'}"
