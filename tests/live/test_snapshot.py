"""Snapshots: the newest fragment of every widget, by version, and what an empty Redis does to them."""

from collections.abc import Coroutine

import pytest
from redis import Redis

from metrics.live import bus, snapshot
from metrics.live.snapshot import Fragment, OvertakenError, Stored
from metrics.live.topic import Topic, variant

HOUR = variant(1, "1h")


def store(topic: Topic, fragments: dict[str, str], revision: int) -> Stored:
    """Store as a render does that is alone."""
    return snapshot.store(topic, fragments, revision, snapshot.next_turn(topic))


def test_an_older_drawing_never_overtakes_a_newer_one(redis: Redis) -> None:
    slow, quick = snapshot.next_turn(HOUR), snapshot.next_turn(HOUR)
    snapshot.store(HOUR, {"1": "newer"}, 1, quick)
    with pytest.raises(OvertakenError):
        snapshot.store(HOUR, {"1": "older"}, 1, slow)
    assert snapshot.version(HOUR)[1] == 1
    assert redis.hget(f"wf:snapshot:{HOUR}", "h:1") == b"newer"


def test_a_drawing_from_before_redis_lost_its_memory_is_not_stored(redis: Redis) -> None:
    for _ in range(5):
        turn = snapshot.next_turn(HOUR)
    redis.flushall()
    with pytest.raises(OvertakenError):
        snapshot.store(HOUR, {"1": "from a former life"}, 1, turn)
    assert store(HOUR, {"1": "anew"}, 1).version == 1


def test_before_anything_was_rendered_there_is_no_epoch(redis: Redis) -> None:
    assert snapshot.version(HOUR) == ("", 0)


def test_every_change_is_a_version_of_the_same_epoch(redis: Redis) -> None:
    first = store(HOUR, {"1": "a", "2": "b"}, 1)
    second = store(HOUR, {"1": "c", "2": "b"}, 1)
    assert (first.version, first.changed) == (1, ["1", "2"])
    assert (second.version, second.changed) == (2, ["1"])
    assert first.epoch == second.epoch
    assert snapshot.version(HOUR) == (second.epoch, 2)


def test_what_is_the_same_is_no_version(redis: Redis) -> None:
    store(HOUR, {"1": "a"}, 1)
    again = store(HOUR, {"1": "a"}, 1)
    assert (again.version, again.changed) == (1, [])


def test_an_edit_is_a_version_even_without_a_new_fragment(redis: Redis) -> None:
    store(HOUR, {"1": "a"}, 1)
    edited = store(HOUR, {"1": "a"}, 2)
    assert (edited.version, edited.changed) == (2, [])


def test_variants_do_not_share_versions(redis: Redis) -> None:
    store(HOUR, {"1": "a"}, 1)
    assert snapshot.version(variant(1, "6h")) == ("", 0)


def test_a_redis_that_comes_back_empty_begins_a_new_epoch(redis: Redis) -> None:
    before = store(HOUR, {"1": "a"}, 1)
    redis.flushall()
    after = store(HOUR, {"1": "a"}, 1)
    assert after.epoch not in ("", before.epoch)
    assert (after.version, after.changed) == (1, ["1"])


def test_a_script_that_redis_forgot_is_loaded_again(redis: Redis) -> None:
    store(HOUR, {"1": "a"}, 1)
    redis.script_flush()
    assert store(HOUR, {"1": "b"}, 1).version == 2


async def test_reading_returns_each_fragment_with_the_version_that_brought_it(redis: Redis) -> None:
    store(HOUR, {"1": "<b>a</b>", "2": "ü"}, 1)
    stored = store(HOUR, {"2": "y"}, 7)
    read = await snapshot.read(HOUR)
    assert (read.epoch, read.version, read.revision) == (stored.epoch, 2, 7)
    assert read.fragments == {"1": Fragment("<b>a</b>", 1), "2": Fragment("y", 2)}
    assert await snapshot.read_versions([HOUR]) == [(stored.epoch, 2)]


@pytest.mark.parametrize("topic", [variant(1, "1h"), Topic("room", 7)])
def test_a_topic_survives_being_written_down(topic: Topic) -> None:
    assert Topic.parse(str(topic)) == topic


def test_a_version_that_could_not_be_sent_is_not_sent_without_its_fragments(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first sending fails after storing; the same drawing again is no news, and must not look like it."""
    sent: list[dict[str, object]] = []

    def fails(coroutine: Coroutine[object, object, None]) -> None:
        coroutine.close()
        raise TimeoutError

    def keeps(coroutine: Coroutine[object, object, None]) -> None:
        [(_, message)] = coroutine.cr_frame.f_locals["messages"]  # type: ignore[attr-defined]
        sent.append(message)
        coroutine.close()

    monkeypatch.setattr(bus, "run", fails)
    with pytest.raises(TimeoutError):
        bus.publish(HOUR, {"1": "a"}, 1, 0.0, snapshot.next_turn(HOUR))
    monkeypatch.setattr(bus, "run", keeps)
    bus.publish(HOUR, {"1": "a"}, 1, 0.0, snapshot.next_turn(HOUR))
    assert sent == []
    bus.publish(HOUR, {"1": "b"}, 1, 0.0, snapshot.next_turn(HOUR))
    assert [(one["version"], one["fragments"]) for one in sent] == [(2, {"1": "b"})]
