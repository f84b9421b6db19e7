"""Charts of what rules look at, with their lines."""

from collections.abc import Collection, Mapping
from typing import Any

from metrics.alerts.rule import RuleSpec
from metrics.widgets.explored import drawn
from metrics.widgets.render import WidgetView


def chart(spec: RuleSpec, labels: Mapping[str, Any], range: str, now: float, hidden: Collection[int]) -> WidgetView:
    """Return the chart of the series with these labels that a rule looks at, and of its lines."""
    query = {**spec.query.model_dump(mode="json", exclude_unset=True), "labels": labels}
    goals = [{"value": line} for line in spec.kind.lines(spec.config())]
    return drawn(query, "line", {"goals": goals} if goals else {}, range, now, hidden)
