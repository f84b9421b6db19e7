"""Limits of what one client may send: small messages, and not too often."""

import time

MESSAGE_BYTES = 1024
MESSAGES_PER_S = 20.0
MESSAGES_AT_ONCE = 60.0


class Allowance:
    """A token bucket: `MESSAGES_AT_ONCE` at first, `MESSAGES_PER_S` from then on."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left = MESSAGES_AT_ONCE
        self._at = time.monotonic()

    def take(self) -> bool:
        """Use up one message; False if there was none left."""
        now = time.monotonic()
        self._left = min(MESSAGES_AT_ONCE, self._left + (now - self._at) * MESSAGES_PER_S) - 1
        self._at = now
        return self._left >= 0
