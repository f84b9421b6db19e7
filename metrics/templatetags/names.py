"""Names of series in templates."""

import re

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

TAIL = 5
LONG = 12
NUMBER = re.compile(r"(?<=.)[^a-zA-Z0-9]?[0-9]{1,4}$")


@register.filter
def ends(name: str) -> SafeString:
    """Return `name` in two parts, between which `.name` in `static/css/kinds.css` cuts: names often differ at the end.

    A short one is two parts if it ends with a number, such as web-07; else it is one, and is cut at its end.
    """
    number = NUMBER.search(name)
    tail = TAIL if len(name) > LONG else len(number[0]) if number else 0
    return format_html("<span>{}</span>{}", name[: len(name) - tail], name[len(name) - tail :])
