"""Group commit: what is written together, what is not, and that nothing is left behind."""

import asyncio
import random
import threading
from collections.abc import Iterable, Sequence

import pytest

from metrics import group_commit
from metrics.group_commit import FullError, GroupCommit

WAITS_S = 30
"""For a thread of the other side, which may have to wait for a processor."""


class Writing:
    """A `write` that keeps the groups it was given, and how many it was given at once. It can be held up."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.at_once_most = 0
        self._now, self._lock = 0, threading.Lock()
        self._began, self._goes_on = threading.Semaphore(0), threading.Event()
        self._goes_on.set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        with self._lock:
            self._now += 1
            self.at_once_most = max(self.at_once_most, self._now)
            self.groups.append(list(items))
        self._began.release()
        assert self._goes_on.wait(WAITS_S)
        with self._lock:
            self._now -= 1
        return [item * 10 for item in items]

    def hold(self) -> None:
        """Let no group be written before `release`."""
        self._goes_on.clear()

    def release(self) -> None:
        self._goes_on.set()

    async def began(self) -> None:
        """Wait until another group is being written."""
        assert await asyncio.to_thread(self._began.acquire, timeout=WAITS_S)


async def adding(some: GroupCommit[int, int], items: Iterable[int]) -> list["asyncio.Task[int]"]:
    """Add `items`; return the tasks that wait for their results."""
    waiting = [asyncio.create_task(some.add(item)) for item in items]
    await asyncio.sleep(0)
    return waiting


async def test_what_comes_while_it_writes_is_written_next_all_together() -> None:
    write = Writing()
    write.hold()
    some = GroupCommit("test", write)
    waiting = await adding(some, [1])
    await write.began()
    waiting += await adding(some, [2, 3])
    write.release()
    assert await asyncio.gather(*waiting) == [10, 20, 30]
    assert write.groups == [[1], [2, 3]]


async def test_a_group_is_full_when_it_is_heavy() -> None:
    write = Writing()
    some = GroupCommit("test", write, weigh=lambda item: item)
    items = [1, group_commit.WEIGHT_MOST, 1, 1, group_commit.WEIGHT_MOST - 1, 1]
    await asyncio.gather(*map(some.add, items))
    assert write.groups == [[1, group_commit.WEIGHT_MOST], [1, 1, group_commit.WEIGHT_MOST - 1], [1]]


async def test_one_writer_never_writes_two_groups_at_once() -> None:
    write = Writing()
    some = GroupCommit("test", write, weigh=lambda _: group_commit.WORTH_A_WRITER)
    await asyncio.gather(*map(some.add, range(50)))
    assert write.at_once_most == 1
    assert [item for group in write.groups for item in group] == list(range(50))


@pytest.mark.parametrize(
    ("weight", "at_once", "groups"),
    [(1, 1, [[0], [*range(1, 20)]]), (group_commit.WORTH_A_WRITER, 2, [[0], [*range(1, 6)]])],
)
async def test_a_second_writer_is_for_what_is_heavy(weight: int, at_once: int, groups: list[list[int]]) -> None:
    write = Writing()
    write.hold()
    some = GroupCommit("test", write, weigh=lambda _: weight, writers=2)
    waiting = await adding(some, [0])
    await write.began()
    waiting += await adding(some, range(1, 20))
    if at_once == 2:
        await write.began()
    write.release()
    assert await asyncio.gather(*waiting) == [item * 10 for item in range(20)]
    assert write.at_once_most == at_once
    assert write.groups[:2] == groups


@pytest.mark.parametrize("writers", [1, 2])
async def test_nothing_is_left_behind_when_a_writer_ends(writers: int) -> None:
    some = GroupCommit("test", Writing(), weigh=lambda _: group_commit.WORTH_A_WRITER, writers=writers)
    chance = random.Random(7)

    async def sender(number: int) -> int:
        for turn in range(50):
            assert await some.add(number + turn) == (number + turn) * 10
            for _ in range(chance.choice((1, 1, 20))):
                await asyncio.sleep(0)
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
