"""Names of series in templates."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

TAIL = 5
LONG = 12


@register.filter
def ends(name: str) -> SafeString:
    """Return `name` in two parts, between which `.name` in `static/css/kinds.css` cuts: names often differ at the end.

    A short one is one part, and is cut at its end.
    """
    if len(name) <= LONG:
        return format_html("<span>{}</span>", name)
    return format_html("<span>{}</span>{}", name[:-TAIL], name[-TAIL:])
