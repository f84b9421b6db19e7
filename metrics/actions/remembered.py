"""Facts that renders need, remembered by each process until they change: drawing costs no query most of the time."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from redis import RedisError

from metrics.health import store as health

T = TypeVar("T")
KEYS_MOST = 100


class Remembered(Generic[T]):
    """Answers for a moment by key, remembered for so long (`kept_s`), and until a change of `fact` is counted."""

    def __init__(self, fact: str, kept_s: float, keys_most: int = KEYS_MOST) -> None:
        self._fact, self._kept_s, self._keys_most = fact, kept_s, keys_most
        self._lock = Lock()  # threads that begin together need not all read the same
        self._known: dict[Hashable, tuple[float, int, T]] = {}

    def get(self, moment: float, read: Callable[[], T], key: Hashable = None) -> T:
        """Return the answer of `read`, or what is remembered by `key`. A moment is in seconds by the caller's clock.

        The answer for an earlier moment than that of what is remembered is not remembered.
        """
        try:
            number = health.number_of(self._fact)  # read before it is: what changes meanwhile counts as a change
        except RedisError:
            return read()
        with self._lock:
            if key in self._known:
                read_at, of, found = self._known[key]
                if of == number and 0 <= moment - read_at < self._kept_s:
                    return found
                if of == number and moment < read_at:
                    return read()
            self._drop(moment, number)
            found = read()
            self._known[key] = moment, number, found
            return found

    def _drop(self, moment: float, number: int) -> None:
        """Let go of what is past its time, and of the oldest if there is no room for one more."""
        self._known = {
            key: known for key, known in self._known.items() if known[1] == number and moment - known[0] < self._kept_s
        }
        while len(self._known) >= self._keys_most:
            del self._known[min(self._known, key=lambda key: self._known[key][0])]

    def forget(self) -> None:
        """Remember nothing any more."""
        self._known.clear()
