"""Drawings: widgets as they are now, kept in a message: `/show 6h disk` in the room of a dashboard."""

from django.template.loader import render_to_string

from metrics.actions import bad_alerts, live_queries, variables
from metrics.actions.errors import Invalid
from metrics.models import Room, Widget
from metrics.times import datetime_of
from metrics.widgets.ranges import RANGES_S
from metrics.widgets.render import widget_views
from metrics.widgets.variables import read

COMMAND = "/show"
WIDGETS_MOST = 6


def is_asked(text: str) -> bool:
    """Return whether `text` is the command for a drawing."""
    return text.split(maxsplit=1)[:1] == [COMMAND]


def drawing(text: str, room: Room, range: str, now: float, beside: str = "") -> str:
    """Return the HTML of what the command `text` asks for, as it is at `now` (Unix seconds).

    The first word may name a range, else it is `range`, and else that of the dashboard. The others are the title or
    the key of a widget; without them it is the whole of a small dashboard. `beside` are the values of variables that
    the dashboard beside it shows. Raises Invalid.
    """
    if room.dashboard is None:
        raise Invalid("text", f"text: {COMMAND} shows a widget in the room of a dashboard, and this room has none.")
    words = text.split()[1:]
    chosen = words.pop(0) if words and words[0] in RANGES_S else range or room.dashboard.range
    chosen = chosen if chosen in RANGES_S else room.dashboard.range
    every = variables.drawn(room.dashboard, list(room.dashboard.widgets.all()), variables.of_the_past(read(beside)))
    widgets = _widgets(every, " ".join(words).casefold())
    live_queries.wait(widgets, chosen, now, now)
    views = widget_views(widgets, chosen, now, bad=bad_alerts.on(room.dashboard.pk))
    return render_to_string("room/_drawing.html", {"widgets": views, "range": chosen, "at": datetime_of(now)}).strip()


def _widgets(every: list[Widget], named: str) -> list[Widget]:
    if not every:
        raise Invalid("text", "text: this dashboard has no widgets.")
    if not named:
        if len(every) > WIDGETS_MOST:
            raise Invalid(
                "text", f"text: say which of {len(every)} widgets, by its title: {COMMAND} 6h {every[0].title}"
            )
        return every
    exact = [one for one in every if named in (one.key, one.title.casefold())]
    found = exact or [one for one in every if named in one.title.casefold()]
    if not found:
        titles = ", ".join(one.title for one in every[:20])
        raise Invalid("text", f"text: there is no widget {named!r} here; there are {titles}.")
    return found[:1]
