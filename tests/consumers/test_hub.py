"""The hub's round: it is done however many variants there are, as long as Redis answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import redis
import redis.asyncio

from consumers import access_recheck
from consumers.access import Decision
from consumers.guard import RECHECK_S, Guard
from consumers.holders import Credential
from consumers.hub import ANSWERS_WITHIN_S, LINGER_S, Hub
from consumers.stream import Stream
from consumers.viewer import Viewer
from metrics.live import snapshot, watchers
from metrics.live.bus import RECHECK, Recheck
from metrics.live.topic import ROOM, Topic, person, variant
from tests import loop
from tests.consumers.test_stream import Sent

pytestmark = pytest.mark.usefixtures("redis")

MANY = 40
Read = Callable[[Topic], Awaitable[snapshot.Snapshot]]


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    """A hub with many variants, none of which is fed."""
    made = Hub()
    made.streams |= {one: Stream(one) for one in (variant(number, "1h") for number in range(MANY))}
    yield made
    await loop.close()


def each_takes(seconds: float, monkeypatch: pytest.MonkeyPatch) -> list[Topic]:
    """Have each reading of a snapshot take so long by the clock of the loop; return what is read, as it is."""
    running: Any = asyncio.get_running_loop()
    passed, true_time, true_read, read = [0.0], running.time, snapshot.read, []

    async def slow(variant: Topic) -> snapshot.Snapshot:
        found = await true_read(variant)
        passed[0] += seconds
        await asyncio.sleep(0)  # here a limit that has passed ends it
        await asyncio.sleep(0)
        read.append(variant)
        return found

    monkeypatch.setattr(running, "time", lambda: true_time() + passed[0])
    monkeypatch.setattr(snapshot, "read", slow)
    return read


async def test_a_round_takes_as_long_as_there_are_variants_to_feed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    read = each_takes(ANSWERS_WITHIN_S / 4, monkeypatch)
    await hub._round()
    assert len(read) == MANY
    assert all(stream.fed for stream in hub.streams.values())


async def test_one_that_does_not_answer_ends_it_and_pages_are_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    read = each_takes(ANSWERS_WITHIN_S + 1, monkeypatch)
    await hub._round()
    assert read == []
    assert not any(stream.fed for stream in hub.streams.values())


async def test_what_is_asked_between_two_rounds_has_no_limit(hub: Hub) -> None:
    stream = hub.streams[variant(0, "1h")]
    await hub._round()
    await hub._feed(stream)
    stream.version = 7
    await hub._heal([stream])
    assert stream.fed


async def test_what_is_fed_is_watched(hub: Hub) -> None:
    await hub._round()
    assert set(watchers.watched(time.time())) == set(hub.streams)


async def test_a_round_is_one_trip_to_redis_however_many_topics_there_are(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for topic in hub.streams:
        await asyncio.to_thread(lambda one: snapshot.store(one, {"1": "<p>"}, 1, snapshot.next_turn(one)), topic)
    await hub._round()
    trips: list[str] = []

    def count(owner: Any, name: str) -> None:
        true = getattr(owner, name)

        def counted(self: Any, *given: Any, **options: Any) -> Any:
            trips.append(f"{owner.__module__}.{name}")
            return true(self, *given, **options)

        monkeypatch.setattr(owner, name, counted)

    for clients in (redis, redis.asyncio):
        count(clients.client.Pipeline, "execute")
        count(clients.Redis, "execute_command")
    await hub._round()
    assert trips == ["redis.asyncio.client.execute"]
    assert all(stream.fed for stream in hub.streams.values())


async def test_what_a_newer_release_tells_is_passed_over(hub: Hub) -> None:
    await hub._take({"type": "unheard of"})


async def test_a_topic_that_nobody_watches_any_more_leaves_nothing(hub: Hub) -> None:
    for number in range(MANY):
        await hub._opened(variant(number, "24h"))
    assert len(hub._empty_since) == MANY
    hub._empty_since = dict.fromkeys(hub._empty_since, -LINGER_S)
    await hub._close_unwatched()
    assert (len(hub.streams), len(hub._empty_since), len(hub._changing)) == (MANY, 0, 0)


async def test_all_who_wait_for_a_topic_go_on_together_though_the_first_gave_up(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One by one they would need a turn of the loop each, and turns are long while a thousand pages come back."""
    opens, fed = asyncio.Event(), Hub._feed

    async def feed(self: Hub, stream: Stream) -> None:
        await opens.wait()
        await fed(self, stream)

    monkeypatch.setattr(Hub, "_feed", feed)
    topic = variant(0, "24h")
    first, *others = [asyncio.create_task(hub._opened(topic)) for _ in range(500)]
    first.cancel()
    opens.set()
    while not any(one.done() for one in others):  # noqa: ASYNC110
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert all(one.done() for one in others)
    assert {await one for one in others} == {hub.streams[topic]}
    assert hub.streams[topic].fed


