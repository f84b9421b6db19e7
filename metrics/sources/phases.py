"""Where the time of a request goes."""

import time
from typing import Any

NAMES = {
    "connection.connect_tcp": "connect",
    "connection.start_tls": "tls",
    "http11.receive_response_headers": "first_byte",
    "http11.receive_response_body": "body",
}
"""httpcore's names of what it does (https://www.encode.io/httpcore/extensions/#trace) and ours."""


class Phases:
    """The seconds of each phase that there was, redirects added up; httpcore calls it as each begins and ends."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}
        self._began: dict[str, float] = {}

    def looked_up(self, seconds: float) -> None:
        """Count `seconds` as looking the name up, which httpcore takes for a part of connecting."""
        self._add("dns", seconds)
        self._add("connect", -seconds)

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        name, _, state = event.rpartition(".")
        if name not in NAMES:
            return
        if state == "started":
            self._began[NAMES[name]] = time.perf_counter()
        elif began := self._began.pop(NAMES[name], 0.0):
            self._add(NAMES[name], time.perf_counter() - began)

    def seconds(self) -> dict[str, float]:
        """Return what was spent so far, whatever is still going on included."""
        now = time.perf_counter()
        spent = dict(self._spent)
        for name, began in self._began.items():
            spent[name] = spent.get(name, 0.0) + now - began
        return {name: max(0.0, seconds) for name, seconds in spent.items()}

    def _add(self, name: str, seconds: float) -> None:
        self._spent[name] = self._spent.get(name, 0.0) + seconds
