"""Messages in templates."""

from collections.abc import Sequence
from typing import NamedTuple

from django import template
from django.utils.safestring import SafeString, mark_safe

from metrics import markdown
from metrics.actions.messages import by_emoji
from metrics.models import Message

register = template.Library()

NAMES_MOST = 30


class Reacted(NamedTuple):
    """An emoji under a message: how many chose it, their names as people read them, and as the page compares them."""

    emoji: str
    times: int
    names: str
    by: str


@register.filter
def as_html(message: Message) -> SafeString:
    """Return the text of a message, which is Markdown, as HTML."""
    return mark_safe(markdown.html(message.text, tuple(message.mentions)))  # noqa: S308 (cleaned by nh3)


@register.filter
def reacted(message: Message) -> list[Reacted]:
    """Return the reactions to a message, one of each emoji."""
    return [
        Reacted(emoji, len(those), _names([one.sender for one in those]), "\n".join(one.by for one in those))
        for emoji, those in by_emoji(message).items()
    ]


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMES_MOST
    return ", ".join(names[:NAMES_MOST]) + (f" and {more} more" if more > 0 else "")
