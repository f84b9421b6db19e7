"""Caches that processes have of the database; another test's is another database, though ids may be the same."""

from metrics.actions import (
    alert_list,
    bad_alerts,
    chart_annotations,
    chart_incidents,
    facts,
    rule_index,
    shown,
    windows,
)
from metrics.series import catalogue, series_cache, step_cache


def forget() -> None:
    """Remember nothing."""
    step_cache.forget()
    series_cache.forget()
    catalogue.forget()
    shown.forget()
    bad_alerts.forget()
    alert_list.forget()
    windows.forget()
    chart_annotations.forget()
    chart_incidents.forget()
    rule_index.forget()
    facts.forget()
