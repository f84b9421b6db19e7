"""A room as one file: Markdown to read on, or HTML that opens without a server, pictures and drawings inside."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from html import unescape
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from metrics.access.principal import Principal
from metrics.actions import files, messages, rooms
from metrics.actions.errors import Invalid
from metrics.actions.message_html import article
from metrics.models import Attachment, Message, Room

BATCH = 200
FORMATS = {"html": ".html", "markdown": ".md"}
"""The extensions of files by format."""
STYLESHEETS = ("theme", "page", "grid", "widget", "kinds", "counts", "talk", "export")

_LINK = re.compile(r'(<a\b[^<>]*? href=")/')
_PICTURE = re.compile(r'<img src="([^"<>]*)"')


@dataclass(frozen=True, slots=True)
class Export:
    """An order to export a room under its title, from a time on (it included) to another (it not), None for no bound.

    `format` is one of `FORMATS`. `origin` is the address of this installation, which links of the file begin with.
    """

    room: Room
    title: str
    format: str
    since: datetime | None
    until: datetime | None
    origin: str

    @property
    def type(self) -> str:
        """The MIME type of the file."""
        return f"text/{self.format}"

    @property
    def name(self) -> str:
        """The name of the file, with the day of today."""
        return files.clean_name(f"{self.title} {timezone.localdate():%Y-%m-%d}{FORMATS[self.format]}")

    def parts(self) -> Iterator[str]:
        """Yield the file in parts."""
        return html(self) if self.format == "html" else markdown(self)


def export(by: Principal, room: int, format: str, since: str, until: str, origin: str) -> Export:
    """Return what to export; `since` and `until` are dates or times (ISO 8601), "" for none. Raises Missing or Invalid.

    Times are in the zone of the server if they do not name one. A date as `until` is the whole of that day.
    """
    found = rooms.find(by, room)
    if format not in FORMATS:
        raise Invalid("format", f"format: it is one of {', '.join(FORMATS)}.")
    span = _time(since, "from"), _time(until, "until", ends=True)
    return Export(found, rooms.title_for(by, found), format, *span, origin)


def markdown(what: Export) -> Iterator[str]:
    """Yield `what` as Markdown, with the texts as they were written, and links to files."""
    yield f"# {what.title}\n"
    day: date | None = None
    for message in _messages(what):
        at = timezone.localtime(message.at)
        if at.date() != day:
            day = at.date()
            yield f"\n## {day:%A, %d %B %Y}\n"
        yield _as_markdown(message, at, what.origin)


def html(what: Export) -> Iterator[str]:
    """Yield `what` as an HTML document. It has no script, and asks nothing of the network."""
    context = {"what": what, "css": _css(), "at": timezone.now()}
    head, _, foot = render_to_string("room/export.html", context).partition("<!-- messages -->")
    yield head
    for message in _messages(what):
        yield from _as_html(message, what.origin)
    yield foot


def _messages(what: Export) -> Iterator[Message]:
    """Yield the messages, the oldest first, some at a time: a large room does not have to be in memory."""
    rows = messages.shown(what.room.messages.order_by("number"))
    if what.since is not None:
        rows = rows.filter(at__gte=what.since)
    if what.until is not None:
        rows = rows.filter(at__lt=what.until)
    number = 0
    while found := list(rows.filter(number__gt=number)[:BATCH]):
        yield from found
        number = found[-1].number


def _as_markdown(message: Message, at: datetime, origin: str) -> str:
    about = ["edited"] if message.edited_at and not message.deleted_at else []
    if message.reply_to is not None:
        about.append(f"in reply to {message.reply_to.sender}")
    aside = f" ({', '.join(about)})" if about else ""
    lines = [f"**{_escaped(message.sender)}**, {at:%H:%M:%S %Z}{aside}"]
    if message.deleted_at is not None:
        lines.append("*This message was deleted.*")
    elif message.drawing:
        lines.append(f"{message.text} *(a drawing, which the export as HTML has)*")
    elif message.text:
        lines.append(message.text)
    lines += [f"[{_escaped(one.name)}]({origin}{one.get_absolute_url()})" for one in message.shown_attachments]
    lines += [
        f"{emoji} {', '.join(one.sender for one in those)}" for emoji, those in messages.by_emoji(message).items()
    ]
    return "\n" + "\n\n".join(lines) + "\n"


def _as_html(message: Message, origin: str) -> Iterator[str]:
    """Yield a message as the page has it, with pictures inside, one at a time, and links that lead to `origin`.

    Tags alone are changed: what somebody wrote may look like one, and has its < escaped.
    """
    pictures = {one.get_absolute_url(): one for one in message.shown_attachments if one.width}
    made = article(message).replace(' loading="lazy"', "")  # or else it would be missing on paper
    made = _LINK.sub(lambda tag: f"{tag[1]}{origin}/", made)
    end = 0
    for source in _PICTURE.finditer(made):
        if picture := pictures.get(unescape(source[1])):
            yield made[end : source.start(1)]
            yield _data(picture)
            end = source.end(1)
    yield made[end:] + "\n"


def _data(picture: Attachment) -> str:
    return f"data:{picture.type};base64,{base64.b64encode(files.content(picture)).decode()}"


@cache
def _css() -> str:
    folder = Path(settings.BASE_DIR) / "static" / "css"
    return "\n".join((folder / f"{name}.css").read_text() for name in STYLESHEETS)


def _escaped(text: str) -> str:
    return "".join(f"\\{one}" if one in r"\`*_[]<>!" else one for one in text)


def _time(text: str, field: str, *, ends: bool = False) -> datetime | None:
    if not text:
        return None
    try:
        if day := parse_date(text):
            return timezone.make_aware(datetime.combine(day + timedelta(days=1 if ends else 0), time()))
        at = parse_datetime(text)
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise Invalid(field, f"{field}: it is a date or a time such as 2026-11-28 or 2026-11-28T09:30.")
    return at if timezone.is_aware(at) else timezone.make_aware(at)
