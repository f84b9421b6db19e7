"""The labels by which alerts are matched: their own, and those that say which rule they are of."""

from metrics.models import Alert


def labels_of(alert: Alert) -> dict[str, str]:
    """Return the labels of `alert`, with `alertname`, `metric` and `severity` unless it has others of that name.

    One that was received has no metric.
    """
    rule = alert.rule
    metric = {"metric": rule.metric} if rule.metric else {}
    return {"alertname": rule.name, **metric, "severity": alert.severity, **alert.labels}
