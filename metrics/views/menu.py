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
from metrics.models import Alert, AuditEntry, Dashboard, Heartbeat, Room, Schedule, Screen, Series, Source, Token

SECTIONS = {
    "dashboards": ("dashboards", "d", "annotations", "gallery"),
    "alerts": (
        "alerts",
        "incidents",
        "rules",
        "channels",
        "alert-webhooks",
        "silences",
        "maintenance",
        "untold",
        "handover",
    ),
    "account": ("account", "notifications", "watch"),
}
"""Pages of a part of the product besides those of its own name, by the first words of their routes."""

LESS_USED = ("series", "screens", "watching", "access", "audit", "admin", "api")
"""The sections that are behind More."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the menu to the URL `name`. The page is one of its `section` if it `is_current`."""

    name: str
    title: str
    url: str
    section: str
    is_current: bool


def current(request: HttpRequest) -> dict[str, Any]:
    """Return the entries of the menu as `menu` and `menu_more`, the `section` of the page, the `role` of who asks."""
    if not request.user.is_authenticated:
        return {}
    by = of_visitor(request)
    section = section_of(request.resolver_match.route if request.resolver_match else "")
    entries = [Entry(name, title, reverse(name), part, part == section) for title, name, part in pages(by)]
    return {
        "menu": [one for one in entries if one.section not in LESS_USED],
        "menu_more": [one for one in entries if one.section in LESS_USED],
        "section": section,
        "role": by.role,
        "unread": cache(partial(unread, by.pk or 0)),
        "unread_rooms": partial(reading.badge, by.pk or 0),
    }


def section_of(route: str) -> str:
    """Return the section that the page at `route` belongs to: the one that has its first word, else that word."""
    word = route.partition("/")[0]
    return next((section for section, words in SECTIONS.items() if word in words), word)


def people(by: Principal) -> list[tuple[str, str]]:
    """Return title and URL name of the pages about access that `by` may open."""
    pages = ((User, "Users", "users"), (Token, "Tokens", "tokens"))
    found = [(title, name) for thing, title, name in pages if may(by, SEE, thing)]
    return [*found[:1], ("Teams", "teams"), *found[1:]] if found else []


def pages(by: Principal) -> list[tuple[str, str, str]]:
    """Return the entries for `by`: title, URL name, and section."""
    access = people(by)
    entries = [
        ("Dashboards", "dashboards", "dashboards", may(by, SEE, Dashboard)),
        ("Alerts", "alerts", "alerts", may(by, SEE, Alert)),
        ("On call", "on-call", "on-call", may(by, SEE, Schedule)),
        ("Sources", "sources", "sources", may(by, SEE, Source)),
        ("Heartbeats", "heartbeats", "heartbeats", may(by, SEE, Heartbeat)),
        ("Rooms", "rooms", "rooms", may(by, SEE, Room)),
        ("Explore", "explore", "explore", may(by, SEE, Series)),
        ("Series", "series", "series", may(by, SEE, Series)),
        ("Screens", "screens", "screens", may(by, SEE, Screen)),
        ("Watching", "watching", "watching", may(by, SEE, WATCHING)),
        ("Access", access[0][1] if access else "", "access", bool(access)),
        ("Audit", "audit", "audit", may(by, SEE, AuditEntry)),
        ("Admin", "admin:index", "admin", may(by, CHANGE, Token)),
        ("API", "api:openapi-view", "api", True),
    ]
    return [(title, name, part) for title, name, part, is_shown in entries if is_shown]
