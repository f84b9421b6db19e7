"""Maintenance: windows of time in which alerts that match are withheld."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from metrics.access.policy import CHANGE, CREATE, DELETE, check, check_muted, visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import alert_changes, feeds, journal, locks, silences, teams, withholding
from metrics.actions.errors import Errors, Invalid, Missing, check_storable
from metrics.alerts import calendars, matchers
from metrics.alerts.calendars import BadCalendar
from metrics.alerts.matchers import Matcher
from metrics.models import Maintenance, MaintenanceSpan
from metrics.times import YEARS, datetime_of, seconds_of
from metrics.zones import known, zone_of

AHEAD = timedelta(days=92)
"""How far ahead windows are known."""
SPANS_MOST = 1000
LASTS_MOST_S = 31 * 86_400
REPEAT_MOST = 300
START = "%Y-%m-%dT%H:%M"
"""The form of `start`: in order as texts, too."""
KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Window:
    """When a maintenance is: from `start`, a local time of `time_zone`, for `lasts_s`, again by the rule `repeat`.

    Or by the calendar at `url`; None keeps the one that there is.
    """

    time_zone: str = "UTC"
    start: datetime | None = None
    lasts_s: int = 0
    repeat: str = ""
    url: str | None = ""


def create(
    by: Principal, given: Sequence[Matcher], window: Window, comment: str, access: Access | None = None
) -> Maintenance:
    """Make a maintenance of what `given` matches. Without `access` it is for everyone.

    Raises Forbidden, or Invalid with everything that is wrong.
    """
    check(by, CREATE, Maintenance)
    return _put(by, Maintenance(by=by.name), given, window, comment, True, access)


def change(
    by: Principal,
    id: int,
    given: Sequence[Matcher],
    window: Window,
    comment: str,
    enabled: bool,
    access: Access | None = None,
) -> Maintenance:
    """Change a maintenance; the windows that are over stay. Raises Missing, Forbidden and Invalid."""
    with transaction.atomic():
        row = locks.locked(find(by, id))
        check(by, CHANGE, row)
        check_muted(by, row)
        return _put(by, row, given, window, comment, enabled, access)


def delete(by: Principal, id: int) -> None:
    """Remove a maintenance with its windows. Raises Missing and Forbidden."""
    with transaction.atomic():
        row = find(by, id)
        check(by, DELETE, row)
        journal.record(by, "delete", row, before=facts(row))
        row.delete()


def find(by: Principal, id: int) -> Maintenance:
    """Return the maintenance `id`. Raises Missing, also if it is not for `by` to see."""
    found = visible(by, Maintenance).filter(pk=id).first()
    if found is None:
        raise Missing(f"There is no maintenance {id}.")
    return found


def listed(by: Principal) -> QuerySet[Maintenance]:
    """Return what `by` may see, by name, with the teams that it is for."""
    return visible(by, Maintenance).prefetch_related("teams")


def spans(ids: Sequence[int], start: float, end: float, most: int = SPANS_MOST) -> dict[int, list[tuple[float, float]]]:
    """Return the windows of each maintenance (ids) that touch the time from `start` to `end` (Unix seconds)."""
    rows = MaintenanceSpan.objects.filter(maintenance__in=ids, starts_at__lt=datetime_of(end))
    found: dict[int, list[tuple[float, float]]] = {id: [] for id in ids}
    for row in rows.filter(ends_at__gt=datetime_of(start)).order_by("starts_at")[: most * max(1, len(ids))]:
        found[row.maintenance_id].append((seconds_of(row.starts_at), seconds_of(row.ends_at)))
    return found


def over(
    by: Principal, named: Sequence[Mapping[str, str]], start: float, end: float
) -> list[tuple[float, float, Maintenance]]:
    """Return the windows, of what `by` may see, in which one of the series `named` was, is or will be.

    Each of `named` are the labels of a series with its name as `metric`.
    """
    rows = MaintenanceSpan.objects.filter(starts_at__lt=datetime_of(end), ends_at__gt=datetime_of(start))
    rows = rows.filter(maintenance__in=visible(by, Maintenance).order_by().values("pk"))
    found = []
    asked: dict[int, bool] = {}
    for row in rows.select_related("maintenance").order_by("starts_at")[:SPANS_MOST]:
        if row.maintenance_id not in asked:
            given = withholding.matchers_of(row.maintenance)
            asked[row.maintenance_id] = given is not None and any(matchers.match(given, labels) for labels in named)
        if asked[row.maintenance_id]:
            found.append((seconds_of(row.starts_at), seconds_of(row.ends_at), row.maintenance))
    return found


def refresh(now: float) -> int:
    """Ask for the calendars that are due, and make the windows to come anew; return how many were asked for."""
    count = 0
    for feed in feeds.due(now):
        if isinstance(feed, Maintenance):
            with feeds.guarded(feed, now):
                _take_windows(feed, now)
            count += 1
    return count


def _take_windows(feed: Maintenance, now: float) -> None:
    feeds.ask(feed, now)
    with transaction.atomic():
        if Maintenance.objects.filter(pk=feed.pk, url=feed.url).exists():  # nobody changed it meanwhile
            make_spans(feed, now)
            feed.save(update_fields=feeds.FETCHED)


def look_ahead(now: float) -> None:
    """Make the windows to come anew of all that has no calendar elsewhere, but what is single and long over."""
    over = (datetime_of(now) - timedelta(seconds=LASTS_MOST_S) - timedelta(days=2)).strftime(START)
    for row in Maintenance.objects.filter(url="").exclude(repeat="", start__lt=over):
        with feeds.guarded(row, now), transaction.atomic():
            make_spans(row, now)


def make_spans(row: Maintenance, now: float) -> None:
    """Make the windows of `row` that are not over anew; one that is left out from now on ends now."""
    end = now + AHEAD.total_seconds()
    try:
        found = calendars.merged(feeds.occurring(row, now, end).events) if row.enabled else []
    except BadCalendar:
        return  # what was known stays
    moment = datetime_of(now)
    known = list(MaintenanceSpan.objects.filter(maintenance=row, ends_at__gt=moment).order_by("starts_at"))
    running = [one for one in known if one.starts_at < moment]
    until = next((datetime_of(ends) for begins, ends in found if begins <= now), moment)
    coming = [(begins, ends) for begins, ends in found if not running or begins > now][:SPANS_MOST]
    made = [
        MaintenanceSpan(maintenance=row, starts_at=datetime_of(begins), ends_at=datetime_of(ends))
        for begins, ends in coming
    ]
    after = [*((one.starts_at, until) for one in running), *((one.starts_at, one.ends_at) for one in made)]
    if after == [(one.starts_at, one.ends_at) for one in known]:
        return  # nothing is new
    MaintenanceSpan.objects.filter(pk__in=[one.pk for one in known if one not in running]).delete()
    MaintenanceSpan.objects.filter(pk__in=[one.pk for one in running]).update(ends_at=until)
    MaintenanceSpan.objects.bulk_create(made)
    alert_changes.note("maintenance")


def forget(now: float) -> None:
    """Remove the windows that were over for `KEPT` at `now` (Unix seconds)."""
    MaintenanceSpan.objects.filter(ends_at__lt=datetime_of(now) - KEPT).delete()


def facts(row: Maintenance) -> dict[str, Any]:
    """Return what the journal keeps; of an address elsewhere only where that is, as the rest may be a key."""
    access = teams.access_of(row).model_dump() if row.pk else {}
    when = {name: getattr(row, name) for name in ("time_zone", "start", "lasts_s", "repeat", "place", "enabled")}
    return {"matchers": silences.text_of(row), "reach": row.reach, "comment": row.comment, **when, **access}


def _put(
    by: Principal,
    row: Maintenance,
    given: Sequence[Matcher],
    window: Window,
    comment: str,
    enabled: bool,
    access: Access | None,
) -> Maintenance:
    now, errors = time.time(), Errors()
    is_new = row.pk is None
    with errors:
        silences.check_matchers(given)
    with errors:
        silences.check_comment(comment)
    with errors:
        _set_window(by, row, window, now)
    before = [] if is_new else list(row.teams.all())
    owners = before
    with errors:
        owners = before if access is None else teams.owners(by, before, access)
    errors.check()
    was = None if is_new else facts(Maintenance.objects.get(pk=row.pk))
    if is_new or row.matchers != matchers.to_json(given):
        row.reach = silences.reach_of(by)  # of whoever said what is muted
    row.matchers, row.comment, row.enabled = matchers.to_json(given), comment.strip(), enabled
    if access is not None:
        row.for_everyone = access.everyone
    with transaction.atomic():
        row.save()
        row.teams.set(owners)
        make_spans(row, now)
        row.save(update_fields=["doubts"])
        journal.record(by, "create" if is_new else "change", row, was, facts(row))
    return row


def _set_window(by: Principal, row: Maintenance, window: Window, now: float) -> None:
    errors = Errors()
    check_storable([window.time_zone, window.repeat], "repeat")
    if window.time_zone not in known():
        raise Invalid("time_zone", f"time_zone: there is no time zone {window.time_zone[:50]!r}.")
    row.time_zone = window.time_zone
    if window.url or (window.url is None and row.url):
        row.start, row.lasts_s, row.repeat = "", 0, ""
        if window.url:
            feeds.set_url(by, row, window.url)
        return
    feeds.set_url(by, row, "")
    if window.start is None:
        raise Invalid("start", "start: a window has a start, or the address of a calendar.")
    if window.start.year not in YEARS:
        raise Invalid("start", "start: it has to be before the year 3000, and not before 1970.")
    if not 60 <= window.lasts_s <= LASTS_MOST_S:
        errors.found.append(("lasts", "lasts: a window has a minute to 31 days."))
    if len(window.repeat) > REPEAT_MOST:
        errors.found.append(("repeat", f"repeat: it may have at most {REPEAT_MOST} characters."))
    errors.check()
    row.start, row.lasts_s, row.repeat = window.start.strftime(START), window.lasts_s, window.repeat.strip()
    try:
        row.text = calendars.window(window.start, window.lasts_s, row.repeat, row.time_zone)
        found = calendars.occurring(row.text, zone_of(row.time_zone), now, now + 20 * 366 * 86_400)
    except BadCalendar as problem:
        raise Invalid("repeat", f"repeat: {problem}") from None
    if not found.events:
        raise Invalid("start", "start: it is over, and does not come again.")
