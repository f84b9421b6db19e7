"""Cards: the things of ours that a message links to, under their titles.

A message is the same for everyone in the room: a thing that some of them may not see stays a plain link.
"""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http.request import validate_host

from metrics.access.policy import is_for_all_of
from metrics.actions import places
from metrics.models import Dashboard, Message, Room, Widget
from metrics.times import datetime_of

MOST = 4
"""Of one message."""
LINK = re.compile(r"(?:https?://[^\s<>()\[\]\"']+|(?<![\w/])/(?:d|rooms|sources|heartbeats)/[^\s<>()\[\]\"']+)")
SLASHES = 3
"""In the path of a thing's own page; others lie below it."""
ID_DIGITS_MOST = 15


def cards(text: str, room: Room) -> list[dict[str, str]]:
    """Return `path`, `kind` and `title` of what `text` links to and everyone in `room` may see."""
    found = (_card(path, room) for path in dict.fromkeys(_paths(text)))
    return list(islice((one for one in found if one is not None), MOST))


def _paths(text: str) -> Iterable[str]:
    """Yield the links to pages of ours, without their host."""
    for match in LINK.findall(text)[: 4 * MOST]:
        try:
            parts = urlsplit(match.rstrip(".,;:!?"))
            ours = not parts.netloc or _is_ours(parts.scheme, parts.netloc, parts.hostname or "")
        except ValueError:  # not an address at all
            continue
        if ours and places.is_ours(path := parts._replace(scheme="", netloc="").geturl()):
            yield path


def _is_ours(scheme: str, netloc: str, host: str) -> bool:
    return f"{scheme}://{netloc}" == settings.PUBLIC_URL.rstrip("/") or validate_host(host, settings.ALLOWED_HOSTS)


def _card(path: str, room: Room) -> dict[str, str] | None:
    parts = urlsplit(path)
    found = places.thing_at(path) if parts.path.count("/") == SLASHES else None
    if found is None or not is_for_all_of(room, found):
        return None
    if isinstance(found, Room) and (found.direct or (found.dashboard and found.dashboard.deleted_at)):
        return None
    kind, title = _title(found, parse_qs(parts.query), parts.fragment)
    return {"path": path, "kind": kind, "title": title}


def _title(found: Any, query: dict[str, list[str]], fragment: str) -> tuple[str, str]:
    kind, title = str(found._meta.verbose_name), str(found)
    if isinstance(found, Dashboard) and fragment.startswith("w-"):
        widget = Widget.objects.filter(dashboard=found, key=fragment[2:]).first()
        return ("widget", f"{title}: {widget.title}") if widget else (kind, title)
    if isinstance(found, Dashboard) and "at" in query:
        return "moment", f"{title}, {_time(query['at'][0])}"
    if isinstance(found, Room) and fragment.startswith("m-"):
        number = fragment[2:]
        if number.isdecimal() and len(number) <= ID_DIGITS_MOST:
            message = Message.objects.filter(room=found, number=number, deleted_at=None).first()
            if message is not None:
                return "message", f"{message.sender} in {title}"
    return kind, title


def _time(text: str) -> str:
    try:
        return datetime_of(float(text)).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "at no time"
