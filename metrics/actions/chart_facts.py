"""Facts for charts outside dashboards (Explore, rules, messages), as their readers may see them."""

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import TypeVar

from metrics.access import policy
from metrics.access.policy import Teams
from metrics.access.principal import Principal
from metrics.actions import chart_annotations, chart_incidents, odd_rows, windows
from metrics.database import unavailable
from metrics.models import Team
from metrics.widgets.annotated import ALL, Noted
from metrics.widgets.facts import Facts

T = TypeVar("T")


def seen_by(by: Principal, at: float) -> Facts:
    """Return the facts of now, which is `at` (Unix seconds), that a chart shows to `by`."""
    return _on(partial(policy.seen_by, by), at)


def of_teams(teams: Iterable[Team], at: float) -> Facts:
    """Return the facts of now that a chart shows which belongs to `teams`."""
    return _on(lambda: [team.pk for team in teams], at)


def fact(name: str, read: Callable[[], T]) -> T | None:
    """Return what `read` does; None, which nobody knows, if it fails: it must not stop what else is drawn.

    That the database is away is raised.
    """
    try:
        return read()
    except Exception as error:
        if unavailable(error):
            raise
        odd_rows.failed(name, error)
        return None


def noted(teams: Teams, tags: Collection[str], at: float) -> list[Noted]:
    """Return the annotations with one of `tags`, and incidents, that charts may show now to those who see `teams`."""
    found = fact("annotations", lambda: chart_annotations.on(teams, tags, at)) or []
    return [*found, *(fact("incidents", lambda: chart_incidents.on(teams, tags, at)) or [])]


def noted_at(teams: Teams, tags: Collection[str], at: float) -> list[Noted]:
    """Return those that charts of a time of the past may show."""
    found = fact("annotations", lambda: chart_annotations.on_at(teams, tags, at)) or []
    return [*found, *(fact("incidents", lambda: chart_incidents.on_at(teams, tags, at)) or [])]


def _on(teams: Teams, at: float) -> Facts:
    return Facts(
        maintenance=fact("maintenance", lambda: windows.on(teams, at)) or (),
        annotations=noted(teams, {ALL}, at),
    )
