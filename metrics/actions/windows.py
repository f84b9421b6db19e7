"""Windows of maintenance for charts, cached by each process until maintenance changes."""

from collections.abc import Sequence

from metrics.access import policy
from metrics.access.policy import Teams
from metrics.actions import withholding
from metrics.actions.fact_cache import FactCache
from metrics.models import Maintenance, MaintenanceSpan
from metrics.times import datetime_of, seconds_of
from metrics.widgets.maintained import Maintained

BACK_S = 367 * 86_400.0
"""The longest time that a widget shows."""
AHEAD_S = 2 * 86_400.0
"""The longest time that a chart of today shows of what is to come."""
CACHED_S = 60.0
MOST = 2000
"""The newest ones; a chart of a day shows all of these even if one begins each minute."""


def on(teams: Teams, at: float) -> list[Maintained]:
    """Return the windows that charts may show now, which is `at` (Unix seconds), to those who see things of `teams`.

    That is no query most of the time.
    """
    return policy.for_readers(_cache.get(at, lambda: _read(at)), teams)


def on_at(teams: Teams, at: float) -> list[Maintained]:
    """Return the windows that charts of a time of the past may show."""
    return policy.for_readers(_read(at), teams)


def forget() -> None:
    """Remember nothing any more."""
    _cache.forget()


def _read(at: float) -> tuple[Maintained, ...]:
    rows = MaintenanceSpan.objects.filter(
        starts_at__lt=datetime_of(at + AHEAD_S),
        ends_at__gt=datetime_of(max(0.0, at - BACK_S)),
    )
    spans = list(rows.order_by("-ends_at", "-pk").values_list("maintenance_id", "starts_at", "ends_at")[:MOST])
    if not spans:
        return ()
    by_id = {one.pk: one for one in Maintenance.objects.filter(pk__in={id for id, *_ in spans})}
    given = {pk: of for pk, one in by_id.items() if (of := withholding.matchers_of(one)) is not None}
    teams = _teams([pk for pk, one in by_id.items() if not one.for_everyone])
    return tuple(
        Maintained(
            id=id,
            start=seconds_of(start),
            end=seconds_of(end),
            reason=by_id[id].comment,
            matchers=given[id],
            for_everyone=by_id[id].for_everyone,
            teams=teams.get(id, frozenset()),
        )
        for id, start, end in spans
        if id in given
    )


def _teams(ids: Sequence[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {id: set() for id in ids}
    if ids:
        through = Maintenance.teams.through._default_manager.filter(maintenance_id__in=ids)
        for id, team in through.values_list("maintenance_id", "team_id"):
            found[id].add(team)
    return {id: frozenset(teams) for id, teams in found.items()}


_cache = FactCache[tuple[Maintained, ...]]("maintenance", CACHED_S)
