"""Facts besides series, as the people who may see a dashboard may know them: rendered once, they are shown to all."""

from collections.abc import Iterable, Sequence

from metrics.access import policy
from metrics.access.policy import visible
from metrics.access.principal import Principal, of_dashboard
from metrics.actions import bad_alerts, on_call, schedules, untold, windows
from metrics.actions.on_call import full_name
from metrics.models import AuditEntry, Channel, Schedule, Silence, Widget
from metrics.times import datetime_of, seconds_of
from metrics.widgets.facts import Facts, needed
from metrics.widgets.on_call import Duty
from metrics.widgets.untold import Quiet

AHEAD_S = 60 * 86_400.0


def on(dashboard: int | None, widgets: Sequence[Widget], at: float) -> Facts:
    """Return the facts of now, which is `at` (Unix seconds), that `widgets` of a dashboard (id) show.

    Alerts and maintenance concern all widgets. The others are read only if there is a widget that needs them.
    """
    needs = needed(widgets)
    by = of_dashboard(dashboard, policy.teams_of(dashboard)) if needs & {"on_call", "untold"} else None
    duties = on_call_of(by, at) if by and "on_call" in needs else None
    quiet = untold_of(by, at) if by and "untold" in needs else None
    maintenance = windows.on(dashboard, at)
    begin = _silence_begins(by, at) if by and quiet is not None else None
    ends = [
        *(one.until for one in duties or ()),
        *(one.until for one in quiet or ()),
        *(edge for one in maintenance for edge in (one.start, one.end)),
        begin,
    ]
    return Facts(
        alerts=bad_alerts.on(dashboard),
        on_call=duties,
        untold=quiet,
        maintenance=maintenance,
        changes_at=min((end for end in ends if end is not None and end > at), default=None),
    )


def on_at(dashboard: int | None, at: float, widgets: Sequence[Widget]) -> Facts:
    """Return the facts of a time of the past. What kept quiet then, nobody knows any more."""
    needs = needed(widgets)
    by = of_dashboard(dashboard, policy.teams_of(dashboard)) if "on_call" in needs else None
    return Facts(
        alerts=bad_alerts.on_at(dashboard, at, widgets),
        on_call=on_call_of(by, at, is_past=True) if by else None,
        maintenance=windows.on_at(dashboard, at),
    )


def on_call_of(by: Principal, at: float, *, is_past: bool = False) -> list[Duty]:
    """Return who is on call at a time (Unix seconds), by the schedules that `by` may see.

    Of the past it is not known where a schedule was changed later.
    """
    rows = list(schedules.listed(by))
    if not rows:
        return []
    shifts = on_call.shifts(rows, at, at + AHEAD_S)
    changed = _changed(rows, at) if is_past else frozenset()
    return [_duty(row, on_call.standing(shifts[row.pk], at), row.pk not in changed) for row in rows]


def untold_of(by: Principal, at: float) -> list[Quiet]:
    """Return all that keeps quiet at a time (Unix seconds), of what `by` may see, the oldest first.

    That a channel fails concerns the people of its team, though it is not theirs to see: it is there without a name.
    """
    found = untold.untold(by, at)
    hidden = [*untold.of_channels(Channel.objects.filter(policy.channels_that_concern(by)))]
    quiet = [
        *(_quiet(one.kind, one.title, one.url, one) for one in found),
        *(_quiet(one.kind, "A channel", "/untold/", untold.without_words(one)) for one in hidden),
    ]
    return sorted(quiet, key=lambda one: at if one.since is None else one.since)


def _quiet(kind: str, title: str, link: str, one: untold.Untold) -> Quiet:
    return Quiet(kind, title, link, one.text, one.by, seconds_of(one.since), seconds_of(one.until), one.withheld)


def _duty(row: Schedule, standing: on_call.Standing, is_known: bool) -> Duty:
    return Duty(
        id=row.pk,
        schedule=row.name,
        teams=tuple(sorted(team.name for team in row.teams.all())),
        people=_names(standing.now) if is_known else (),
        until=standing.until if is_known else None,
        next=_names(standing.next) if is_known else (),
        problem=row.problem,
        known=is_known,
    )


def _names(shifts: Iterable[on_call.Shift]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(full_name, shifts)))


def _changed(rows: Iterable[Schedule], at: float) -> frozenset[int]:
    """Return the ids of the schedules that were changed after a time."""
    entries = AuditEntry.objects.filter(
        noun="schedule", thing__in=[str(row.pk) for row in rows], at__gt=datetime_of(at)
    )
    things = entries.filter(verb__in=("create", "change")).values_list("thing", flat=True)
    return frozenset(int(thing) for thing in things)


def _silence_begins(by: Principal, at: float) -> float | None:
    coming = visible(by, Silence).filter(starts_at__gt=datetime_of(at)).order_by("starts_at").first()
    return None if coming is None else seconds_of(coming.starts_at)
