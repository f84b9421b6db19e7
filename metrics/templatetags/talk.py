"""Messages in templates."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from metrics import markdown
from metrics.actions.message_html import article
from metrics.actions.messages import by_emoji
from metrics.models import Message

register = template.Library()
register.filter("article", article)

NAMES_MOST = 30
BEFORE_HIT, AROUND_HIT = 80, 400
"""Characters of a message that a search shows."""


class Reacted(NamedTuple):
    """An emoji under a message: how many chose it, their names as people read them, and as the page compares them."""

    emoji: str
    times: int
    names: str
    by: str


@register.filter
def markdown_as_html(text: str) -> SafeString:
    """Return a text of ours, which is Markdown, as HTML."""
    return mark_safe(markdown.html(text))  # noqa: S308 (cleaned by nh3)


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


@register.filter
def marked(text: str, words: Sequence[str]) -> SafeString:
    """Return the part of `text` around the first of `words` in it, with all of them marked."""
    found = re.compile("|".join(re.escape(one) for one in words), re.IGNORECASE)
    first = found.search(text)
    begin = max(0, first.start() - BEFORE_HIT) if first else 0
    part = text[begin : begin + AROUND_HIT]
    pieces, end = [conditional_escape("…" if begin else "")], 0
    for hit in found.finditer(part):
        pieces += [conditional_escape(part[end : hit.start()]), format_html("<mark>{}</mark>", hit[0])]
        end = hit.end()
    rest = "…" if begin + AROUND_HIT < len(text) else ""
    return mark_safe("".join([*pieces, conditional_escape(part[end:] + rest)]))  # noqa: S308 (escaped, each part)
