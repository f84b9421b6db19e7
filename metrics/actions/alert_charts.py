"""Charts of alerts: the series that a rule looks at, with the lines of its condition."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.template.loader import render_to_string

from metrics.access.policy import hidden_from, hidden_from_teams
from metrics.access.principal import Principal
from metrics.actions import chart_facts, rule_index
from metrics.alerts.rule import RuleSpec
from metrics.models import Alert, Rule, Team
from metrics.times import datetime_of
from metrics.widgets.explored import drawn
from metrics.widgets.facts import Facts
from metrics.widgets.render import WidgetView

RANGES = ((3000, "1h"), (20 * 3600, "24h"), (6 * 86_400, "7d"))
"""For how long an alert lasts at most (seconds), and the range of its chart."""


def chart_for(by: Principal, spec: RuleSpec, labels: Mapping[str, Any], range: str, now: float) -> WidgetView:
    """Return the chart of the series with these labels that a rule looks at, and of its lines, as `by` may see it."""
    return _chart(spec, labels, range, now, hidden_from(by), chart_facts.seen_by(by, now))


def rehearsal_for(by: Principal, spec: RuleSpec, owners: Iterable[Team], range: str, now: float) -> WidgetView:
    """Return the chart of all that `spec`, a rule of `owners`, looks at, as far as `by` may see it."""
    hidden = hidden_from(by) | hidden_from_teams(owners)
    return _chart(spec, {}, range, now, hidden, chart_facts.seen_by(by, now))


def chart_of(rule: Rule, spec: RuleSpec, labels: Mapping[str, Any], range: str, now: float) -> WidgetView:
    """Return the chart of the series with these labels, as the teams of `rule` may see it."""
    teams = list(rule.teams.all())
    return _chart(spec, labels, range, now, hidden_from_teams(teams), chart_facts.of_teams(teams, now))


def _chart(
    spec: RuleSpec, labels: Mapping[str, Any], range: str, now: float, hidden: Collection[int], known: Facts
) -> WidgetView:
    goals = [{"value": value, "name": name} for name, value in spec.kind.lines(spec.config()).items()]
    fields: dict[str, Any] = {"goals": goals} if goals else {}
    query = spec.query.model_dump(mode="json", exclude_unset=True)
    if not spec.expression:
        return drawn({**query, "labels": {**spec.query.labels, **labels}}, "line", fields, range, now, hidden, known)
    others = [one.model_dump(mode="json", exclude_unset=True) for one in spec.queries]
    fields["queries"] = [{**one, "hidden": True} for one in (query, *others)]
    fields["expressions"] = [{"expression": spec.expression, **({"unit": spec.unit} if spec.unit else {})}]
    return drawn(query, "line", fields, range, now, hidden, known)


def range_of(alert: Alert, now: float) -> str:
    """Return the range in which a chart shows all of an alert, and what was before it."""
    age_s = now - alert.since_ms / 1000
    return next((range for most_s, range in RANGES if age_s < most_s), "30d")


def drawing(alert: Alert, now: float) -> str:
    """Return the chart of an alert as it is, as HTML to keep; "" if its rule can't be read, or looks at no series."""
    range = range_of(alert, now)
    shown = view(alert, range, now)
    if shown is None:
        return ""
    context = {"widgets": [shown], "range": range, "at": datetime_of(now)}
    return render_to_string("room/_drawing.html", context).strip()


def view(alert: Alert, range: str, now: float) -> WidgetView | None:
    """Return the chart of an alert, of the sources that the teams of its rule may see; None if there is none."""
    spec = rule_index.readable(alert.rule)
    if spec is None or not spec.kind.is_evaluated:
        return None
    return chart_of(alert.rule, spec, alert.series, range, now)
