"""The pages of incidents: those that are open, and one of them with its alerts, its checklist and its timeline."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from metrics.access.policy import ACKNOWLEDGE, CHANGE, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import alert_notices, logs, reviews, rooms, sightings
from metrics.actions import incidents as actions
from metrics.actions.alert_rows import row
from metrics.actions.alerts import LISTED_MOST
from metrics.actions.errors import Forbidden, Invalid
from metrics.actions.incidents import Counts
from metrics.live.topic import room as topic_of
from metrics.models import Alert, Incident
from metrics.models.log import sender
from metrics.times import seconds_of
from metrics.views import humanize
from metrics.views.access import page
from metrics.views.alerts import FOR_HOURS, until
from metrics.views.refusals import OUT_OF_DATE
from metrics.views.rooms import conversation

ALERTS_SHOWN = 50
TEXTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the checklist: its `text`, and `who` did it and how long `ago`; empty if nobody did."""

    text: str
    who: str
    ago: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One incident in the list: `since` are words, `who` has taken it, `bad` of its `count` alerts are bad.

    `lasted` is how long it was there, if it is over.
    """

    incident: Incident
    since: str
    lasted: str
    who: str
    bad: int
    count: int
    teams: list[str]


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """The incidents that are open, or with `?all=1` all of them; htmx fetches the rows anew every few seconds."""
    by, now, is_all = of_visitor(request), time.time(), request.GET.get("all") == "1"
    found = actions.listed(by, is_all)
    counts = actions.counts(found)
    rows = [listed(one, counts[one.pk], now) for one in found]
    part = getattr(request, "htmx", False)
    return render(request, "incident/_rows.html" if part else "incident/list.html", {"rows": rows, "is_all": is_all})


@require_safe
@page
def incident(request: HttpRequest, id: int) -> HttpResponse:
    """One incident: how it stands, which htmx fetches often, and its room, which is live by itself."""
    by, now, is_all = of_visitor(request), time.time(), request.GET.get("all") == "1"
    found = actions.find(by, id)
    if getattr(request, "htmx", False):
        return render(request, "incident/_state.html", state(by, found, now, is_all))
    newest = logs.newest([topic_of(found.room.pk)])[topic_of(found.room.pk)]
    talk = conversation(by, rooms.find(by, found.room.pk), newest)
    context = {**talk, **state(by, found, now, is_all), "hours": FOR_HOURS}
    return render(request, "incident/page.html", context)


def state(by: Principal, incident: Incident, now: float, is_all: bool = False) -> dict[str, Any]:
    """Return what `incident/_state.html` shows: the worst alerts, or all of them."""
    shown = actions.alerts_of(by, incident, LISTED_MOST if is_all else ALERTS_SHOWN)
    texts = _texts(shown)
    return {
        "incident": incident,
        "is_all": is_all,
        "listed": listed(incident, actions.counts([incident])[incident.pk], now),
        "seen": sightings.summary(incident),
        "seen_at": sightings.first_at(incident),
        "alerts": [row(one, now) for one in shown],
        "more": max(0, actions.count_of_alerts(by, incident) - len(shown)),
        "texts": texts if is_all else texts[:TEXTS_SHOWN],
        "more_texts": 0 if is_all else max(0, len(texts) - TEXTS_SHOWN),
        "runbooks": actions.runbooks(by, incident),
        "items": [_item(one, now) for one in incident.checklist],
        "may_acknowledge": may(by, ACKNOWLEDGE, incident),
        "may_change": may(by, CHANGE, incident),
    }


@require_POST
@page
def seen(request: HttpRequest, id: int) -> HttpResponse:
    """Note that a person has an incident before them: its page, that of an alert of it, or a wall with its banner."""
    wall, dashboard = request.POST.get("wall", ""), request.POST.get("dashboard", "")
    try:
        sightings.see(of_visitor(request), id, time.time(), wall, dashboard)
    except Invalid as problem:
        return HttpResponse(str(problem), status=422, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)


@require_POST
@page
def answer(request: HttpRequest, id: int) -> HttpResponse:
    """Do what the pressed button says: take, give back, hand over, resolve, reopen, or tick an item."""
    by, given = of_visitor(request), request.POST
    reason, had_by = given.get("reason", ""), given.get("had_by")
    done: dict[str, Callable[[], Any]] = {
        "take": lambda: actions.acknowledge(by, id, reason, until(given.get("hours", "")), had_by),
        "back": lambda: actions.give_back(by, id, had_by),
        "hand-over": lambda: actions.hand_over(by, id, given.get("to", ""), reason, had_by),
        "resolve": lambda: actions.resolve(by, id, reason),
        "reopen": lambda: actions.reopen(by, id, reason),
        "tick": lambda: actions.tick(
            by, id, int(given.get("place", "-1")), done=given.get("done") == "1", text=given.get("text")
        ),
    }
    said = {
        "take": "It is yours.",
        "back": "It is for anybody again.",
        "hand-over": "It was handed over.",
        "resolve": "It is resolved.",
        "reopen": "It is open again.",
    }
    verb, place = given.get("do", ""), given.get("place", "0")
    try:
        if verb not in done or not (place.isascii() and place.isdecimal() and len(place) < 10):
            raise Invalid("do", OUT_OF_DATE)
        done[verb]()
        if verb in said:
            messages.success(request, said[verb])
    except (Forbidden, Invalid) as problem:
        messages.error(request, str(problem))
    return redirect("incidents") if given.get("next") == "list" else redirect("incident", id)


@require_safe
@page
def review(request: HttpRequest, id: int) -> HttpResponse:
    """The review of an incident, a draft in Markdown: as a page, or with `?format=markdown` as a file."""
    by = of_visitor(request)
    text = reviews.markdown(by, id)
    if request.GET.get("format") == "markdown":
        answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="incident-{id}.md"'
        return answer
    found = actions.find(by, id)
    return render(request, "incident/review.html", {"incident": found, "room": found.room, "text": text})


def listed(incident: Incident, counts: Counts, now: float) -> Listed:
    """Return `incident`, which has so many alerts, as lists show it."""
    ended = seconds_of(incident.resolved_at)
    opened = incident.opened_at.timestamp()
    return Listed(
        incident=incident,
        since=humanize.ago(incident.opened_at, now),
        lasted="" if ended is None else humanize.lasted(ended - opened),
        who=sender(incident.acknowledged_by) if incident.acknowledged_by else "",
        bad=counts.bad,
        count=counts.all,
        teams=[team.name for team in incident.teams.all()],
    )


def _texts(alerts: Iterable[Alert]) -> list[tuple[str, str]]:
    """Return what is said of `alerts`, each text once, with the name of its rule."""
    said = ((one.rule.name, alert_notices.text_of(one, alert_notices.value_of(one))) for one in alerts)
    return list(dict.fromkeys((name, text) for name, text in said if text))


def _item(item: dict[str, Any], now: float) -> Item:
    if not item.get("done_by"):
        return Item(item["text"], "", "")
    return Item(item["text"], sender(item["done_by"]), f"{humanize.age(max(0.0, now - item['done_at']))} ago")
