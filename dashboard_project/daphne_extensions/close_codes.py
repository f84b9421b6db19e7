"""Every close code of RFC 6455, also for who breaks the protocol; autobahn takes 1000, and 3000 to 4999, alone."""

from typing import Any


def extend(server: Any) -> None:
    server.ws_factory.setProtocolOptions(failByDrop=False)  # who breaks the protocol is told how


class Socket:
    """A socket that the application may close with 1008, 1012 and 1013 as well."""

    state: int
    STATE_OPEN: int

    def serverClose(self, code: int | None = None) -> None:
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code or 1000, isReply=False)  # type: ignore[attr-defined]
