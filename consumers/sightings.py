"""Incidents that the widgets of a topic show, since which version, and viewers that acknowledged that.

The HTML of a widget names the incidents that it shows, in `data-incidents`. An acknowledgement costs a look into a
table, which is empty while all is well; what was learned is stored once a round.
"""

import re
import time

from consumers.viewer import Viewer
from metrics.actions.sightings import Seen
from metrics.live.topic import Topic
from metrics.models import Sighting

MARKED = re.compile(r'data-incidents="([\d ]+)"')
KEPT_MOST = 10_000
"""Sightings that wait to be stored while the database does not answer; more is let go."""


class Sightings:
    """Incidents (ids) with the version that first showed each, and what was `seen` and not stored yet."""

    def __init__(self) -> None:
        self._since: dict[int, int] = {}
        self._of_widget: dict[str, frozenset[int]] = {}
        self.seen: list[Seen] = []

    def begin(self) -> None:
        """Forget the versions: those of another epoch begin anew."""
        self._since.clear()
        self._of_widget.clear()

    def shown(self, key: str, text: str, version: int) -> None:
        """Note what the widget of this key shows since `version`."""
        found = frozenset(int(id) for ids in MARKED.findall(text) for id in ids.split())
        if not found and key not in self._of_widget:
            return
        self._of_widget[key] = found
        shown = frozenset().union(*self._of_widget.values())
        for gone in self._since.keys() - shown:
            del self._since[gone]
        for id in found:
            self._since.setdefault(id, version)

    def note(self, viewer: Viewer, topic: Topic) -> None:
        """Note what `viewer` shows, by the version that it acknowledged."""
        if not self._since or viewer.as_json:
            return
        new = [id for id, since in self._since.items() if since <= viewer.acked and id not in viewer.seen]
        if new:
            viewer.seen.update(new)
            kind, name = (Sighting.WALL, viewer.wall) if viewer.is_wall else (Sighting.TAB, viewer.who.holder)
            at = time.time()
            self.seen += [Seen(id, kind, name, viewer.who.name, topic.id, at) for id in new]
            del self.seen[:-KEPT_MOST]

    def take(self) -> list[Seen]:
        """Return what was seen and not stored yet."""
        found, self.seen = self.seen, []
        return found
