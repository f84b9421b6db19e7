"""The pages of alerts: what is bad now, and one of them with its past."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.access.policy import ACKNOWLEDGE, CREATE, hidden_from, may
from metrics.access.principal import of_visitor
from metrics.actions import alert_charts, alert_notices, rule_index, rules
from metrics.actions import alerts as actions
from metrics.actions.errors import Invalid
from metrics.actions.source_status import SourceStatus
from metrics.alerts.machine import State
from metrics.alerts.rule import RuleSpec
from metrics.models import Alert, Rule, Transition
from metrics.models.log import sender
from metrics.views import humanize
from metrics.views.access import page
from metrics.widgets import units
from metrics.widgets.links import outside
from metrics.widgets.render import WidgetView

LEVELS = {
    State.FIRING: "critical",
    State.NODATA: "nodata",
    State.RECOVERING: "warn",
    State.PENDING: "warn",
    State.OK: "ok",
}
WORDS = {State.NODATA: "no data"}
MOVES_LISTED = 50
WORDS_LISTED = 20
SENTENCES = ("summary", "description", "message")
FOR_HOURS = {"1": 1, "4": 4, "24": 24}
"""Lengths of an acknowledgement that the page offers, besides until it ends."""


@dataclass(frozen=True, slots=True)
class Row:
    """One alert in the list: `status` is its state, `since` and `value` are words, `who` has taken it, if somebody has.

    `labels` are those that tell it from others of its rule.
    """

    id: int
    rule: str
    labels: list[tuple[str, str]]
    severity: str
    status: SourceStatus
    since: str
    value: str
    who: str
    reason: str
    until: Any


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All that is not well, the worst first; htmx fetches the rows anew every few seconds."""
    by, now = of_visitor(request), time.time()
    every = actions.current(by)
    severity, team = request.GET.get("severity", ""), request.GET.get("team", "")
    shown = [one for one in every if severity in ("", one.severity) and _is_of(one, team)]
    context = {
        "taken": [row(one, now) for one in shown if one.acknowledged_at],
        "open": [row(one, now) for one in shown if not one.acknowledged_at],
        "total": len(every),
        "severity": severity,
        "team": team,
        "severities": [one for one in actions.SEVERITIES if any(alert.severity == one for alert in every)],
        "teams": sorted({name.name for one in every for name in one.rule.teams.all()}),
        "may_acknowledge": may(by, ACKNOWLEDGE, Alert),
        "may_add": may(by, CREATE, Rule),
        "has_rules": Rule.objects.exists(),
    }
    part = getattr(request, "htmx", False)
    return render(request, "alert/_rows.html" if part else "alert/list.html", context)


@require_safe
@page
def alert(request: HttpRequest, id: int) -> HttpResponse:
    """One alert: how it stands and every change of it, which htmx fetches often, and its chart, which it does not."""
    by, now = of_visitor(request), time.time()
    found = actions.find(by, id)
    spec = rule_index.readable(found.rule)
    moves = Transition.objects.filter(noun="alert", thing=str(found.pk)).order_by("-at", "-pk")[:MOVES_LISTED]
    part = request.GET.get("part", "") if getattr(request, "htmx", False) else "page"
    if part == "chart":
        return render(request, "alert/_chart.html", {"shown": _chart(found, spec, now, hidden_from(by))})
    context = {
        "alert": found,
        "row": row(found, now),
        "rule": found.rule,
        "spec": spec,
        "says": rules.says(found.rule),
        "is_received": found.rule.received is not None,
        "runbook": alert_notices.runbook_of(found),
        "link": outside(found.link),
        "words": _words(found),
        "moves": [(move, status(move.after), humanize.ago(move.at, now)) for move in moves],
        "may_acknowledge": may(by, ACKNOWLEDGE, found) and found.state != State.OK,
        "hours": FOR_HOURS,
    }
    if part != "page":
        return render(request, "alert/_state.html", context)
    context["shown"] = _chart(found, spec, now, hidden_from(by))
    return render(request, "alert/page.html", context)


def _chart(alert: Alert, spec: RuleSpec | None, now: float, hidden: Collection[int]) -> WidgetView | None:
    if spec is None or not spec.kind.is_evaluated:
        return None
    return alert_charts.chart(spec, alert.series, alert_charts.range_of(alert, now), now, hidden)


@require_POST
@page
def acknowledge(request: HttpRequest, id: int) -> HttpResponse:
    """Take an alert, or give it back."""
    by, back = of_visitor(request), request.POST.get("back") == "1"
    hours = FOR_HOURS.get(request.POST.get("hours", ""))
    until = timezone.now() + timedelta(hours=hours) if hours else None
    try:
        if back:
            actions.give_back(by, id)
        else:
            actions.acknowledge(by, id, request.POST.get("reason", ""), until)
        messages.success(request, "It is for anybody again." if back else "It is yours.")
    except Invalid as problem:
        messages.error(request, str(problem))
    return redirect("alerts") if request.POST.get("next") == "list" else redirect("alert", id)


def row(alert: Alert, now: float) -> Row:
    """Return `alert` as the list shows it."""
    value = "" if alert.value is None else str(units.show(alert.value, alert.unit))
    return Row(
        id=alert.pk,
        rule=alert.rule.name,
        labels=sorted(alert.labels.items()),
        severity=alert.severity,
        status=status(alert.state),
        since=humanize.age(max(0.0, now - alert.since_ms / 1000)),
        value="" if alert.state == State.NODATA else value,
        who=sender(alert.acknowledged_by) if alert.acknowledged_by else "",
        reason=alert.reason,
        until=alert.acknowledged_until,
    )


def status(state: str) -> SourceStatus:
    """Return the mark of a state, and its word."""
    return SourceStatus(WORDS.get(State(state), state), LEVELS[State(state)])


def _words(alert: Alert) -> list[tuple[str, str]]:
    """Return what came with an alert, the sentences first."""
    words = sorted(alert.annotations.items(), key=lambda pair: (*(pair[0] != name for name in SENTENCES), pair[0]))
    return words[:WORDS_LISTED]


def _is_of(alert: Alert, team: str) -> bool:
    return not team or any(one.name == team for one in alert.rule.teams.all())
