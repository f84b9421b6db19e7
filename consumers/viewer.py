"""A viewer: one open socket as the hub knows it."""

import secrets
import time
from collections.abc import Mapping

from consumers.access import Decision
from consumers.holders import Credential
from consumers.outlet import Outlet
from metrics.actions.alert_list import Asked, listed
from metrics.actions.sightings import WALL_NAME


class Viewer:
    """One viewer: the user, how to reach them, and the versions that they were sent and have acknowledged.

    `as_json` says that it is a program, `personal` that it is a tab, which also shows what is for its person alone. A
    tab that a link opened is nobody's, and says `tab=1`. All else `is_wall`.
    `acked_bytes` is what the stream's frames came to at the acknowledged version; what came since is owed.
    `alerts` is the number of changes of alerts that it was told. `list` is the part of the list of alerts that its page
    shows, None for another page, and `listed` the number of changes that are in what it shows of it, as far as known.
    `seen` are the incidents (ids) that it showed; `wall` is what its browser calls itself.
    `joined` is a monotonic time, `joined_at` the same moment in Unix seconds.
    `waiting_since` and `behind_since` are monotonic times, None while nothing is owed or missed.
    """

    __slots__ = (
        "acked",
        "acked_bytes",
        "alerts",
        "as_json",
        "behind_longest_s",
        "behind_since",
        "conflated",
        "credential",
        "is_wall",
        "joined",
        "joined_at",
        "list",
        "listed",
        "outlet",
        "personal",
        "seen",
        "sent",
        "waiting_since",
        "wall",
        "who",
    )

    def __init__(
        self, outlet: Outlet, credential: Credential, who: Decision, *, asked: Mapping[str, str] | None = None
    ) -> None:
        asked = asked or {}
        self.as_json = asked.get("format") == "json"
        self.personal = asked.get("personal") == "1" and not self.as_json
        self.is_wall = not (self.personal or self.as_json or asked.get("tab") == "1")
        self.outlet = outlet
        self.credential = credential
        self.who = who
        self.joined_at = time.time()
        self.joined = time.monotonic()
        self.conflated = 0
        self.alerts: int | None = None
        self.list = Asked.of(asked) if self.personal and asked.get("list") == "alerts" else None
        self.listed = listed(who.by, asked.get("listed", "")) if self.list is not None else None
        self.seen: set[int] = set()
        called = asked.get("viewer", "")
        self.wall = called if WALL_NAME.fullmatch(called) else secrets.token_hex(8)
        self.behind_longest_s = 0.0
        self.begin(0, 0)

    def begin(self, version: int, stream_bytes: int) -> None:
        """Count from `version`, which the page shows, at `stream_bytes` of its stream: nothing is owed."""
        self.sent = self.acked = version
        self.acked_bytes = stream_bytes
        self.behind_since: float | None = None
        self.waiting_since: float | None = None

    def miss(self, now: float) -> None:
        """Note that a frame was not sent, at the monotonic time `now`."""
        self.conflated += 1
        if self.behind_since is None:
            self.behind_since = now

    def recover(self, now: float) -> None:
        """Note that all was acknowledged, at the monotonic time `now`."""
        if self.behind_since is not None:
            self.behind_longest_s = max(self.behind_longest_s, now - self.behind_since)
            self.behind_since = None
