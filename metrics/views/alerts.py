"""The pages of alerts: what is bad now, and one of them with its past."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.access.policy import ACKNOWLEDGE, CREATE, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import alert_charts, alert_notices, behind, holding, rule_index, rules, withholding
from metrics.actions import alerts as actions
from metrics.actions.errors import Invalid
from metrics.actions.source_status import SourceStatus
from metrics.actions.withholding import Reason
from metrics.alerts.machine import TOLD, State
from metrics.alerts.rule import RuleSpec
from metrics.models import Alert, Rule, Silence, Transition
from metrics.models.log import sender
from metrics.times import datetime_of
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
MUTED = {"silence": "silenced", "maintenance": "in maintenance"}
REFUSALS_SHOWN = 5
BEHIND_SHOWN = 100
WORDS_LISTED = 20
SENTENCES = ("summary", "description", "message")
FOR_HOURS = {"1": 1, "4": 4, "24": 24}
"""Lengths of an acknowledgement that the page offers, besides until it ends."""


@dataclass(frozen=True, slots=True)
class Row:
    """One alert in the list: `status` is its state, `since` and `value` are words, `who` has taken it, if somebody has.

    `labels` are those that tell it from others of its rule. While nobody is told of it, `muted` has why and until when;
    None if that is not for the reader to see.
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
    muted: tuple[tuple[str, datetime | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts of the list that belong together: the `title` and the `address` of what they belong to, and the `rows`."""

    title: str
    address: str
    rows: list[Row]


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All that is not well, the worst first; htmx fetches the rows anew every few seconds."""
    by, now = of_visitor(request), time.time()
    every = actions.current(by)
    severity, team, text = (request.GET.get(name, "") for name in ("severity", "team", "q"))
    words, grouped = text.casefold().split(), request.GET.get("by", "")
    shown = [one for one in every if severity in ("", one.severity) and _is_of(one, team) and _has(one, words)]
    muted = withholding.reasons(shown, now)
    seen = holding.seen(by, (reason for those in muted.values() for reason in those))
    rows = {one: row(one, now, muted.get(one.pk, ()), seen) for one in shown}
    context = {
        "taken": [line for one, line in rows.items() if one.acknowledged_at],
        "groups": _groups({one: line for one, line in rows.items() if not one.acknowledged_at}, GROUPED.get(grouped)),
        "by": grouped if grouped in GROUPED else "",
        "q": text,
        "ways": [("", "nothing"), *((one, one) for one in GROUPED)],
        "hours": FOR_HOURS,
        "silence_url": reverse("silence-new"),
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


@require_POST
@page
def acknowledge_all(request: HttpRequest) -> HttpResponse:
    """Take the chosen alerts, for one reason; those that can't be taken are left, and said."""
    by, given = of_visitor(request), request.POST
    hours = FOR_HOURS.get(given.get("hours", ""))
    until = timezone.now() + timedelta(hours=hours) if hours else None
    ids = [int(one) for one in given.getlist("alert") if one.isascii() and one.isdecimal() and len(one) < 16]
    try:
        taken, refused = actions.acknowledge_all(by, ids, given.get("reason", ""), until)
        if taken:
            messages.success(request, f"{len(taken)} {'alert is' if len(taken) == 1 else 'alerts are'} yours.")
        for sentence in refused[:REFUSALS_SHOWN]:
            messages.error(request, sentence)
        if not ids:
            messages.error(request, "Choose alerts first.")
    except Invalid as problem:
        messages.error(request, str(problem))
    back = given.get("next", "")
    return redirect(f"{reverse('alerts')}?{back}" if back else "alerts")


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
        return render(request, "alert/_chart.html", {"shown": _chart(by, found, spec, now)})
    muted = withholding.reasons([found], now).get(found.pk, [])
    context = {
        "alert": found,
        "row": row(found, now, muted, holding.seen(by, muted)),
        "rule": found.rule,
        "spec": spec,
        "says": rules.says(found.rule),
        "behind": behind.those_behind(by, found)[:BEHIND_SHOWN],
        "held": _held(by, found, now),
        "is_received": found.rule.received is not None,
        "runbook": alert_notices.runbook_of(found),
        "link": outside(found.link),
        "words": _words(found),
        "moves": [(move, status(move.after), humanize.ago(move.at, now)) for move in moves],
        "may_acknowledge": may(by, ACKNOWLEDGE, found) and found.state != State.OK,
        "may_silence": may(by, CREATE, Silence),
        "hours": FOR_HOURS,
    }
    if part != "page":
        return render(request, "alert/_state.html", context)
    context["shown"] = _chart(by, found, spec, now)
    return render(request, "alert/page.html", context)


def _held(by: Principal, alert: Alert, now: float) -> list[str]:
    """Return in words why people are not told of an alert; of what `by` may not see only the kind."""
    if alert.flaps_since_ms is not None:
        return ["It flaps: people are told again once it calms."]
    if alert.are_told or alert.state not in TOLD:
        return []
    found = holding.reasons([alert], now).get(alert.pk, [])
    seen = holding.seen(by, found)
    return [HELD[one.kind].format(one.text) if one in seen else HELD_UNSEEN[one.kind] for one in found]


HELD = {
    "silence": "It is silenced: {}",
    "maintenance": "There is maintenance: {}",
    "behind": "It stands behind {}, which is told instead.",
    "no data": "{}, and that is told instead.",
    "flapping": "It flaps: people are told again once it calms.",
}
"""Why people are not told of an alert, by the kind of the reason."""
HELD_UNSEEN = {
    **HELD,
    "silence": "It is silenced.",
    "maintenance": "There is maintenance.",
    "behind": "It stands behind another alert, which is told instead.",
    "no data": "Most of what is looked at has no data, and that is told instead.",
}
"""The same for those who may not see the reason."""


def _chart(by: Principal, alert: Alert, spec: RuleSpec | None, now: float) -> WidgetView | None:
    if spec is None or not spec.kind.is_evaluated:
        return None
    return alert_charts.chart_for(by, spec, alert.series, alert_charts.range_of(alert, now), now)


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


def row(alert: Alert, now: float, muted: Iterable[Reason] = (), seen: Collection[Reason] = ()) -> Row:
    """Return `alert` as the list shows it.

    `muted` are the reasons why nobody is told of it now, and `seen` those that are for the reader to see.
    """
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
        muted=tuple((MUTED[one.kind], datetime_of(one.until) if one in seen else None) for one in muted),
    )


def status(state: str) -> SourceStatus:
    """Return the mark of a state, and its word."""
    return SourceStatus(WORDS.get(State(state), state), LEVELS[State(state)])


def _groups(rows: Mapping[Alert, Row], of: Callable[[Alert], tuple[str, str]] | None) -> list[Group]:
    """Return the `rows` of alerts, in groups of the title and the address that `of` gives; without it all together."""
    if of is None:
        return [Group("", "", list(rows.values()))] if rows else []
    found: dict[tuple[str, str], list[Row]] = {}
    for alert, line in rows.items():
        found.setdefault(of(alert), []).append(line)
    return [Group(title, address, rows) for (title, address), rows in found.items()]


def _of_incident(alert: Alert) -> tuple[str, str]:
    found = alert.incident
    return (found.title, reverse("incident", args=[found.pk])) if found else ("In no incident", "")


def _of_rule(alert: Alert) -> tuple[str, str]:
    return alert.rule.name, f"{reverse('rules')}#rule-{alert.rule_id}"


GROUPED: dict[str, Callable[[Alert], tuple[str, str]]] = {"incident": _of_incident, "rule": _of_rule}
"""Ways to group the list, by their names in its address."""


def _has(alert: Alert, words: Sequence[str]) -> bool:
    """Whether an alert has all of `words` in its name or its labels, such as host=web-1."""
    if not words:
        return True
    labels = " ".join(f"{name}={value}" for name, value in alert.labels.items())
    said = f"{alert.rule.name} {labels}".casefold()
    return all(word in said for word in words)


def _words(alert: Alert) -> list[tuple[str, str]]:
    """Return what came with an alert, the sentences first."""
    words = sorted(alert.annotations.items(), key=lambda pair: (*(pair[0] != name for name in SENTENCES), pair[0]))
    return words[:WORDS_LISTED]


def _is_of(alert: Alert, team: str) -> bool:
    return not team or any(one.name == team for one in alert.rule.teams.all())
