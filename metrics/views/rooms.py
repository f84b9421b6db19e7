"""The page of a room, with what is said in it."""

import re
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from redis import RedisError

from metrics.access.policy import CHANGE, DELETE, SAY, check, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import commands, files, logs, mentions, reading
from metrics.actions import messages as said
from metrics.actions import rooms as actions
from metrics.actions.errors import Invalid
from metrics.live import presence
from metrics.live.topic import room as topic_of
from metrics.models import Room, Team
from metrics.redis_state import outage
from metrics.redis_state.round_trip import ask
from metrics.views.access import page
from metrics.views.refusals import beside
from metrics.views.removal import Removal, confirm

AT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
EMOJIS = ("👍", "👎", "✅", "❌", "👀", "🎉", "🙏", "😄", "😕", "😱", "🔥", "🚀", "🐛", "🔧", "⏳", "☕", "❤️", "💯")
"""The emoji that the picker offers; people may type any other."""


@require_http_methods(["GET", "HEAD", "POST"])
@page
def room(request: HttpRequest, id: int) -> HttpResponse:
    """A room; posted, a message, whose script is answered with 204.

    `before`, `after` and `around`, numbers of messages, are pages of what was said. With `messages` in the query it is
    the messages alone, for a script that has the rest of the page.
    """
    by = of_visitor(request)
    newest = logs.newest([topic_of(id)])[topic_of(id)]  # before what is shown: it may be newer, never older
    found, error, typed = actions.find(by, id), "", ""
    is_script = bool(getattr(request, "htmx", False))
    if request.method == "POST":
        typed = request.POST.get("text", "").replace(
            "\r\n", "\n"
        )  # which forms send for the one character of a line's end
        reply_to = _number(request.POST.get("reply_to", ""))
        try:
            more = {"reply_to": reply_to or 0, "files": tuple(request.POST.getlist("files")), **_moment(request)}
            commands.say(by, id, typed, request.POST.get("client_id", ""), **more)
            return HttpResponse(status=204) if is_script else redirect("room", id)
        except Invalid as problem:
            error = beside(problem.field, str(problem))
    part = {name: _number(request.GET.get(name, "")) for name in ("before", "after", "around")}
    context = conversation(by, found, newest, **part) | {"error": error, "typed": typed}
    template = "room/_panel.html" if is_script else "room/page.html"
    if "messages" in request.GET:
        template = "room/_messages.html"
    return render(request, template, context, status=422 if error else 200)


def conversation(
    by: Principal,
    room: Room,
    newest: int,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> dict[str, Any]:
    """Return what `room/_room.html` shows: the newest messages, or those before, after or around one of them.

    `newest` is the number of an entry of the room's log, read before `room`; what comes after it is sent to the page.
    """
    is_past = not before is after is around is None
    read = reading.number_read(by.pk, room.pk) if by.kind == "user" and by.pk else None
    if around is not None:
        half = said.PAGE // 2
        shown = said.part(room, around + 1, half) + said.part(room, most=half, after=around)
    else:
        shown = said.part(room, before, after=after)
    return {
        "room": room,
        "title": actions.title_for(by, room),
        "shown": shown,
        "newest": newest,
        "unread": reading.first_unread(by, room.pk, read) if read is not None else None,
        "older": shown[0].number if shown and shown[0].ordinal > 1 else None,
        "newer": shown[-1].number if shown and is_past else None,
        "is_past": is_past,
        "me": by.name,
        "my_teams": list(Team.objects.filter(pk__in=by.teams or ()).values_list("name", flat=True)),
        "may_say": may(by, SAY, room),
        "may_moderate": may(by, CHANGE, room),
        "may_delete": may(by, DELETE, room) and room.owner is room,
        "emojis": EMOJIS,
        "commands": commands.listed(by, room),
        "text_most": said.TEXT_MOST,
        "file_most": settings.FILE_LIMIT_BYTES,
        "files_most": files.MOST,
    }


@require_safe
@page
def people(request: HttpRequest, id: int) -> JsonResponse:
    """The people and teams that may be mentioned in a room and whose names begin with `q`."""
    return JsonResponse({"people": mentions.suggested(of_visitor(request), id, request.GET.get("q", ""))})


@require_safe
@page
def here(request: HttpRequest, id: int) -> HttpResponse:
    """All who are in a room just now, by name."""
    found = actions.find(of_visitor(request), id)
    try:
        context: dict[str, Any] = {"names": ask(presence.here(topic_of(id), time.time())).names}
    except RedisError as error:
        context = {"problem": outage.words(error)}
    return render(request, "room/here.html", {"room": found, **context})


def _moment(request: HttpRequest) -> dict[str, Any]:
    """Return the moment of the dashboard that was beside a form: its `range`, and its `at` if it was in the past.

    `chosen` are the values of its variables.
    """
    at, found = request.POST.get("at", ""), {name: request.POST.get(name, "") for name in ("range", "chosen")}
    return {**found, "at": float(at) if AT.fullmatch(at) else None}


def _number(text: str) -> int | None:
    """Return the number of a message that came in a request, None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a room."""
    by = of_visitor(request)
    found = actions.find(by, id)
    check(by, DELETE, found)
    count, listed = found.messages.count(), reverse("rooms")
    many = f": {count} message{'' if count == 1 else 's'}" if count else ""
    way = [
        ("Rooms", listed),
        (found.title, reverse("room", args=[id])),
        ("Settings", reverse("room-settings", args=[id])),
    ]
    done = f"The room {found.title} was removed."
    removal = Removal(found.title, f"Its messages are removed with it{many}.", way, listed, done)
    return confirm(request, removal, lambda: actions.delete(by, id))
