"""Places: the things that paths of this site lead to.

Workers ask, too, and have no URLs loaded. A test compares with those of the pages.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Manager, Model, Q, prefetch_related_objects

from metrics.models import Alert, Channel, Dashboard, Heartbeat, Incident, Room, Source

WATCHABLE: dict[str, type[Model]] = {"dashboard": Dashboard, "heartbeat": Heartbeat, "source": Source}
"""By their noun, as the journal has it."""
RELATED: dict[type[Model], tuple[str, ...]] = {
    Alert: ("rule__teams",),
    Channel: ("team",),
    Dashboard: ("teams",),
    Incident: ("teams",),
    Room: ("teams", "people", "dashboard__teams", "incident__teams"),
    Source: ("teams",),
}
"""Rows that the policy looks at beside the thing itself."""

_PATH = re.compile(
    r"/(?:(?P<slug>d|wall)/(?P<name>[-\w]+)"
    r"|(?P<noun>rooms|sources|heartbeats|alerts|incidents|channels)/(?P<id>\d{1,15}))/",
    re.A,
)
_OURS = re.compile(r"/(?![/\\])[^\x00-\x1f\\\x7f]*")
"""A backslash is a slash to browsers, and control characters are nothing: both could make a path another host."""
_MODELS: dict[str, type[Model]] = {
    "rooms": Room,
    "sources": Source,
    "heartbeats": Heartbeat,
    "alerts": Alert,
    "incidents": Incident,
    "channels": Channel,
}


def is_ours(path: str) -> bool:
    """Return whether `path` is a path here, be there a page or not: no browser takes it for another host's."""
    return _OURS.fullmatch(path) is not None


def path_of(thing: Model) -> str:
    """Return the path of the page of a thing that has one."""
    if isinstance(thing, Dashboard):
        return f"/d/{thing.slug}/"
    return next(f"/{name}/{thing.pk}/" for name, model in _MODELS.items() if isinstance(thing, model))


def thing_at(path: str) -> Model | None:
    """Return the thing that the page `path`, or a page below it, is about; None if there is none, or no such page."""
    found = _PATH.match(urlsplit(path).path)
    if found is None:
        return None
    if found["slug"]:
        of_slug, named_before = Q(slug=found["name"]), Q(former_slugs=found["name"])
        return ready(Dashboard.objects.filter(of_slug).first() or Dashboard.objects.filter(named_before).first())
    return ready(_MODELS[found["noun"]]._default_manager.filter(pk=found["id"]).first())


def things_at(paths: Iterable[str]) -> dict[str, Model | None]:
    """Return the things that pages are about as `thing_at` does: those with an id as one query for all of a kind."""
    found: dict[str, Model | None] = {}
    of_noun: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for path in set(paths):
        place = _PATH.match(urlsplit(path).path)
        if place is not None and place["noun"]:
            of_noun[place["noun"]][path] = int(place["id"])
        else:
            found[path] = thing_at(path)
    for noun, ids in of_noun.items():
        model = _MODELS[noun]
        rows = {one.pk: one for one in model._default_manager.filter(pk__in=set(ids.values()))}
        prefetch_related_objects(list(rows.values()), *RELATED.get(model, ()))
        found |= {path: rows.get(id) for path, id in ids.items()}
    return found


def watchable(noun: str, id: str) -> Model | None:
    """Return the thing that people may watch, be it deleted, by its noun and its id as text; None if there is none."""
    model = WATCHABLE.get(noun)
    if model is None or not (id.isascii() and id.isdigit()) or len(id) > 15:
        return None
    rows: Manager[Any] = getattr(model, "with_deleted", model._default_manager)
    return ready(rows.filter(pk=id).first())


def ready(thing: Model | None) -> Model | None:
    """Return `thing` with all that the policy looks at, so that asking for a thousand people is no more queries."""
    if thing is not None and type(thing) in RELATED:
        prefetch_related_objects([thing], *RELATED[type(thing)])
    return thing
