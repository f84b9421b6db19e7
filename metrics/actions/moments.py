"""Moments: a dashboard as it was at a time, with the widgets that it had then."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from metrics.actions import dashboards, facts, live_queries, variables
from metrics.actions.errors import Invalid, Missing
from metrics.models import Dashboard, Revision, Widget
from metrics.times import datetime_of
from metrics.widgets.ranges import RANGES_S
from metrics.widgets.render import WidgetView, link, widget_views
from metrics.widgets.repeated import drawn
from metrics.widgets.section import raised
from metrics.widgets.variables import VariableSpec


class Moment(NamedTuple):
    """A revision of a dashboard (id) over `range`, at `at` (Unix seconds), with `chosen` values of its variables."""

    dashboard: int
    revision: int
    range: str
    at: float
    chosen: str = ""

    @property
    def query(self) -> dict[str, Any]:
        """The parameters of the address that shows it; those of variables are lists."""
        found = self._asdict()
        return found | variables.asked_as(found.pop("chosen"))


def moment(
    dashboard: Dashboard, range: str, at: float, now: float, revision: int | None = None, chosen: str = ""
) -> Moment:
    """Return the moment `at` of `dashboard`, in the revision that it had then if none is given.

    Raises Invalid for a range that there is not, or a time of the future; Missing for a revision that there is not.
    """
    if range not in RANGES_S:
        raise Invalid("range", f"range: it is one of {', '.join(RANGES_S)}.")
    if not 0 <= at <= now + 1:
        raise Invalid("at", "at: it is a time of the past, in Unix seconds.")
    return Moment(dashboard.pk, _revision(dashboard, at, revision).number, range, at, chosen)


def views(dashboard: Dashboard, moment: Moment) -> tuple[str, list[WidgetView]]:
    """Return the title and the widgets of `dashboard` as they were at `moment`. Raises Missing."""
    title, found = widgets(dashboard, moment)
    live_queries.wait(found, moment.range, moment.at, time.time())
    seen = widget_views(found, moment.range, moment.at, known=facts.on_at(dashboard.pk, moment.at, found))
    return title, [replace(view, link=link(one)) for one, view in zip(found, seen, strict=True)]


def widgets(dashboard: Dashboard, moment: Moment) -> tuple[str, Sequence[Widget]]:
    """Return the title and the widgets, not drawn, of `dashboard` as they were at `moment`. Raises Missing."""
    spec = _revision(dashboard, moment.at, moment.revision).spec
    found = [Widget(dashboard=dashboard, **dashboards.stored_widget(one).model_dump()) for one in spec["widgets"]]
    found.sort(key=lambda one: (one.y, one.x))
    choices = variables.choices(dashboard, moment.chosen, _variables(spec))
    return spec["title"], raised(drawn(found, choices))


def _variables(spec: dict[str, Any]) -> list[VariableSpec]:
    """Return the variables of a revision, which may be from before there were any."""
    return [VariableSpec.model_construct(**one) for one in spec.get("variables", [])]


def _revision(dashboard: Dashboard, at: float, number: int | None) -> Revision:
    rows = dashboard.revisions.order_by("-number")
    found = (
        rows.filter(number=number).first()
        if number is not None
        else rows.filter(at__lte=datetime_of(at)).first() or rows.last()
    )
    if found is None:
        raise Missing(f"The dashboard {dashboard.slug!r} has no revision {number}.")
    return found
