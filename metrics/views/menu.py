"""The menu: the pages that the one who looks may open, as a context processor."""

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse

from metrics.access.policy import CHANGE, SEE, WATCHING, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import reading
from metrics.actions.notifications import unread
from metrics.models import Alert, AuditEntry, Heartbeat, Room, Schedule, Screen, Series, Source, Token


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the menu to the URL `name`; `is_current` says whether the page is one of its own."""

    name: str
    title: str
    url: str
    is_current: bool


def current(request: HttpRequest) -> dict[str, Any]:
    """Return the entries of the menu as `menu`, and the role of the one who looks as `role`."""
    if not request.user.is_authenticated:
        return {}
    by = of_visitor(request)
    route = request.resolver_match.route if request.resolver_match else ""
    return {
        "menu": [Entry(name, title, reverse(name), part in route) for title, name, part in pages(by)],
        "role": by.role,
        "unread": cache(partial(unread, by.pk or 0)),
        "unread_rooms": partial(reading.badge, by.pk or 0),
    }


def people(by: Principal) -> list[tuple[str, str]]:
    """Return title and URL name of the pages about access that `by` may open."""
    pages = ((User, "Users", "users"), (Token, "Tokens", "tokens"))
    found = [(title, name) for thing, title, name in pages if may(by, SEE, thing)]
    return [*found[:1], ("Teams", "teams"), *found[1:]] if found else []


def pages(by: Principal) -> list[tuple[str, str, str]]:
    """Return the entries for `by`: title, URL name, and the part of a route by which a page of the entry is known."""
    access = people(by)
    entries = [
        ("Alerts", "alerts", "alerts/", may(by, SEE, Alert)),
        ("On call", "on-call", "on-call/", may(by, SEE, Schedule)),
        ("Sources", "sources", "sources/", may(by, SEE, Source)),
        ("Heartbeats", "heartbeats", "heartbeats/", may(by, SEE, Heartbeat)),
        ("Rooms", "rooms", "rooms/", may(by, SEE, Room)),
        ("Explore", "explore", "explore/", may(by, SEE, Series)),
        ("Series", "series", "series/", may(by, SEE, Series)),
        ("Screens", "screens", "screens/", may(by, SEE, Screen)),
        ("Watching", "watching", "watching/", may(by, SEE, WATCHING)),
        ("Access", access[0][1] if access else "", "access/", bool(access)),
        ("Audit", "audit", "audit/", may(by, SEE, AuditEntry)),
        ("Admin", "admin:index", "admin/", may(by, CHANGE, Token)),
        ("API", "api:openapi-view", "api/", True),
    ]
    return [(title, name, part) for title, name, part, is_shown in entries if is_shown]
