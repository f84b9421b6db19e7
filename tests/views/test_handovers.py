"""The page that a shift hands over."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import commands, incidents, rooms, rules
from metrics.models import Incident, Silence
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def text(response: Any) -> str:
    return str(response.content.decode())


def incident(title: str, **fields: Any) -> Incident:
    made = make.incident(title, **fields)
    rooms.of_incident(made)
    return made


def test_it_says_what_is_left_to_the_next_ones(client: Client) -> None:
    eve = make.user("eve", is_staff=True)
    incident("Site <b>down</b>")
    disk, over = incident("Disk full"), incident("Was slow")
    incident("Secret", everyone=False, teams=[make.team("night")])
    incidents.acknowledge(of_user(eve), disk.pk, "new disk is ordered")
    commands.say(of_user(eve), disk.room.pk, "It comes on Monday")
    incidents.resolve(of_user(eve), over.pk)
    now = timezone.now()
    Silence.objects.create(
        matchers=[], starts_at=now, ends_at=now + timedelta(hours=1), by="user eve", comment="New racks"
    )
    rules.create(
        of_user(eve), {"name": "Disk", "query": {"metric": "m"}, "condition": {"kind": "threshold", "above": 1}}
    )
    client.force_login(eve)
    draft = text(client.get("/handover/?format=markdown"))
    parts = {part.partition("\n")[0]: part for part in draft.split("\n## ")}
    assert r"Site \<b\>down\</b\>" in parts["Open, and nobody has it"]
    assert "Disk full" not in parts["Open, and nobody has it"]
    assert "eve has it: new disk is ordered" in parts["Somebody has it"]
    assert "by eve" in parts["Over"]
    assert "New racks, by eve" in parts["Silenced now"]
    assert "eve: create Disk" in parts["Rules that were edited"]
    assert "It comes on Monday" in parts["What was talked about"]
    assert "Secret" not in draft
    page = text(client.get("/handover/?hours=9999"))
    assert "The last 72 h" in page
    assert "<b>down</b>" not in page
    assert SYSTEM.name not in parts["What was talked about"]
