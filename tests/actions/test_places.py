"""Places: which thing a path leads to, as the URLs of the pages have it."""

import pytest
from django.urls import reverse

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, heartbeats, places, rooms
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def test_pages_lead_to_their_things() -> None:
    shop, source = make.dashboard(), make.source()
    backup, room = heartbeats.create(SYSTEM, "backup", every_s=60), rooms.create(SYSTEM, "War")
    dashboards.change(SYSTEM, "shop", {"slug": "store"}, None)
    shop.refresh_from_db()
    for thing, names in (
        (shop, ("dashboard", "wall", "dashboard-edit", "sharing-dashboard")),
        (source, ("source", "source-edit", "sharing-source")),
        (backup, ("heartbeat", "heartbeat-edit")),
        (room, ("room", "room-delete")),
    ):
        for name in names:
            assert places.thing_at(reverse(name, args=[getattr(thing, "slug", thing.pk)])) == thing
        assert places.path_of(thing) == reverse(names[0], args=[getattr(thing, "slug", thing.pk)])
        assert places.thing_at(f"{places.path_of(thing)}?x=1#there") == thing
    assert places.thing_at("/d/shop/") == shop, "its slug before"


@pytest.mark.parametrize(
    "path", ["", "/", "/d/", "/d/none/", "/rooms/", "/rooms/987654321/", "/rooms/²/", f"/sources/{9**30}/"]
)
def test_others_lead_to_nothing(path: str) -> None:
    assert places.thing_at(path) is None
