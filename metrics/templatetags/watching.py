"""The button with which people watch a thing."""

from typing import Any

from django import template
from django.db.models import Model

from metrics.access.principal import of_visitor
from metrics.actions import journal, watches

register = template.Library()


@register.inclusion_tag("notification/_watch.html", takes_context=True)
def watch_button(context: Any, thing: Model) -> dict[str, Any]:
    """Draw the button for `thing`, as it is for the one who looks."""
    request = context["request"]
    is_watching = watches.is_watching(of_visitor(request).pk or 0, thing)
    return {
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "noun": journal.noun_of(thing),
        "thing": thing,
        "is_watching": is_watching,
    }
