"""Drawings: charts as they are now, kept in a message: `/show 6h disk` in the room of a dashboard or an incident."""

from collections.abc import Sequence

from django.template.loader import render_to_string

from metrics.actions import alert_charts, alerts, facts, live_queries, variables
from metrics.actions.errors import Invalid
from metrics.models import Alert, Incident, Room, Widget
from metrics.times import datetime_of
from metrics.widgets.ranges import RANGES_S
from metrics.widgets.render import WidgetView, widget_views
from metrics.widgets.variables import read

COMMAND = "/show"
WIDGETS_MOST = 6
ALERTS_MOST = 4


def is_asked(text: str) -> bool:
    """Return whether `text` is the command for a drawing."""
    return text.split(maxsplit=1)[:1] == [COMMAND]


def drawing(text: str, room: Room, range: str, now: float, beside: str = "") -> str:
    """Return the HTML of what the command `text` asks for, as it is at `now` (Unix seconds).

    The first word may name a range, else it is `range`, and else that of the dashboard. The others are the title or
    the key of a widget; without them it is the whole of a small dashboard. `beside` are the values of variables that
    the dashboard beside it shows. Raises Invalid.
    """
    words = text.split()[1:]
    if room.incident is not None:
        return _of_alerts(room.incident, words, now)
    if room.dashboard is None:
        raise Invalid("text", f"text: {COMMAND} shows a widget in the room of a dashboard, and this room has none.")
    chosen = words.pop(0) if words and words[0] in RANGES_S else range or room.dashboard.range
    chosen = chosen if chosen in RANGES_S else room.dashboard.range
    every = variables.drawn(room.dashboard, list(room.dashboard.widgets.all()), variables.of_the_past(read(beside)))
    widgets = _widgets(every, " ".join(words).casefold())
    live_queries.wait(widgets, chosen, now, now)
    return _html(widget_views(widgets, chosen, now, known=facts.on(room.dashboard.pk, widgets, now)), chosen, now)


def _of_alerts(incident: Incident, words: list[str], now: float) -> str:
    """Return the charts of the worst alerts of an incident, or of those that are named, each for those of its rule."""
    chosen = words.pop(0) if words and words[0] in RANGES_S else ""
    named = " ".join(words).casefold()
    rows = Alert.objects.filter(incident=incident).select_related("rule")
    worst = rows.order_by(alerts.WORST_FIRST, alerts.MOST_SEVERE_FIRST, "-since_ms", "pk")[: alerts.LISTED_MOST]
    found = [one for one in worst if named in str(one).casefold()]
    if not found:
        raise Invalid(
            "text", f"text: no alert of this incident is called {named!r}." if named else "text: it has no alerts."
        )
    range = chosen or alert_charts.range_of(found[0], now)
    views = [alert_charts.view(one, range, now) for one in found[:ALERTS_MOST]]
    drawn = [one for one in views if one is not None]
    if not drawn:
        raise Invalid("text", "text: the alerts of this incident have no series that could be drawn.")
    return _html(drawn, range, now)


def _html(views: Sequence[WidgetView], range: str, now: float) -> str:
    return render_to_string("room/_drawing.html", {"widgets": views, "range": range, "at": datetime_of(now)}).strip()


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
