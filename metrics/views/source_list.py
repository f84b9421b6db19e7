"""The list of sources: which are shown, in which order, and how many stand how."""

from collections import Counter
from dataclasses import dataclass

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import source_status as statuses
from metrics.actions.source_status import SourceStatus, status_of
from metrics.models import Source
from metrics.views import humanize

FIRST = (statuses.DOWN, statuses.FAILING, statuses.LATE, statuses.WARNING)
"""States that need somebody, the worst first; the others follow by name."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many sources stand in one way."""

    status: SourceStatus
    number: int


def search(by: Principal, text: str, now: float) -> tuple[list[Source], list[Count]]:
    """Return the sources that `by` may see and that show `text` in the list, and how many of them need somebody.

    The search looks through the text of each row of the list, so that it finds every word that somebody reads there.
    """
    wanted = text.casefold()
    found = [
        (how, source)
        for source in visible(by, Source).order_by("name")
        for how in [status_of(source, now)]
        if wanted in _shown(source, how).casefold()
    ]
    found.sort(key=lambda pair: FIRST.index(pair[0]) if pair[0] in FIRST else len(FIRST))
    counted = Counter(how for how, _ in found)
    return [source for _, source in found], [Count(how, counted[how]) for how in FIRST if counted[how]]


def said(source: Source) -> str:
    """Return what was wrong with the last run of `source`, else what that said of itself."""
    return source.last_error or source.last_note


def _shown(source: Source, how: SourceStatus) -> str:
    return "\n".join([source.name, source.kind, how.word, humanize.schedule(source), said(source)])
