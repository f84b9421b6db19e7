"""The page that lists viewers and what each of them shows, for those who run this installation."""

import time
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import get_current_timezone
from redis import RedisError

from metrics.access.policy import SEE, WATCHING, visible
from metrics.access.principal import Principal, of_visitor
from metrics.live import watchers
from metrics.live.topic import DASHBOARD, VALUES, Topic
from metrics.models import Dashboard
from metrics.views.access import page_for
from metrics.widgets.variables import read

_FORMS = {DASHBOARD: "", VALUES: " as values"}


@page_for(SEE, WATCHING)
def watching(request: HttpRequest) -> HttpResponse:
    """The open sockets of all processes; htmx fetches the table anew every two seconds."""
    template = "watching/_table.html" if getattr(request, "htmx", False) else "watching/page.html"
    return render(request, template, _context(of_visitor(request), time.time()))


def _context(by: Principal, now: float) -> dict[str, Any]:
    try:
        viewers, sockets = watchers.viewers(now), watchers.sockets(now)
    except RedisError:
        return {"answers": False}
    slugs = dict(visible(by, Dashboard).values_list("pk", "slug"))
    rows = [
        {
            **asdict(viewer),
            "shows": f"{slugs[topic.id]} {topic.range}{_chosen(topic)}{_FORMS[topic.kind]}",
            "since": _moment(viewer.joined_at),
        }
        for viewer in viewers
        if (topic := Topic.parse(viewer.topic)).id in slugs
    ]
    return {"answers": True, "viewers": rows, "sockets": sockets, "now_time": _moment(now)}


def _chosen(topic: Topic) -> str:
    """Return the values of variables that a variant shows, as people read them."""
    return "".join(f", {name} {', '.join(values)}" for name, values in read(topic.chosen).items())


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, get_current_timezone())
