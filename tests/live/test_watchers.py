"""Which variants are looked at: what is renewed counts, what is not lapses."""

import pytest
from redis import Redis

from metrics.live import watchers
from metrics.live.topic import variant
from metrics.live.watchers import LAPSE_S, VIEWERS_MOST, ViewerStatus

AT = 1_795_176_000.0
HOUR, DAY = variant(1, "1h"), variant(1, "24h")

pytestmark = pytest.mark.usefixtures("redis")


def status(name: str = "ada", *, age_s: float = 0, behind_s: float = 0) -> ViewerStatus:
    return ViewerStatus(name, str(HOUR), 1, 2, age_s, behind_s, 0, 0, AT)


async def test_what_is_renewed_is_watched_and_lapses_otherwise() -> None:
    await watchers.renew("web-1", [HOUR], [], 0, AT)
    assert [watchers.watched(AT + s) for s in (0, LAPSE_S, LAPSE_S + 0.1)] == [[HOUR], [HOUR], []]


async def test_one_missed_renewal_does_no_harm() -> None:
    assert watchers.RENEW_S * 3 < LAPSE_S


async def test_what_was_renewed_before_the_clock_was_set_back_does_not_count() -> None:
    await watchers.renew("web-1", [HOUR], [status()], 1, AT + 3600)
    assert watchers.watched(AT) == []
    assert watchers.sockets(AT) == 0
    await watchers.renew("web-2", [DAY], [status()], 1, AT)
    assert [watchers.watched(AT + s) for s in (0, 3600)] == [[DAY], []]


async def test_each_process_adds_its_own() -> None:
    await watchers.renew("web-1", [HOUR], [status()], 1, AT)
    await watchers.renew("web-2", [DAY], [status(), status()], 2, AT + 1)
    assert set(watchers.watched(AT + 1)) == {HOUR, DAY}
    assert watchers.sockets(AT + 1) == 3


async def test_a_process_that_died_is_forgotten() -> None:
    await watchers.renew("web-1", [HOUR], [status()], 1, AT)
    later = AT + LAPSE_S + 1
    await watchers.renew("web-2", [DAY], [status()], 1, later)
    assert watchers.watched(later) == [DAY]
    assert watchers.sockets(later) == 1
    assert len(watchers.viewers(later)) == 1


async def test_a_process_without_viewers_watches_nothing() -> None:
    await watchers.renew("web-1", [], [], 0, AT)
    assert watchers.watched(AT) == []
    assert watchers.sockets(AT) == 0


async def test_viewers_that_are_furthest_behind_come_first() -> None:
    await watchers.renew("web-1", [HOUR], [status("fine"), status("old", age_s=3), status("behind", behind_s=9)], 3, AT)
    assert [one.name for one in watchers.viewers(AT)] == ["behind", "old", "fine"]


async def test_many_sockets_are_all_counted_but_not_all_described() -> None:
    await watchers.renew("web-1", [HOUR], [status()] * (VIEWERS_MOST + 5), VIEWERS_MOST + 5, AT)
    assert watchers.sockets(AT) == VIEWERS_MOST + 5
    assert len(watchers.viewers(AT)) == VIEWERS_MOST


async def test_nothing_is_left_in_redis_by_processes_that_came_and_went(redis: Redis) -> None:
    """Every deploy and every crash makes a process with a new name."""
    for run in range(50):
        await watchers.renew(f"web-{run}", [HOUR], [], 0, AT + run * (LAPSE_S + 1))
    assert redis.hlen("wf:sockets") < 10
