"""Search in what was said: messages that have all the words, the newest first."""

from django.db import connection
from django.db.models import Q

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import messages, rooms
from metrics.actions.errors import Invalid, check_storable
from metrics.models import Message, Room

QUERY_MOST = 200
WORDS_MOST = 10
PAGE = 50


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


def search(by: Principal, query: str, room: int | None = None, before: int | None = None) -> list[Message]:
    """Return messages that have all words of `query`, in whatever case, in one room (id) or in all that `by` may see.

    They are at most `PAGE`, and older than the message of the id `before`. Raises Missing or Invalid.
    """
    wanted = Q(deleted_at=None)
    for word in words_of(query):
        wanted &= _has(word)
    if room is not None:
        wanted &= Q(room=rooms.find(by, room))
    else:
        wanted &= Q(room__in=visible(by, Room).order_by().values("pk"))
    if before is not None:
        wanted &= Q(pk__lt=before)
    return list(messages.shown(Message.objects.filter(wanted)).prefetch_related("room__people").order_by("-pk")[:PAGE])


def _has(word: str) -> Q:
    """Return the condition that a text has `word`; the LIKE of SQLite knows small and capital letters of ASCII only."""
    if connection.vendor == "sqlite" and not word.isascii():
        return Q(text__iregex="".join(one if one.isalnum() else f"\\{one}" for one in word))
    return Q(text__icontains=word)
