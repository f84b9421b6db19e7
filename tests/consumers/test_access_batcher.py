"""Questions of access that are answered together."""

import asyncio
from collections.abc import Iterable

import pytest

from consumers import access_batcher as module
from consumers.access import Decision, Question
from consumers.access_batcher import HEARINGS, QUESTIONS_EACH, AccessBatcher
from consumers.holders import Credential


class Court:
    """Answers when it is told to, and keeps what it was asked, trip by trip."""

    def __init__(self) -> None:
        self.trips: list[set[Question]] = []
        self.opens = asyncio.Event()
        self.error: Exception | None = None

    async def judge(self, questions: Iterable[Question]) -> dict[Question, Decision]:
        self.trips.append(set(questions))
        await self.opens.wait()
        if self.error:
            raise self.error
        return {question: Decision(None, name=question[0].session) for question in questions}


@pytest.fixture
def court(monkeypatch: pytest.MonkeyPatch) -> Court:
    made = Court()
    monkeypatch.setattr(module, "judge", made.judge)
    return made


def question(name: str) -> Question:
    return Question(Credential(name, ""), "dashboard", "slug")


async def ask(batcher: AccessBatcher, *names: str) -> list["asyncio.Task[Decision]"]:
    asked = [asyncio.create_task(batcher.judge(question(name))) for name in names]
    for _ in range(2):  # the questions wait after the first round of the loop, and their hearings after the second
        await asyncio.sleep(0)
    return asked


async def test_equal_questions_that_wait_are_one(court: Court) -> None:
    batcher = AccessBatcher()
    busy = await ask(batcher, *(f"before {number}" for number in range(HEARINGS)))
    asked = await ask(batcher, *["ada"] * 500, "bob")
    court.opens.set()
    assert [decision.name for decision in await asyncio.gather(*busy, *asked)][-2:] == ["ada", "bob"]
    assert court.trips[-1] == {question("ada"), question("bob")}


async def test_an_answer_is_never_older_than_its_question(court: Court) -> None:
    batcher = AccessBatcher()
    first = await ask(batcher, "ada")
    second = await ask(batcher, "ada")
    court.opens.set()
    await asyncio.gather(*first, *second)
    assert court.trips == [{question("ada")}] * 2


async def test_one_hearing_does_not_take_everything(court: Court) -> None:
    asked = await ask(AccessBatcher(), *(str(number) for number in range(4 * QUESTIONS_EACH)))
    court.opens.set()
    await asyncio.gather(*asked)
    assert max(len(trip) for trip in court.trips) == QUESTIONS_EACH


async def test_who_gives_up_takes_nobody_along(court: Court) -> None:
    batcher = AccessBatcher()
    busy = await ask(batcher, *(f"before {number}" for number in range(HEARINGS)))
    gone, stays = await ask(batcher, "ada", "ada")
    gone.cancel()
    court.opens.set()
    assert (await stays).name == "ada"
    await asyncio.gather(*busy)


async def test_an_error_reaches_everyone_who_asked_and_nobody_else(court: Court) -> None:
    batcher = AccessBatcher()
    court.error = RuntimeError("no database")
    asked = await ask(batcher, "ada", "bob")
    court.opens.set()
    assert [str(one) for one in await asyncio.gather(*asked, return_exceptions=True)] == ["no database"] * 2
    court.error = None
    assert (await batcher.judge(question("ada"))).name == "ada"
