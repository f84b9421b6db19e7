"""The gallery: all kinds in all states, for whoever is signed in, and nothing is stored for it."""

import re

import pytest
from django.test import Client

from metrics.kind_groups import WIDGETS
from metrics.models import Series, Widget
from metrics.widgets import gallery
from metrics.widgets.registry import kinds
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def test_it_shows_all_kinds_in_all_states_and_stores_nothing(client: Client) -> None:
    client.force_login(make.user())
    text = client.get("/gallery/").content.decode()
    shown = re.findall(r'<article id="w-([\w-]+)"', text)
    assert shown == [
        f"{one.kind}-{state}" for one in WIDGETS.in_order(kinds().values()) for state in gallery.states(one.kind)
    ]
    assert (Series.objects.count(), Widget.objects.count()) == (0, 0)


def test_a_process_draws_them_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(make.user())
    before = re.findall("<figure.*", client.get("/gallery/").content.decode())
    monkeypatch.setattr(gallery, "tile", None)
    assert before == re.findall("<figure.*", client.get("/gallery/").content.decode()) != []


def test_strangers_are_asked_to_sign_in(client: Client) -> None:
    assert client.get("/gallery/")["Location"] == "/sign-in/?next=/gallery/"
