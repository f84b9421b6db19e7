"""A cache of facts that renders need: each process keeps them until they change, so most renders cost no query."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from redis import RedisError

from metrics.health import store as health

T = TypeVar("T")
KEYS_MOST = 100


class FactCache(Generic[T]):
    """A cache of answers by key. It keeps one for `kept_s`, and no longer than until a change of `fact` is counted."""

    def __init__(self, fact: str, kept_s: float, keys_most: int = KEYS_MOST) -> None:
        self._fact, self._kept_s, self._keys_most = fact, kept_s, keys_most
        self._lock = Lock()  # threads that begin together need not all read the same
        self._answers: dict[Hashable, tuple[float, int, T]] = {}

    def get(self, moment: float, read: Callable[[], T], key: Hashable = None) -> T:
        """Return the cached answer of `key`, else that of `read`. A moment is in seconds by the caller's clock.

        An answer for an earlier moment than that of the cached one is not cached.
        """
        try:
            number = health.number_of(self._fact)  # read before it is: what changes meanwhile counts as a change
        except RedisError:
            return read()
        with self._lock:
            if key in self._answers:
                read_at, of, found = self._answers[key]
                if of == number and 0 <= moment - read_at < self._kept_s:
                    return found
                if of == number and moment < read_at:
                    return read()
            self._drop(moment, number)
            found = read()
            self._answers[key] = moment, number, found
            return found

    def _drop(self, moment: float, number: int) -> None:
        """Drop answers that are past their time, and the oldest ones if there is no room for one more."""
        self._answers = {
            key: answer
            for key, answer in self._answers.items()
            if answer[1] == number and moment - answer[0] < self._kept_s
        }
        while len(self._answers) >= self._keys_most:
            del self._answers[min(self._answers, key=lambda key: self._answers[key][0])]

    def forget(self) -> None:
        """Empty the cache."""
        self._answers.clear()
