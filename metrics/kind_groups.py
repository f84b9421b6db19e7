"""Groups of kinds, and the order in which people choose from them: widgets, sources, channels and conditions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Protocol, TypeVar


class Grouped(Protocol):
    """A kind of anything: its name, and the word of its group."""

    kind: ClassVar[str]
    group: ClassVar[str]


K = TypeVar("K", bound=Grouped)


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of one sort of kinds.

    `headings` are those of the groups in their order, by the word that a kind has as its `group`. In a group, kinds
    that are in `first` come first, in that order, and all others behind them by name.
    """

    headings: Mapping[str, str]
    first: tuple[str, ...] = ()

    def in_order(self, kinds: Iterable[K]) -> list[K]:
        """Return `kinds` in the order of the groups. Raises ValueError for a group that there is not."""
        words = list(self.headings)
        places = {name: place for place, name in enumerate(self.first)}
        return sorted(kinds, key=lambda one: (words.index(one.group), places.get(one.kind, len(places)), one.kind))

    def of(self, kinds: Iterable[K]) -> list[tuple[str, list[K]]]:
        """Return heading and kinds of each group that has any. Raises ValueError for a group that there is not."""
        groups = groupby(self.in_order(kinds), key=lambda one: one.group)
        return [(self.headings[word], list(found)) for word, found in groups]


WIDGETS = Groups(
    {
        "usual": "Most used",
        "values": "More ways to show values",
        "alerts": "Alerts and people",
        "page": "Text, pictures and time",
    },
    (
        *("number", "line", "gauge", "status", "table", "bars"),
        *("list", "progress", "history", "heatmap", "slo"),
        *("alerts", "late", "on_call", "untold"),
        *("text", "section", "image", "clock", "countdown"),
    ),
)
SOURCES = Groups(
    {
        "checks": "Checks: up or down",
        "values": "Values of other systems",
        "servers": "Machines, databases and queues",
        "programs": "Programs of your own",
    },
    (
        *("http_check", "tcp_check", "tls_certificate", "dns_check"),
        *("prometheus_scrape", "json_http", "sql", "promql"),
        *("host", "postgres", "redis", "celery", "watchfloor"),
        *("nagios_plugin", "plugin"),
    ),
)
CHANNELS = Groups({"people": "To people", "programs": "To programs"}, ("mail", "apprise", "webhook"))
CONDITIONS = Groups(
    {
        "values": "Values",
        "checks": "Checks and objectives",
        "system": "Sources, heartbeats and walls",
    },
    (
        *("threshold", "missing", "change", "compared", "unusual"),
        *("check", "slo", "certificate"),
        *("source", "heartbeat", "dark"),
    ),
)
