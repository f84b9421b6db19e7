"""Which entry of the menu is current, for every page."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from metrics.access.principal import SYSTEM
from metrics.views.menu import LESS_USED, pages, section_of
from metrics.views.urls import urlpatterns
from tests import make

WITHOUT = {"", "join", "link", "metrics", "screen", "sign-in", "sign-out", "sw.js", "wall"}
"""First words of what has no menu: a page for those who are not signed in, a wall, what a program reads."""
BESIDE = {"account", "search"}
"""Sections beside the menu: who is signed in, and the search."""
CURRENT = re.compile(r'<a class="quiet[^"]*" href="([^"]*)"[^>]* aria-current="true"')


def test_every_page_has_a_section_that_is_in_the_menu() -> None:
    routes = {str(one.pattern) for one in urlpatterns}
    sections = {section_of(route) for route in routes if route.partition("/")[0] not in WITHOUT}
    assert sections | {"admin", "api"} == {section for _, _, section in pages(SYSTEM)} | BESIDE


def test_what_is_less_used_is_a_section() -> None:
    assert set(LESS_USED) < {section for _, _, section in pages(SYSTEM)}


@pytest.mark.django_db
@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize(
    ("page", "entry"),
    [
        ("dashboards", "dashboards"),
        ("annotations", "dashboards"),
        ("gallery", "dashboards"),
        ("dashboard-new", "dashboards"),
        ("alerts", "alerts"),
        ("incidents", "alerts"),
        ("handover", "alerts"),
        ("rules", "alerts"),
        ("rule-new", "alerts"),
        ("channels", "alerts"),
        ("alert-webhooks", "alerts"),
        ("silences", "alerts"),
        ("maintenance", "alerts"),
        ("untold", "alerts"),
        ("on-call", "on-call"),
        ("on-call-new", "on-call"),
        ("source-new", "sources"),
        ("heartbeat-new", "heartbeats"),
        ("room-search", "rooms"),
        ("explore", "explore"),
        ("series", "series"),
        ("screens", "screens"),
        ("watching", "watching"),
        ("tokens", "users"),
        ("escalation", "users"),
        ("audit", "audit"),
        ("notification-settings", "account"),
        ("notifications", "account"),
        ("search", "search"),
    ],
)
def test_one_entry_is_current(client: Client, page: str, entry: str) -> None:
    client.force_login(make.admin())
    text = client.get(reverse(page)).content.decode()
    header = text[text.index("<header") : text.index("</header>")]
    assert CURRENT.findall(header) == [reverse(entry)]


def test_a_page_of_a_dashboard_leads_back_by_the_menu() -> None:
    for page in ("tab", "past", "one"):
        text = (Path(settings.BASE_DIR) / f"templates/dashboard/{page}.html").read_text()
        assert '{% include "_menu.html" with folds=True %}' in text, page
