"""Group commit: what is written together, what is not, and that nothing is left behind."""

import asyncio
import random
import threading
import time
from collections.abc import Sequence

import pytest

from metrics.api import group_commit
from metrics.api.group_commit import FullError, GroupCommit


class Writing:
    """A slow `write` that keeps the groups it was given, and how many it was given at once."""

    def __init__(self, seconds: float = 0.02) -> None:
        self.groups: list[list[int]] = []
        self.at_once_most = 0
        self._seconds, self._now, self._lock = seconds, 0, threading.Lock()

    def __call__(self, items: Sequence[int]) -> list[int]:
        with self._lock:
            self._now += 1
            self.at_once_most = max(self.at_once_most, self._now)
            self.groups.append(list(items))
        time.sleep(self._seconds)
        with self._lock:
            self._now -= 1
        return [item * 10 for item in items]


async def test_what_comes_while_it_writes_is_written_next_all_together() -> None:
    write = Writing()
    some = GroupCommit("test", write)
    first = asyncio.create_task(some.add(1))
    await asyncio.sleep(0.005)
    assert [*await asyncio.gather(first, some.add(2), some.add(3))] == [10, 20, 30]
    assert write.groups == [[1], [2, 3]]


async def test_a_group_is_full_when_it_is_heavy() -> None:
    write = Writing()
    some = GroupCommit("test", write, weigh=lambda item: item)
    items = [1, group_commit.WEIGHT_MOST, 1, 1, group_commit.WEIGHT_MOST - 1, 1]
    await asyncio.gather(*map(some.add, items))
    assert write.groups == [[1, group_commit.WEIGHT_MOST], [1, 1, group_commit.WEIGHT_MOST - 1], [1]]


async def test_one_writer_never_writes_two_groups_at_once() -> None:
    write = Writing(0.001)
    some = GroupCommit("test", write, weigh=lambda _: group_commit.WORTH_A_WRITER)
    await asyncio.gather(*map(some.add, range(50)))
    assert write.at_once_most == 1
    assert [item for group in write.groups for item in group] == list(range(50))


@pytest.mark.parametrize(("weight", "at_once"), [(1, 1), (group_commit.WORTH_A_WRITER, 2)])
async def test_a_second_writer_is_for_what_is_heavy(weight: int, at_once: int) -> None:
    write = Writing()
    some = GroupCommit("test", write, weigh=lambda _: weight, writers=2)
    waiting = []
    for item in range(20):
        waiting.append(asyncio.create_task(some.add(item)))
        await asyncio.sleep(0.001)
    assert await asyncio.gather(*waiting) == [item * 10 for item in range(20)]
    assert write.at_once_most == at_once


@pytest.mark.parametrize("writers", [1, 2])
async def test_nothing_is_left_behind_when_a_writer_ends(writers: int) -> None:
    some = GroupCommit("test", Writing(0), weigh=lambda _: group_commit.WORTH_A_WRITER, writers=writers)
    chance = random.Random(7)

    async def sender(number: int) -> int:
        for turn in range(50):
            assert await some.add(number + turn) == (number + turn) * 10
            await asyncio.sleep(chance.choice((0, 0, 0.0005)))
        return number

    async with asyncio.timeout(30):
        await asyncio.gather(*map(sender, range(8)))


async def test_one_that_is_bad_spoils_no_other() -> None:
    def write(items: Sequence[int]) -> list[int]:
        if 2 in items:
            raise ValueError("two")
        return list(items)

    some = GroupCommit("test", write)
    outcomes = await asyncio.gather(*map(some.add, [1, 2, 3]), return_exceptions=True)
    assert outcomes[0] == 1
    assert isinstance(outcomes[1], ValueError)
    assert outcomes[2] == 3


async def test_more_than_may_wait_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "WAITING_WEIGHT_MOST", 10)
    some = GroupCommit("test", Writing(), weigh=lambda _: 5)
    waiting = [asyncio.create_task(some.add(item)) for item in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(FullError):
        await some.add(3)
    assert await asyncio.gather(*waiting) == [0, 10]
    assert await some.add(4) == 40
