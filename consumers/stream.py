"""The stream of a dashboard in this process: its newest fragments, and the viewers that they go to.

Versions decide who gets what. Fragments are gathered for `FLUSH_S` and then sent as one frame, the same bytes for
every viewer in step. A viewer is behind once it has more unacknowledged than `UNACKNOWLEDGED_BYTES` and than all
widgets twice, so that nobody falls behind when a large board is drawn anew. Then it is sent nothing until it has
acknowledged all it was sent, and then one frame with the newest fragment of each widget it missed. So what a slow
viewer costs is bounded, and it never works through a queue of old values.
"""

import asyncio
import time
from bisect import bisect_right
from typing import NamedTuple

from consumers.dashboard_frame import FORMS, NOTHING_DOWN, Pulse
from consumers.frame import Frame
from consumers.limits import UNACKNOWLEDGED_BYTES, UNACKNOWLEDGED_S
from consumers.sightings import Sightings
from consumers.viewer import Viewer
from metrics.actions.notice import Notice
from metrics.health import traffic
from metrics.health.store import Down
from metrics.live.bus import Message
from metrics.live.snapshot import Snapshot
from metrics.live.topic import Topic

FLUSH_S = 0.1
PULSE_S = 5.0
PULSE_ROUND_S = 2.5
"""The hub looks round every two seconds: one that waited for the full five would make it seven."""
VERSIONS_KEPT = 2048


class Flushed(NamedTuple):
    """A version that ended a frame: the bytes of all frames up to it, and the monotonic time it was made."""

    version: int
    bytes: int
    at: float