async def test_whoever_comes_while_a_topic_is_let_go_gets_one_that_is_open(hub: Hub) -> None:
    topic = variant(0, "24h")
    before = await hub._opened(topic)
    hub._empty_since[topic] = -LINGER_S
    closing = asyncio.create_task(hub._close_unwatched())
    while topic not in hub._changing:  # noqa: ASYNC110
        await asyncio.sleep(0)
    stream = await hub._opened(topic)
    await closing
    assert stream is hub.streams[topic]
    assert stream is not before
    assert stream.fed


async def test_a_topic_is_let_go_once_though_a_round_gave_up_waiting(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, calls, unsubscribe = asyncio.Event(), [], hub._channel.unsubscribe

    async def slow(topic: Topic) -> None:
        calls.append(topic)
        await goes_on.wait()
        await unsubscribe(topic)

    monkeypatch.setattr(hub._channel, "unsubscribe", slow)
    topic = variant(0, "24h")
    await hub._opened(topic)
    hub._empty_since[topic] = -LINGER_S
    given_up = asyncio.create_task(hub._close_unwatched())
    while not calls:  # noqa: ASYNC110
        await asyncio.sleep(0)
    given_up.cancel()
    await hub._close_unwatched()
    await hub._feed_hungry()
    goes_on.set()
    stream = await hub._opened(topic)
    assert calls == [topic]
    assert stream is hub.streams[topic]
    assert stream.fed
    assert hub._changing == {}


async def test_only_the_socket_of_a_person_is_sent_the_list_of_alerts(hub: Hub) -> None:
    """Others are open to strangers, such as one of a link, and lists are drawn by request."""
    asked = {"personal": "1", "list": "alerts"}
    for topic, listed in [(variant(0, "1h"), False), (Topic(ROOM, 3), False), (person(5), True)]:
        viewer = Viewer(Sent(), Credential("", ""), Decision(None, "user:5"), asked=asked)
        assert hub._admits(topic, viewer)
        assert (viewer in hub.lists._viewers) is listed


async def test_all_access_is_looked_at_once_a_minute_however_often_some_is(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: Any = asyncio.get_running_loop()
    passed, true_time, asked = [0.0], running.time, list[int | None]()

    async def refused(_: Any, doubt: Recheck) -> AsyncIterator[access_recheck.Refusal]:
        asked.append(doubt["user"])
        passed[0] += RECHECK_S * 0.6
        for none in list[access_recheck.Refusal]():
            yield none

    monkeypatch.setattr(running, "time", lambda: true_time() + passed[0])
    monkeypatch.setattr(access_recheck, "refused", refused)
    for user in (1, 2, 3, 4):
        hub._doubt(Recheck(type=RECHECK, user=user, dashboard=None))
    guard = asyncio.create_task(hub.guard.run())
    for _ in range(100):
        await asyncio.sleep(0)
    guard.cancel()
    assert asked == [1, 2, None, 3, None, 4, None]


async def test_code_of_others_that_hangs_keeps_no_access_of_ours_from_being_looked_at(hub: Hub) -> None:
    looked_at = asyncio.Event()

    async def hangs(_: Recheck) -> None:
        await asyncio.Event().wait()

    async def looks(_: Recheck) -> None:
        looked_at.set()

    hub.guard, hub.extensions.guard = Guard(looks), Guard(hangs)
    hub._start()
    hub._doubt(Recheck(type=RECHECK, user=1, dashboard=None))
    await asyncio.wait_for(looked_at.wait(), 5)
    for task in hub._tasks:
        task.cancel()
