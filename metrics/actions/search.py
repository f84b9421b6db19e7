"""Search in what was said: messages that have all the words, the newest first."""

from typing import NamedTuple

from django.db import connection
from django.db.models import Max, Min, Q

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import messages, rooms
from metrics.actions.errors import Invalid, check_storable
from metrics.models import Message, Room

QUERY_MOST = 200
WORDS_MOST = 10
PAGE = 50
SCANNED_MOST, SCANNED_AT_ONCE = 100_000, 10_000


def words_of(query: str) -> list[str]:
    """Return the words that are looked for. Raises Invalid."""
    check_storable(query, "q")
    if len(query) > QUERY_MOST:
        raise Invalid("q", f"q: a search has at most {QUERY_MOST} characters.")
    found = list(dict.fromkeys(query.split()))
    if not found:
        raise Invalid("q", "q: say what to look for.")
    if len(found) > WORDS_MOST:
        raise Invalid("q", f"q: a search has at most {WORDS_MOST} words.")
    return found


class Found(NamedTuple):
    """Messages that were found; `older` continues the search, None if nothing older is there to look through."""

    messages: list[Message]
    older: int | None


def search(by: Principal, query: str, room: int | None = None, before: int | None = None) -> Found:
    """Return messages that have all words of `query`, in whatever case, in one room (id) or in all that `by` may see.

    They are at most `PAGE`. `before` is the `older` of what was found before. One search looks through `SCANNED_MOST`
    messages at most, and each statement through `SCANNED_AT_ONCE`. Raises Missing or Invalid.
    """
    words, rows = words_of(query), Message.objects.filter(deleted_at=None)
    if room is not None:
        rows, order = rows.filter(room=rooms.find(by, room)), "number"
    else:
        rows, order = rows.filter(room__in=list(visible(by, Room).order_by().values_list("pk", flat=True))), "pk"
    bounds = rows.aggregate(first=Min(order), last=Max(order))
    end = bounds["last"] + 1 if bounds["last"] is not None else 0
    first, upper = bounds["first"] or 0, min(end, before) if before is not None else end
    stop, found = max(first, upper - SCANNED_MOST), list[int]()
    for word in words:
        rows = rows.filter(_has(word))
    while upper > stop and len(found) < PAGE:
        lower = max(stop, upper - SCANNED_AT_ONCE)
        part = rows.filter(**{f"{order}__gte": lower, f"{order}__lt": upper}).order_by(f"-{order}")
        keys = list(part.values_list("pk", order)[: PAGE - len(found)])
        found += [pk for pk, _ in keys]
        upper = keys[-1][1] if len(found) == PAGE else lower
    shown = messages.shown(Message.objects.filter(pk__in=found)).prefetch_related("room__people")
    return Found(list(shown.order_by("-pk")), upper if upper > first else None)


def _has(word: str) -> Q:
    """Return the condition that a text has `word`; the LIKE of SQLite knows small and capital letters of ASCII only."""
    if connection.vendor == "sqlite" and not word.isascii():
        return Q(text__iregex="".join(one if one.isalnum() else f"\\{one}" for one in word))
    return Q(text__icontains=word)
