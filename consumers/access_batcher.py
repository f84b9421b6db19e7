"""Questions of access, answered in batches: after a restart a thousand sockets ask at once.

Most of what one costs is the trip to the database. So questions wait while a few hearings run, the next takes all
that wait, and equal questions are one. Every answer was read after its question was asked: nothing is remembered.
"""

import asyncio
from itertools import islice

from consumers.access import Decision, Question, judge

HEARINGS = 3
QUESTIONS_EACH = 50


class AccessBatcher:
    """The questions of one process."""

    def __init__(self) -> None:
        self._waiting: dict[Question, asyncio.Future[Decision]] = {}
        self._hearings: set[asyncio.Task[None]] = set()

    async def judge(self, question: Question) -> Decision:
        """Return the answer. Raises what the database raises."""
        answer = self._waiting.setdefault(question, asyncio.get_running_loop().create_future())
        if len(self._hearings) < HEARINGS:
            hearing = asyncio.create_task(self._hear())
            self._hearings.add(hearing)
            hearing.add_done_callback(self._hearings.discard)
        return await asyncio.shield(answer)  # others may wait for it, should this one be cancelled

    async def _hear(self) -> None:
        while self._waiting:
            heard = {question: self._waiting.pop(question) for question in list(islice(self._waiting, QUESTIONS_EACH))}
            try:
                decisions = await judge(heard)
            except Exception as error:
                for answer in heard.values():
                    answer.set_exception(error)
                    answer.exception()  # seen, even if all who asked are gone
            else:
                for question, answer in heard.items():
                    answer.set_result(decisions[question])
