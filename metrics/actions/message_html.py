"""The HTML of a message: the same on the page of its room, as an entry of the room's log, and in its export.

It is put together here and not by a template: a room draws each message that is said, and fifty at once when it is
opened, and a template takes ten times as long over one. A template draws the parts below the texts, such as files.
"""

from datetime import datetime

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.timezone import localtime

from metrics import markdown
from metrics.models import Message

QUOTED_MOST = 160
ARTICLE = """\
<article id="m-{number}" class="message{deleted}" data-entry="{entry}" data-by="{by}" data-at="{at}"{client_id} \
data-text="{text}" tabindex="-1">
<header>{sender} <a class="when" href="{address}?around={number}#m-{number}">{moment}</a>{edited}</header>
{quoted}<div class="text" dir="auto">{html}</div>{below}{more}</article>"""
MORE = """
<button type="button" class="more" tabindex="-1" data-more aria-label="What to do with the message of {}">⋯</button>"""
PERSON = "<bdi><b>{}</b></bdi>"
BOT = '<span class="face" aria-hidden="true">{}</span> <bdi><b>{}</b></bdi> <span class="bot">bot</span>'
QUOTED = (
    '<a class="quoted" href="{address}?around={number}#m-{number}"><span class="sr">In reply to </span>'
    "<bdi><b>{sender}</b></bdi> <bdi>{text}</bdi></a>\n"
)
NOTHING = SafeString()


def article(message: Message, entry: int | None = None) -> SafeString:
    """Return `message` as HTML, as the entry of this number in its room's log; None is its newest change."""
    is_deleted, address = message.deleted_at is not None, SafeString(f"/rooms/{message.room_id}/")
    token = message.token
    return format_html(
        ARTICLE,
        number=message.number,
        deleted=" deleted" if is_deleted else NOTHING,
        entry=entry or message.changed,
        by=message.by,
        at=message.at.timestamp(),
        client_id=format_html(' data-client-id="{}"', message.client_id) if message.client_id else NOTHING,
        text=message.text,
        sender=format_html(BOT, token.face, token.name)
        if token and token.face
        else format_html(PERSON, message.sender),
        address=address,
        moment=moment_of_day(message.at),
        edited=SafeString(' <span class="edited">edited</span>') if message.edited_at and not is_deleted else NOTHING,
        quoted=_quoted(message.reply_to, address) if message.reply_to else NOTHING,
        html=SafeString("<p>This message was deleted.</p>") if is_deleted else as_html(message),
        below=_below(message),
        more=NOTHING if is_deleted else format_html(MORE, message.sender),
    )


def as_html(message: Message) -> SafeString:
    """Return the text of a message, which is Markdown, as HTML."""
    return mark_safe(markdown.html(message.text, tuple(message.mentions)))  # noqa: S308 (cleaned by nh3)


def moment_of_day(at: datetime) -> SafeString:
    """Return `at` with its day and zone, which a page hides that has the days between its messages."""
    at = localtime(at)
    zone, title = f"{at:%Z}", f"{at:%A, %-d %B %Y, %H:%M:%S %Z}"
    return SafeString(  # of times and names of zones, in which nothing has to be escaped
        f'<time datetime="{at.isoformat()}" title="{title}"><span class="date">{at:%-d %b %Y}, </span>'
        f'{at:%H:%M}<span class="date"> {zone}</span></time>'
    )


def _quoted(message: Message, address: SafeString) -> SafeString:
    text = "a deleted message" if message.deleted_at else Truncator(message.text).chars(QUOTED_MOST) or "a file"
    return format_html(QUOTED, address=address, number=message.number, sender=message.sender, text=text)


def _below(message: Message) -> SafeString:
    """Return what stands below the text: files, cards, a drawing, a moment and reactions; most messages have none."""
    below = (message.shown_attachments, message.drawing, message.cards, message.moment, message.shown_reactions)
    return render_to_string("room/_below.html", {"message": message}) if any(below) else NOTHING
