"""The report of one process's viewers and what each of them shows, for the page /watching/."""

import time
from collections.abc import Iterable

from consumers.log_stream import LogStream
from consumers.stream import Stream
from consumers.viewer import Viewer
from metrics.live.watchers import ViewerStatus


def report(viewers: Iterable[tuple[Stream | LogStream, Viewer]]) -> list[ViewerStatus]:
    """Return the status of each viewer of a dashboard, walls first, so that none of these is only counted."""
    now = time.monotonic()
    found = [
        ViewerStatus(
            name=viewer.who.name,
            topic=str(stream.topic),
            version=viewer.acked,
            newest=stream.version,
            age_s=round(stream.age_s(viewer), 1),
            behind_s=round(now - viewer.behind_since, 1) if viewer.behind_since is not None else 0.0,
            behind_longest_s=round(viewer.behind_longest_s, 1),
            conflated=viewer.conflated,
            joined_at=round(viewer.joined_at, 1),
            wall=viewer.is_wall,
        )
        for stream, viewer in viewers
        if isinstance(stream, Stream)
    ]
    return sorted(found, key=lambda one: not one.wall)
