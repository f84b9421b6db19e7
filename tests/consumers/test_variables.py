"""Choices of variables on sockets: each is drawn by itself, once for all who watch it, and nobody watches too many."""

import re
import time
from typing import Any

import pytest
from channels.db import database_sync_to_async

from consumers import hub as hubs
from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, render
from metrics.live import marks, waiting, watchers
from metrics.live.topic import variant
from metrics.models import Dashboard
from tests import make
from tests.consumers.test_dashboard import Connect, _no_workers, close_code, connect, cookie_of, first, shown
from tests.make import AT

__all__ = ["_no_workers", "connect"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

PATH = "/ws/dashboards/shop/?range=1h"


@pytest.fixture
def shop() -> Dashboard:
    for host in ("web-1", "web-2"):
        make.stored("load", {5: 1.0}, host=host)
    query = {"metric": "load", "labels": {"host": "$host"}}
    widget = {"key": "bars", "kind": "bars", "title": "Load of $host", "config": {"queries": [query]}}
    variables = [{"name": "host", "label": "host", "several": True, "all": True}]
    return dashboards.create(SYSTEM, {"slug": "shop", "title": "Shop", "variables": variables, "widgets": [widget]})


@pytest.fixture
async def headers(shop: Dashboard) -> list[tuple[bytes, bytes]]:
    ada = await database_sync_to_async(make.user)("ada")
    return [await database_sync_to_async(cookie_of)(ada), (b"origin", b"http://ops.example:8000")]


async def test_each_choice_has_its_own_fragments_and_two_viewers_of_one_cost_one_render(
    connect: Connect, headers: Any, shop: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    renders = []
    draw = render.FORMS["dashboard"]
    monkeypatch.setitem(render.FORMS, "dashboard", lambda *given: renders.append(given) or draw(*given))  # type: ignore[func-returns-value]
    sockets = [
        await connect(PATH + chosen, *headers)
        for chosen in ("&var-host=web-1", "&var-host=web-2", "&var-host=web-2&var-host=", "", "&var-host=*")
    ]
    for socket in sockets:
        await first(socket)  # a pulse

    def work() -> None:
        while topic := waiting.take():
            render.render(topic)

    await database_sync_to_async(work)()
    frames = [(await first(socket))["text"] for socket in sockets]
    assert [re.findall(r"Load of ([\w-]+)", frame) for frame in frames] == [
        [one] for one in ("web-1", "web-2", "web-2", "All", "All")
    ]
    assert all(shown(frame) == ["bars"] for frame in frames)
    assert len(renders) == 3
    assert frames[1] == frames[2]
    assert frames[3] == frames[4]
    assert {topic.chosen for topic in hubs.hub().streams} == {"", "host=web-1", "host=web-2"}


@pytest.mark.parametrize("query", ["var-host=web-9", "var-hots=web-1"])
async def test_what_there_is_not_is_no_such_thing(connect: Connect, headers: Any, query: str) -> None:
    assert await close_code(await connect(f"{PATH}&{query}", *headers)) == 4404


async def test_a_new_choice_is_refused_when_there_are_too_many_and_what_is_watched_already_is_not(
    connect: Connect, headers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "CHOICES_OF_ONE", 1)
    assert "pulse" in (await first(await connect(f"{PATH}&var-host=web-1", *headers)))["text"]
    assert await close_code(await connect(f"{PATH}&var-host=web-2", *headers)) == 4429
    assert "pulse" in (await first(await connect(f"{PATH}&var-host=web-1", *headers)))["text"]
    assert "pulse" in (await first(await connect(PATH, *headers)))["text"]


async def test_choices_of_other_processes_count(
    connect: Connect, headers: Any, shop: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "CHOICES_OF_ALL", 1)
    monkeypatch.setattr(time, "time", lambda: AT)
    await watchers.add(variant(shop.pk, "1h", "host=web-1"), AT)
    await watchers.add(variant(shop.pk, "6h"), AT)
    assert await close_code(await connect(f"{PATH}&var-host=web-2", *headers)) == 4429
    assert not hubs.hub()._openers
    assert "pulse" in (await first(await connect(f"{PATH}&var-host=web-1", *headers)))["text"]
    assert not marks.is_marked(variant(shop.pk, "1h", "host=web-2"))
