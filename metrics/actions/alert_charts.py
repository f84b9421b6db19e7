"""Charts of alerts: the series that a rule looks at, with the lines of its condition."""

from collections.abc import Collection, Mapping
from typing import Any

from django.template.loader import render_to_string

from metrics.access.policy import hidden_from_teams
from metrics.actions import rule_index
from metrics.alerts.rule import RuleSpec
from metrics.models import Alert
from metrics.times import datetime_of
from metrics.widgets.explored import drawn
from metrics.widgets.render import WidgetView

RANGES = ((3000, "1h"), (20 * 3600, "24h"), (6 * 86_400, "7d"))
"""For how long an alert lasts at most (seconds), and the range of its chart."""


def chart(spec: RuleSpec, labels: Mapping[str, Any], range: str, now: float, hidden: Collection[int]) -> WidgetView:
    """Return the chart of the series with these labels that a rule looks at, and of its lines."""
    query = {**spec.query.model_dump(mode="json", exclude_unset=True), "labels": labels}
    goals = [{"value": line} for line in spec.kind.lines(spec.config())]
    return drawn(query, "line", {"goals": goals} if goals else {}, range, now, hidden)


def range_of(alert: Alert, now: float) -> str:
    """Return the range in which a chart shows all of an alert, and what was before it."""
    age_s = now - alert.since_ms / 1000
    return next((range for most_s, range in RANGES if age_s < most_s), "30d")


def drawing(alert: Alert, now: float) -> str:
    """Return the chart of an alert as it is, as HTML to keep; "" if its rule can't be read, or looks at no series.

    It draws the sources that the teams of the rule may see.
    """
    spec = rule_index.readable(alert.rule)
    if spec is None or not spec.kind.is_evaluated:
        return ""
    range = range_of(alert, now)
    view = chart(spec, alert.series, range, now, hidden_from_teams(alert.rule.teams.all()))
    context = {"widgets": [view], "range": range, "at": datetime_of(now)}
    return render_to_string("room/_drawing.html", context).strip()
