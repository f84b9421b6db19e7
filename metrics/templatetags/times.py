"""Times in templates: never without their zone, and with what machines read."""

from datetime import datetime

from django import template
from django.utils.dateformat import format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter(expects_localtime=True)
def moment(at: datetime | None, how: str) -> SafeString | str:
    """Return `at` as `how` says in the letters of Django's `date`, and its zone; an empty text for None."""
    return (
        format_html('<time datetime="{}">{} {}</time>', at.isoformat(), format(at, how), format(at, "T")) if at else ""
    )
