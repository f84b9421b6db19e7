"""The pages of alerts: what is bad now, and one of them with its past."""

import time
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.access.policy import ACKNOWLEDGE, CREATE, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import alert_charts, alert_list, alert_notices, behind, holding, rule_index, rules, withholding
from metrics.actions import alerts as actions
from metrics.actions.alert_list import Asked
from metrics.actions.alert_rows import row, status
from metrics.actions.errors import Invalid
from metrics.alerts.machine import ALERTING, State
from metrics.alerts.rule import RuleSpec
from metrics.models import Alert, Rule, Silence, Transition
from metrics.views import humanize
from metrics.views.access import page
from metrics.views.refusals import OUT_OF_DATE
from metrics.widgets.links import outside
from metrics.widgets.render import WidgetView

MOVES_LISTED = 50
REFUSALS_SHOWN = 5
BEHIND_SHOWN = 100
WORDS_LISTED = 20
FOR_HOURS = {"1": 1, "4": 4, "24": 24}
"""Lengths of an acknowledgement that the page offers, besides until it ends."""


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All that is not well, the worst first: open pages are sent the rows when alerts change, see `AlertLists`."""
    by, asked, now = of_visitor(request), Asked.of(request.GET.dict()), time.time()
    if getattr(request, "htmx", False):
        return render(request, "alert/_part.html", {"rows": alert_list.html(by, asked, now)})
    context = {
        "list": alert_list.of(by, asked, now),
        "ways": [("", "nothing"), *((one, one) for one in alert_list.GROUPED)],
        "hours": FOR_HOURS,
        "silence_url": reverse("silence-new"),
        "may_add": may(by, CREATE, Rule),
    }
    return render(request, "alert/list.html", context)


@require_POST
@page
def acknowledge_all(request: HttpRequest) -> HttpResponse:
    """Take the chosen alerts, for one reason; those that can't be taken are left, and said."""
    by, given = of_visitor(request), request.POST
    ids = [int(one) for one in given.getlist("alert") if one.isascii() and one.isdecimal() and len(one) < 16]
    try:
        taken, refused = actions.acknowledge_all(by, ids, given.get("reason", ""), until(given.get("hours", "")))
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
    if alert.are_told or alert.state not in ALERTING:
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
    given = request.POST
    try:
        if back:
            actions.give_back(by, id, given.get("had_by"))
        else:
            actions.acknowledge(by, id, given.get("reason", ""), until(given.get("hours", "")))
        messages.success(request, "It is for anybody again." if back else "It is yours.")
    except Invalid as problem:
        messages.error(request, str(problem))
    return redirect("alerts") if given.get("next") == "list" else redirect("alert", id)


def until(hours: str) -> datetime | None:
    """Return when an acknowledgement for one of FOR_HOURS ends, or None for "". Raises Invalid for anything else."""
    if not hours:
        return None
    if hours not in FOR_HOURS:
        raise Invalid("hours", OUT_OF_DATE)
    return timezone.now() + timedelta(hours=FOR_HOURS[hours])


def _words(alert: Alert) -> list[tuple[str, str]]:
    """Return what came with an alert, the sentences first; without one, first what its rule says."""
    names = alert_notices.SENTENCES
    words = sorted(alert.annotations.items(), key=lambda pair: (*(pair[0] != name for name in names), pair[0]))
    if not any(map(alert.annotations.get, names)):
        text = alert_notices.text_of(alert, alert_notices.value_of(alert))
        words = [("Its rule says", text), *words] if text else words
    return words[:WORDS_LISTED]
