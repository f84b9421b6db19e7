"""The journal says from which address somebody did something over a socket."""

import json

import pytest
from channels.db import database_sync_to_async

from consumers import access_recheck
from consumers import hub as hubs
from metrics.access.principal import SYSTEM, of_user
from metrics.actions import messages, rooms
from metrics.live.bus import RECHECK, Recheck
from metrics.models import AuditEntry
from tests import make
from tests.consumers.test_dashboard import CLIENT, HOST, Connect, connect, cookie_of

__all__ = ["connect"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@pytest.mark.parametrize("is_rechecked", [False, True])
async def test_what_is_done_in_a_room_has_it(connect: Connect, is_rechecked: bool) -> None:
    ada = await database_sync_to_async(make.user)("ada", is_staff=True)
    room = await database_sync_to_async(rooms.create)(SYSTEM, "War room")
    by = await database_sync_to_async(of_user)(ada)
    said = await database_sync_to_async(messages.say)(by, room.pk, "hello")
    origin = (b"origin", b"http://" + HOST[1])
    cookie = await database_sync_to_async(cookie_of)(ada)
    socket = await connect(f"/ws/rooms/{room.pk}/?format=json", cookie, origin)
    await socket.receive_output(timeout=5)  # type: ignore[no-untyped-call]
    if is_rechecked:
        doubt = Recheck(type=RECHECK, user=None, dashboard=None)
        assert [one async for one in access_recheck.refused(hubs.hub().viewers(), doubt)] == []
    text = json.dumps({"delete": said.number})
    await socket.send_input({"type": "websocket.receive", "text": text})  # type: ignore[no-untyped-call]
    while not json.loads((await socket.receive_output(timeout=5))["text"]).get("deleted"):  # type: ignore[no-untyped-call]
        pass
    entries = AuditEntry.objects.filter(by="user ada").values_list("address", flat=True)
    assert await database_sync_to_async(list)(entries) == [CLIENT]
