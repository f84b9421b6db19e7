"""The banner of a wall: alerts that fire, large, with a code that leads a phone to the incident."""

import time
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from metrics.access.policy import visible
from metrics.access.principal import Principal, of_visitor
from metrics.actions import alerts as actions
from metrics.actions import shown
from metrics.alerts.machine import ALERTING, BURNING, State
from metrics.models import Alert, Dashboard, Series
from metrics.models.log import sender
from metrics.views import qr
from metrics.views.access import page
from metrics.widgets import units

CHOICES = ("critical", "warning", "off")
ROWS_MOST = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One alert: its `rule`, the values of its labels (`labels`), its `severity`, `value` and age (`since`) in words.

    `who` has taken it, empty for nobody. `path` is the page of its incident, or else its own.
    """

    rule: str
    labels: str
    severity: str
    value: str
    since: str
    who: str
    path: str


@require_safe
@page
def banner(request: HttpRequest, slug: str) -> HttpResponse:
    """The alerts that fire, of those that the wall's viewer may see; htmx fetches it anew when alerts change."""
    by = of_visitor(request)
    if not visible(by, Dashboard).filter(slug=slug).exists():
        raise Http404(f"There is no dashboard {slug}.")
    return render(request, "dashboard/_burning.html", context(request, by, slug))


def context(request: HttpRequest, by: Principal, slug: str) -> dict[str, object]:
    """Return what `dashboard/_burning.html` shows on the wall of the dashboard `slug`."""
    level, follows = choice(request), request.GET.get("follow") == "1"
    now, found = time.time(), firing(by, level)
    shown = found[:ROWS_MOST]
    rows = [_row(one, now) for one in shown]
    query = urlencode({"alerts": level, **({"follow": 1} if follows else {})})
    return {
        "burning": rows,
        "more": len(found) - len(rows),
        "incidents": sorted({one.incident_id for one in shown if one.incident_id is not None}),
        "code": qr.code(qr.root(request) + rows[0].path) if rows else "",
        "alerts_path": f"{reverse('wall-alerts', args=[slug])}?{query}",
        "follow": f"{reverse('wall', args=[target])}?{query}"
        if follows and (target := leads_to(by, found, slug))
        else "",
        "follows": follows,
        "wall_slug": slug,
    }


def choice(request: HttpRequest) -> str:
    """Return the least severity that a wall shows, by its address."""
    asked = request.GET.get("alerts", "")
    return asked if asked in CHOICES else CHOICES[0]


def firing(by: Principal, level: str) -> list[Alert]:
    """Return the alerts that fire and are at least as severe as `level`: the worst first, of those the free ones."""
    if level == "off":
        return []
    rows = visible(by, Alert).filter(state__in=ALERTING | BURNING).select_related("rule", "incident")
    severities = actions.SEVERITIES[: actions.SEVERITIES.index(level) + 1]
    ordered = rows.filter(severity__in=severities).order_by(
        actions.MOST_SEVERE_FIRST, "acknowledged_by", "-since_ms", "pk"
    )
    return list(ordered[: actions.LISTED_MOST])


def leads_to(by: Principal, found: list[Alert], slug: str) -> str:
    """Return the slug of the dashboard with a widget on the worst of `found`; `slug` itself if it has one, or none."""
    if not found:
        return ""
    worst = Series(metric=found[0].rule.metric, labels=found[0].series)
    slugs = dict(visible(by, Dashboard).order_by("title", "pk").values_list("pk", "slug"))
    showing = [slugs[pk] for pk in shown.dashboards_of(worst, slugs)]
    return slug if slug in showing or not showing else showing[0]


def _row(alert: Alert, now: float) -> Row:
    value = "" if alert.value is None else str(units.show(alert.value, alert.unit))
    is_silent = alert.state == State.NODATA
    return Row(
        rule=alert.rule.name,
        labels=", ".join(value for _, value in sorted(alert.series.items())),
        severity=alert.severity,
        value="no data" if is_silent else value,
        since=units.age(max(0.0, now - alert.since_ms / 1000)),
        who=sender(alert.acknowledged_by) if alert.acknowledged_by else "",
        path=reverse("incident", args=[alert.incident_id]) if alert.incident_id else reverse("alert", args=[alert.pk]),
    )