class Stream:
    """A topic, the newest fragment of each widget, and its viewers.

    While `fed` is False, what is current is not known: nothing is sent then, not even a pulse, so that pages
    say by themselves that they lost their connection.
    """

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.epoch = ""
        self.version = 0
        self.revision = 0
        self.layout = ""
        self.fed = False
        self.behind_s = 0.0
        self.down = NOTHING_DOWN
        self.alerts = 0
        self.viewers: set[Viewer] = set()
        self._form = FORMS[topic.kind]
        self.sightings = Sightings()
        self._versions: dict[str, int] = {}
        self._parts: dict[str, str] = {}
        self._bytes = 0
        self._history: list[Flushed] = []
        self._flushed = 0
        self._flushed_at = 0.0
        self._flushing: asyncio.TimerHandle | None = None
        self._oldest_change: float | None = None
        self._pulsed_at = 0.0
        self._notice = ""
        self._notice_is_news = self._says = False

    # --- Messages in -----------------------------------------------------------------------------------

    def take(self, message: Message) -> bool:
        """Take the fragments of the next version; False if versions are missing in between: then `load`."""
        if message["epoch"] != self.epoch or message["version"] > self.version + 1:
            return False
        if message["version"] == self.version + 1:
            for key, text in message["fragments"].items():
                self._put(key, text, message["version"])
            self.version, self.revision = message["version"], message["revision"]
            self.layout = message.get("layout", "")
            self._oldest_change = min(self._oldest_change or message["changed_at"], message["changed_at"])
            self._flush_soon()
        return True

    def load(self, snapshot: Snapshot) -> None:
        """Take over the snapshot: what is newer in it, or all of it when it has another epoch."""
        if snapshot.epoch != self.epoch:
            self._begin(snapshot.epoch)
        elif snapshot.version <= self.version:
            return
        for key, one in snapshot.fragments.items():
            if one.version > self.version:
                self._put(key, one.text, one.version)
        for key in self._versions.keys() - snapshot.fragments.keys():
            self._put(key, "", snapshot.version)
        self.version, self.revision, self.layout = snapshot.version, snapshot.revision, snapshot.layout
        self._flush_soon()

    def _begin(self, epoch: str) -> None:
        """Start over: versions of an earlier epoch mean nothing now, so every viewer is sent everything."""
        self.epoch, self.version, self._flushed, self._bytes = epoch, 0, 0, 0
        self._history.clear()
        self._versions.clear()
        self.sightings.begin()
        self._parts.clear()
        for viewer in self.viewers:
            viewer.begin(0, 0)

    def _put(self, key: str, text: str, version: int) -> None:
        """Take over the widget of this key, as `version` brought it; the text of one that was removed is empty."""
        self._versions[key] = version
        self._parts[key] = self._form.widget(key, text)
        self.sightings.shown(key, text, version)

    def notify(self, html: str, said: Notice) -> None:
        """Take over the notice, `said` and as the HTML of its element.

        Viewers in step get it with the next frame, and in every frame while it says something.
        """
        text = self._form.notice(html, said)
        self._notice_is_news |= text != self._notice
        self._notice, self._says = text, bool(said.what)

    def send_alerts(self, number: int, down: Down) -> None:
        """Take over how often alerts changed and how much is down, and send a pulse at once if that is news."""
        is_news, self.alerts, self.down = number != self.alerts, number, down
        if is_news and self.fed and self._flushing is None:
            self._flushed_at = time.monotonic()
            self._write_to_all_in_step(self._frame(self.version))
            self._notice_is_news = False

    # --- Viewers ---------------------------------------------------------------------------------------

    def join(self, viewer: Viewer, epoch: str, version: int) -> None:
        """Add a viewer whose page shows `version` of `epoch`, and send it what is newer, and a pulse."""
        known = version if epoch == self.epoch and version <= self.version else 0
        viewer.begin(known, self._bytes)
        self.viewers.add(viewer)
        self.sightings.note(viewer, self.topic)
        if self.fed:
            self._catch_up(viewer)

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)

    def acknowledge(self, viewer: Viewer, version: int) -> None:
        """Note that the page shows `version`; a viewer that was behind and has now caught up gets what it missed."""
        if not viewer.acked < version <= viewer.sent:
            return
        now = time.monotonic()
        viewer.acked = version
        viewer.acked_bytes = self._bytes_at(version)
        self.sightings.note(viewer, self.topic)
        viewer.waiting_since = None if version == viewer.sent else now
        if viewer.behind_since is not None and version == viewer.sent:
            viewer.recover(now)
            self._catch_up(viewer)

    def age_s(self, viewer: Viewer) -> float:
        """Return for how many seconds `viewer` could have had something newer than what it acknowledged."""
        newer = bisect_right(self._history, viewer.acked, key=lambda flushed: flushed.version)
        if newer == len(self._history):
            return 0.0
        return time.monotonic() - max(self._history[newer].at, viewer.joined)

    # --- Frames out ------------------------------------------------------------------------------------

    def _flush_soon(self) -> None:
        if self._flushing is None:
            wait_s = max(0.0, self._flushed_at + FLUSH_S - time.monotonic())
            self._flushing = asyncio.get_running_loop().call_later(wait_s, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        now = self._flushed_at = time.monotonic()
        before, self._flushed = self._flushed, self.version
        self.behind_s = 0.0  # what was marked before this was drawn is in it; the next round looks for more
        due, missing = self._who_is_due()
        text = self._frame(before)
        self._count(text, now)
        for viewer in missing:
            viewer.miss(now)
        traffic.conflated(len(missing))
        for viewer in due:
            if viewer.sent == before:
                viewer.sent = self.version
                if viewer.waiting_since is None:
                    viewer.waiting_since = now
                viewer.outlet.write(text)
            else:  # one that joined between two flushes has part of this already, and gets the rest
                self._send(viewer, self._frame(viewer.sent), now)
        traffic.sent(len(due), len(due) * text.size_bytes)
        if self._oldest_change is not None:
            latency_s = time.time() - self._oldest_change
            if latency_s >= 0:  # else the clock was set back meanwhile, and nobody knows
                traffic.delivered(latency_s)
            self._oldest_change = None

    def _catch_up(self, viewer: Viewer) -> None:
        now = time.monotonic()
        text = self._frame(viewer.sent, with_notice=True)  # it may have missed a change of it
        # This is all it owes now: what passed it by meanwhile it was never sent.
        viewer.acked_bytes = self._bytes - text.size_bytes
        self._send(viewer, text, now)
        traffic.sent(1, text.size_bytes)

    def pulse(self) -> None:
        """Send a pulse to every viewer in step, unless a frame brought one a moment ago and there is no news."""
        now = time.monotonic()
        if not self.fed or self._flushing is not None:
            return
        if now - self._flushed_at < PULSE_S - PULSE_ROUND_S and not self._notice_is_news:
            return
        self._flushed_at = now
        self._write_to_all_in_step(self._frame(self.version))
        self._notice_is_news = False

    def starve(self, reason: str) -> None:
        """Tell every viewer why nothing comes any more: the pulse it has, with the sentence `reason`."""
        self.fed = False
        if self._pulsed_at:
            self._write_to_all_in_step(self._form.frame([], "", self._pulse(self._pulsed_at, lost=reason)))

    def _write_to_all_in_step(self, text: Frame) -> None:
        current = [one for one in self.viewers if one.sent == self.version and one.behind_since is None]
        for viewer in current:
            viewer.outlet.write(text)
        traffic.sent(len(current), len(current) * text.size_bytes)

    def stalled(self) -> list[Viewer]:
        """Return the viewers that acknowledged nothing for `UNACKNOWLEDGED_S` while they owed an acknowledgement."""
        since = time.monotonic() - UNACKNOWLEDGED_S
        return [one for one in self.viewers if one.waiting_since is not None and one.waiting_since < since]

    def _send(self, viewer: Viewer, what: Frame, now: float) -> None:
        if viewer.sent < self.version:
            viewer.sent = self.version
            if viewer.waiting_since is None:
                viewer.waiting_since = now
        viewer.outlet.write(what)

    def _frame(self, since: int, *, with_notice: bool = False) -> Frame:
        newer = [self._parts[key] for key, version in self._versions.items() if version > since]
        said = self._notice if with_notice or self._notice_is_news or self._says else ""
        self._pulsed_at = time.time()
        return self._form.frame(newer, said, self._pulse(self._pulsed_at))

    def _pulse(self, at: float, lost: str = "") -> Pulse:
        return Pulse(
            self.epoch, self.version, at, self.revision, self.behind_s, lost, self.down, self.layout, self.alerts
        )

    # --- Credit ----------------------------------------------------------------------------------------

    def _who_is_due(self) -> tuple[list[Viewer], list[Viewer]]:
        """Return the viewers that are to get the present version now, and those that have no credit for it.

        One that is behind has none until it has caught up; one that owes nothing always has.
        """
        version, least = self.version, self._bytes - self._window()
        due: list[Viewer] = []
        missing: list[Viewer] = []
        for one in self.viewers:
            if one.sent < version:
                has_credit = one.behind_since is None and (one.acked_bytes >= least or one.acked == one.sent)
                (due if has_credit else missing).append(one)
        return due, missing

    def _window(self) -> int:
        """Return how many bytes a viewer may owe: all widgets were just sent, and may be sent once more meanwhile."""
        return max(UNACKNOWLEDGED_BYTES, 2 * sum(map(len, self._parts.values())))

    def _count(self, what: Frame, now: float) -> None:
        """Note the bytes of a frame for everyone in step."""
        self._bytes += what.size_bytes
        self._history.append(Flushed(self.version, self._bytes, now))
        if len(self._history) > 2 * VERSIONS_KEPT:
            del self._history[:VERSIONS_KEPT]

    def _bytes_at(self, version: int) -> int:
        """Return the bytes of all frames up to `version`; too little, if that was too long ago to be known."""
        at_or_before = bisect_right(self._history, version, key=lambda flushed: flushed.version)
        return self._history[at_or_before - 1].bytes if at_or_before else 0
