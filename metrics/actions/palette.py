"""Finding anything by its name: dashboards, pages, sources, rooms, people, and series."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from metrics.access.policy import SEE, hidden_from, may, visible
from metrics.access.principal import Principal
from metrics.actions import dashboard_list, rooms
from metrics.actions.places import path_of
from metrics.models import Dashboard, Room, Series, Source
from metrics.series import read

MOST, PAGES_MOST = 6, 12
TEXT_MOST = 200


@dataclass(frozen=True, slots=True)
class Item:
    """Something that was found: its `title`, a `note` beside it, and the `path` it leads to.

    `searched` are further words by which it is found. A `person` has no path: who chooses them writes to them. Series
    have none either, but the `metric` and the `labels` that they have in common.
    """

    title: str
    note: str = ""
    path: str = ""
    searched: str = ""
    person: str = ""
    metric: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Items of one sort, the best first; `is_more` says that there are others."""

    title: str
    items: Sequence[Item]
    is_more: bool


def found(by: Principal, text: str, pages: Iterable[Item]) -> list[Group]:
    """Return what has all words of `text` in its name, of what `by` may see, in groups; those without any are left out.

    Without a text, these are the `pages` and the first dashboards, favourites before others.
    """
    words = text[:TEXT_MOST].casefold().split()
    groups = [
        _group("Dashboards", _dashboards(by), words),
        _group("Pages", pages, words, PAGES_MOST),
    ]
    if words:
        sources = dict(visible(by, Source).order_by("name").values_list("pk", "name"))
        groups += [
            _group("Sources", (Item(name, path=path_of(Source(pk=pk))) for pk, name in sources.items()), words),
            _group("Rooms", _rooms(by), words),
            _group("People", (Item(name, "write to them", person=name) for name in rooms.names_of_others(by)), words),
            _series(by, " ".join(words), sources),
        ]
    return [one for one in groups if one.items]


def _group(title: str, items: Iterable[Item], words: Sequence[str], most: int = MOST) -> Group:
    """Return the best of `items`: those whose title begins with the first word, then the others in their order."""
    having = [one for one in items if all(word in f"{one.title}\n{one.searched}".casefold() for word in words)]
    if words:
        having.sort(key=lambda one: not one.title.casefold().startswith(words[0]))
    return Group(title, having[:most], len(having) > most)


def _dashboards(by: Principal) -> list[Item]:
    favourites = dashboard_list.favourites_of(by)
    rows = sorted(visible(by, Dashboard).only("slug", "title", "tags"), key=lambda one: one.pk not in favourites)
    return [Item(one.title, ", ".join(one.tags), path_of(one), f"{one.slug}\n{' '.join(one.tags)}") for one in rows]


def _rooms(by: Principal) -> list[Item]:
    rows = visible(by, Room).filter(direct="").select_related("dashboard").order_by("title")
    titles = ((one, one.dashboard.title if one.dashboard else one.title) for one in rows)
    return [Item(title, "of a dashboard" if one.dashboard else "", path_of(one)) for one, title in titles]


def _series(by: Principal, text: str, sources: dict[int, str]) -> Group:
    if not may(by, SEE, Series):
        return Group("Series", [], False)
    hits, is_more = read.search(text, sources, hidden_from(by), MOST)
    items = [
        Item(
            hit.metric,
            ", ".join([*(f"{name}: {value}" for name, value in hit.labels.items()), f"{hit.series} series"]),
            metric=hit.metric,
            labels=hit.labels,
        )
        for hit in hits
    ]
    return Group("Series", items, is_more)
