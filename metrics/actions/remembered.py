"""Rows that renders need, remembered by each process until alerts or maintenance change: drawing costs no query."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from redis import RedisError

from metrics.health import store as health

T = TypeVar("T")


class Remembered(Generic[T]):
    """The answer of `read` for a moment, remembered for so long (`kept_s`), and until another change is counted."""

    def __init__(self, read: Callable[[float], T], kept_s: float) -> None:
        self._read, self._kept_s = read, kept_s
        self._lock = Lock()  # threads that begin together need not all read the same
        self._known: tuple[float, int, T] | None = None

    def get(self, moment: float) -> T:
        """Return it for a moment, which is in seconds by whatever clock the caller has."""
        try:
            number = health.alerts_number()  # read before it is: what changes meanwhile counts as a change
        except RedisError:
            return self._read(moment)
        with self._lock:
            if self._known is not None:
                read_at, of, found = self._known
                if of == number and 0 <= moment - read_at < self._kept_s:
                    return found
            found = self._read(moment)
            self._known = moment, number, found
            return found

    def forget(self) -> None:
        """Remember nothing any more."""
        self._known = None
