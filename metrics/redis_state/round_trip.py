"""Commands of several modules that go to Redis in one round trip, each module reading its own answers."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from metrics.redis_state.connection import async_client, client

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Commands(Generic[T]):
    """Commands, each as Redis takes it, and `parse`, which makes a result of their answers.

    `await` sends them alone, `gather` with others; without an event loop these are `ask` and `ask_all`. They
    raise redis.RedisError when Redis does not answer: then `parse` is not called.
    """

    commands: Sequence[tuple[Any, ...]]
    parse: Callable[[list[Any]], T]

    def __await__(self) -> Generator[Any, None, T]:
        (found,) = yield from gather(self).__await__()
        return cast(T, found)


async def gather(*several: Commands[Any]) -> list[Any]:
    """Send them all at once; return the result of each."""
    pipe = async_client().pipeline(transaction=False)
    _queue(pipe, several)
    return _parsed(several, await pipe.execute())


def ask(commands: Commands[T]) -> T:
    """Send them; return their result."""
    if len(commands.commands) == 1:  # a pipeline of one costs more than the command
        return commands.parse([cast(Any, client()).execute_command(*commands.commands[0])])
    return cast(T, ask_all(commands)[0])


def ask_all(*several: Commands[Any]) -> list[Any]:
    """Send them all at once, without an event loop; return the result of each."""
    pipe = client().pipeline(transaction=False)
    _queue(pipe, several)
    return _parsed(several, pipe.execute())


def _queue(pipe: Any, several: Sequence[Commands[Any]]) -> None:
    for one in several:
        for command in one.commands:
            pipe.execute_command(*command)


def _parsed(several: Sequence[Commands[Any]], answers: list[Any]) -> list[Any]:
    results, begin = [], 0
    for one in several:
        end = begin + len(one.commands)
        results.append(one.parse(answers[begin:end]))
        begin = end
    return results
