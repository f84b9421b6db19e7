"""Limits of what one client may send: small messages, and not too often."""

import time
from typing import Any

from django.conf import settings

MESSAGE_BYTES = 1024
MESSAGES_PER_S = 20.0
MESSAGES_AT_ONCE = 60.0
CHOICES_OF_ONE = 50
"""Choices of variables that one user or token was the first to watch, in one process; each is drawn by itself."""
CHOICES_OF_ALL = 500
"""Choices of variables that are watched, in all processes."""
LISTS_OF_ONE = 10
"""Different parts of the list of alerts that pages of one person are sent, in one process."""
LISTS_OF_ALL = 50
"""Different parts of the list of alerts that a process draws for its pages. The whole list counts for neither."""
UNACKNOWLEDGED_BYTES = 256 * 1024
"""A viewer of a dashboard that owes more, and more than twice all widgets of it, is sent nothing until it has
acknowledged all it was sent."""
UNACKNOWLEDGED_S = 30.0
"""A viewer that owes an acknowledgement for longer is sent away."""


def document(message_bytes: int) -> dict[str, Any]:
    """Return the limits as programs are told them, where a message has at most `message_bytes` characters."""
    return {
        "message_characters": message_bytes,
        "messages_per_second": int(MESSAGES_PER_S),
        "messages_at_once": int(MESSAGES_AT_ONCE),
        "sockets_of_one": settings.SOCKETS_PER_USER,
        "sockets_of_process": settings.SOCKETS_PER_PROCESS,
        "choices_of_one": CHOICES_OF_ONE,
        "choices_of_all": CHOICES_OF_ALL,
        "unacknowledged_bytes": UNACKNOWLEDGED_BYTES,
        "unacknowledged_seconds": int(UNACKNOWLEDGED_S),
    }


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

    @property
    def is_flooded(self) -> bool:
        """Whether refusals did not stop the client: that many messages came again as were allowed at once."""
        return self._left < -MESSAGES_AT_ONCE
