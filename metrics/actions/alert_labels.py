"""The labels by which alerts are matched: their own, and those that say which rule they are of."""

from metrics.models import Alert


def labels_of(alert: Alert) -> dict[str, str]:
    """Return the labels of `alert`, with `alertname`, `metric` and `severity` unless it has others of that name."""
    rule = alert.rule
    return {"alertname": rule.name, "metric": rule.metric, "severity": rule.severity, **alert.labels}
