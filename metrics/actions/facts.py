"""Facts that widgets show besides series, limited to those that every viewer of a dashboard may see."""

from collections.abc import Iterable, Sequence
from functools import cache, partial

from metrics.access import policy
from metrics.access.policy import visible
from metrics.access.principal import SYSTEM, Principal, of_dashboard
from metrics.actions import bad_alerts, chart_facts, on_call, on_call_past, schedules, untold, windows
from metrics.actions.chart_facts import fact
from metrics.actions.fact_cache import FactCache
from metrics.actions.on_call import full_name
from metrics.models import Channel, Schedule, Silence, Widget
from metrics.times import datetime_of, seconds_of
from metrics.widgets.annotated import ALL
from metrics.widgets.facts import Facts, annotations_of, needed
from metrics.widgets.on_call import Duty
from metrics.widgets.untold import Quiet

AHEAD_S = 60 * 86_400.0
UNTOLD_CACHED_S = 2.0
"""Reasons not to be told also come without a change that is counted, such as when a source is late."""


def on(dashboard: int | None, widgets: Sequence[Widget], at: float, editor: Principal = SYSTEM) -> Facts:
    """Return the facts of now, which is `at` (Unix seconds), that `widgets` of a dashboard (id) show.

    To an `editor`, who may be about to add some of the widgets, that is what they may see, too. Alerts and maintenance
    concern all widgets. The others are read only if there is a widget that needs them.
    """
    needs = needed(widgets)
    teams = cache(lambda: policy.teams_of(dashboard, editor))
    by = of_dashboard(dashboard, teams()) if needs & {"on_call", "untold"} else None
    duties = fact("on_call", lambda: on_call_of(by, at)) if by and "on_call" in needs else None
    quiet = fact("untold", lambda: _untold_of(by, at)) if by and "untold" in needs else None
    maintenance = fact("maintenance", lambda: windows.on(teams, at)) or ()
    tags = _tags(widgets)
    begin = _silence_begins(by, at) if by and quiet is not None else None
    ends = [
        *(one.until for one in duties or ()),
        *(one.until for one in quiet or ()),
        *(edge for one in maintenance for edge in (one.start, one.end)),
        begin,
    ]
    return Facts(
        alerts=fact("alerts", lambda: bad_alerts.on(teams)),
        on_call=duties,
        untold=quiet,
        maintenance=maintenance,
        annotations=chart_facts.noted(teams, tags, at),
        changes_at=min((end for end in ends if end is not None and end > at), default=None),
    )


def on_at(dashboard: int | None, at: float, widgets: Sequence[Widget]) -> Facts:
    """Return the facts of a time of the past. Nobody knows any more which alerts were withheld then."""
    needs = needed(widgets)
    teams = cache(partial(policy.teams_of, dashboard))
    by = of_dashboard(dashboard, teams()) if "on_call" in needs else None
    tags = _tags(widgets)
    return Facts(
        alerts=fact("alerts", lambda: bad_alerts.on_at(teams, at, widgets)),
        on_call=fact("on_call", lambda: on_call_of(by, at, is_past=True)) if by else None,
        maintenance=fact("maintenance", lambda: windows.on_at(teams, at)) or (),
        annotations=chart_facts.noted_at(teams, tags, at),
    )


def forget() -> None:
    """Remember nothing any more."""
    _untold.forget()


def _tags(widgets: Iterable[Widget]) -> frozenset[str]:
    """Return the tags of the annotations that one of `widgets` shows."""
    found = frozenset[str]().union(*(annotations_of(one.kind, one.config) for one in widgets))
    return frozenset({ALL}) if ALL in found else found


def on_call_of(by: Principal, at: float, *, is_past: bool = False) -> list[Duty]:
    """Return who is on call at a time (Unix seconds), by the schedules that `by` may see.

    Of the past it is not known where a schedule was changed later.
    """
    rows = list(schedules.listed(by))
    if not rows:
        return []
    on_duty = on_call.on_duty_of(rows, at, AHEAD_S)
    unknown = on_call_past.unknown(rows, at) if is_past else frozenset()
    return [_duty(row, on_duty[row.pk], row.pk not in unknown) for row in rows]


def _untold_of(by: Principal, at: float) -> list[Quiet]:
    """Return the same as `untold_of`, or what that was a moment ago for a dashboard of the same teams."""
    return _untold.get(at, lambda: untold_of(by, at), by.teams)


def untold_of(by: Principal, at: float) -> list[Quiet]:
    """Return all that keeps quiet at a time (Unix seconds), of what `by` may see, the oldest first.

    That a channel fails concerns the people of its team, though it is not theirs to see: it is there without a name.
    """
    found = untold.untold(by, at)
    hidden = [*untold.of_channels(Channel.objects.filter(policy.channels_that_concern(by)))]
    quiet = [
        *(_quiet(one.title, one.url, one) for one in found),
        *(_quiet("A channel", "/untold/", untold.without_words(one)) for one in hidden),
    ]
    return sorted(quiet, key=lambda one: at if one.since is None else one.since)


def _quiet(title: str, link: str, one: untold.Untold) -> Quiet:
    ends = seconds_of(one.since), seconds_of(one.until)
    return Quiet(one.kind, title, link, one.text, one.by, *ends, one.withheld, one.count)


def _duty(row: Schedule, on_duty: on_call.OnDuty, is_known: bool) -> Duty:
    return Duty(
        id=row.pk,
        schedule=row.name,
        teams=tuple(sorted(team.name for team in row.teams.all())),
        people=_names(on_duty.now) if is_known else (),
        until=on_duty.until if is_known else None,
        next=_names(on_duty.next) if is_known else (),
        problem=row.problem,
        known=is_known,
    )


def _names(shifts: Iterable[on_call.Shift]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(full_name, shifts)))


def _silence_begins(by: Principal, at: float) -> float | None:
    coming = visible(by, Silence).filter(starts_at__gt=datetime_of(at)).order_by("starts_at").first()
    return None if coming is None else seconds_of(coming.starts_at)


_untold = FactCache[list[Quiet]]("untold", UNTOLD_CACHED_S)
