"""Schedules of who is on call: making, changing and removing them, and overrides."""

import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Prefetch, QuerySet
from pydantic import TypeAdapter, ValidationError

from metrics.access.policy import CHANGE, CREATE, DELETE, check, visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import feeds, journal, locks, teams
from metrics.actions.errors import Conflict, Errors, Invalid, Missing, check_storable, sentences
from metrics.alerts import rotation
from metrics.alerts.rotation import ScheduleSpec
from metrics.models import Override, Schedule
from metrics.models.secret import digest_of
from metrics.times import YEARS, datetime_of
from metrics.versioned import upgraded
from metrics.zones import known, zone_of

NAME_MOST = 100
LONGEST_S = 400 * 86_400.0
KEPT = timedelta(days=400)
OVERRIDES_MOST = 500

Published = tuple[str, str, float, float]
"""A shift by a calendar elsewhere: name, mail, start and end (Unix seconds)."""
_PUBLISHED = TypeAdapter(list[Published])


def create(by: Principal, document: Mapping[str, Any], access: Access | None = None) -> Schedule:
    """Make a schedule: `name`, `time_zone`, and `layers` and `holidays` as `ScheduleSpec` has them, or `url`.

    Raises Forbidden, or Invalid with everything that is wrong.
    """
    check(by, CREATE, Schedule)
    return _put(by, Schedule(), document, access or Access())


def change(
    by: Principal, id: int, document: Mapping[str, Any], access: Access | None = None, seen: int | None = None
) -> Schedule:
    """Replace the fields that `document` has. Raises Missing, Forbidden, Invalid and Conflict.

    `seen` is the revision that this is based on.
    """
    with transaction.atomic():
        row = locks.locked(find(by, id))
        check(by, CHANGE, row)
        _check_unchanged(row, seen)
        return _put(by, row, document, access)


def delete(by: Principal, id: int, seen: int | None = None) -> None:
    """Remove a schedule. Raises Missing, Forbidden and Conflict; `seen` is the revision that this is based on."""
    with transaction.atomic():
        row = locks.locked(find(by, id))
        check(by, DELETE, row)
        _check_unchanged(row, seen)
        journal.record(by, "delete", row, before=facts(row))
        row.delete()


def find(by: Principal, id: int) -> Schedule:
    """Return the schedule `id`. Raises Missing, also if it is not for `by` to see."""
    found = visible(by, Schedule).filter(pk=id).first()
    if found is None:
        raise Missing(f"There is no schedule {id}.")
    return found


def listed(by: Principal) -> QuerySet[Schedule]:
    """Return the schedules that `by` may see, by name, with the teams that they are for."""
    return visible(by, Schedule).prefetch_related("teams", with_overrides())


def override(by: Principal, id: int, who: str, starts_at: datetime, ends_at: datetime) -> Override:
    """Have the user `who` be on call instead, between two times. Raises Missing, Forbidden and Invalid."""
    with transaction.atomic():
        row = locks.locked(find(by, id))
        check(by, CHANGE, row)
        errors = Errors()
        check_storable(who, "who")
        user = User.objects.filter(username=who, is_active=True).first()
        if user is None:
            errors.found.append(("who", f"who: there is no user {who[:100]!r}."))
        if ends_at.year not in YEARS or starts_at.year not in YEARS:
            errors.found.append(("ends_at", "ends_at: it has to be before the year 3000."))
        elif ends_at <= starts_at:
            errors.found.append(("ends_at", "ends_at: it has to be after the start."))
        elif ends_at <= datetime_of(time.time()):
            errors.found.append(("ends_at", "ends_at: it has to be in the future."))
        elif (ends_at - starts_at).total_seconds() > LONGEST_S:
            errors.found.append(("ends_at", "ends_at: it may be 400 days after the start, at most."))
        if row.overrides.count() >= OVERRIDES_MOST:
            errors.found.append(("who", f"who: a schedule has at most {OVERRIDES_MOST} overrides."))
        errors.check()
        assert user is not None
        made = Override.objects.create(schedule=row, user=user, starts_at=starts_at, ends_at=ends_at, by=by.name)
        journal.record(by, "override", row, after=_override_facts(made))
    return made


def end_override(by: Principal, id: int, override: int) -> None:
    """Remove an override; of one that has begun, what is to come. Raises Missing and Forbidden."""
    now = datetime_of(time.time())
    with transaction.atomic():
        row = find(by, id)
        check(by, CHANGE, row)
        found = row.overrides.select_related("user").filter(pk=override).first()
        if found is None:
            raise Missing(f"There is no override {override}.")
        before = _override_facts(found)
        if found.starts_at < now < found.ends_at:
            found.ends_at = now
            found.save(update_fields=["ends_at"])
            journal.record(by, "end override", row, before, _override_facts(found))
        else:
            found.delete()
            journal.record(by, "end override", row, before=before)


def spec_of(row: Schedule) -> ScheduleSpec:
    """Return the document of a schedule. Raises ValueError for one that a later release stored."""
    return ScheduleSpec.model_validate(upgraded(ScheduleSpec, row.spec, row.version))


def check_people(spec: ScheduleSpec) -> None:
    """Raise Invalid unless everybody who has a turn in `spec` is a user."""
    used = rotation.names(spec)
    unknown = used - set(User.objects.filter(username__in=used, is_active=True).values_list("username", flat=True))
    if unknown:
        raise Invalid("layers", f"layers: there is no user {min(unknown)!r}.")


def published(row: Schedule) -> list[Published]:
    """Return the shifts of the calendar elsewhere. Raises ValueError for those that a later release stored."""
    return _PUBLISHED.validate_python(row.shifts)


def is_readable(row: Schedule) -> bool:
    """Return whether this release can read the plan of a schedule."""
    try:
        spec_of(row)
    except ValueError:
        return False
    return True


def zone(row: Schedule) -> ZoneInfo:
    """Return the time zone of a schedule."""
    return zone_of(row.time_zone)


def new_link(by: Principal, id: int) -> str:
    """Make the secret of the calendar's address anew, and return it: the earlier one ends.

    Raises Missing and Forbidden.
    """
    secret = secrets.token_urlsafe(24)
    with transaction.atomic():
        row = locks.locked(find(by, id))
        check(by, CHANGE, row)
        row.digest = digest_of(secret)
        row.save(update_fields=["digest"])
        journal.record(by, "make link", row, after={"link": "calendar"})
    return secret


def forget(at: float) -> None:
    """Remove overrides that were over for `KEPT` at a time (Unix seconds)."""
    Override.objects.filter(ends_at__lt=datetime_of(at) - KEPT).delete()


def facts(row: Schedule) -> dict[str, Any]:
    """Return what the journal keeps; of an address elsewhere only where that is, as the rest may be a key."""
    access = teams.access_of(row).model_dump() if row.pk else {}
    return {"name": row.name, "time_zone": row.time_zone, "place": row.place, **plan_of(row), **access}


def plan_of(row: Schedule) -> dict[str, Any]:
    """Return the plan of a schedule, as it is stored if a later release did that; none if it is no plan at all."""
    try:
        return upgraded(ScheduleSpec, row.spec, row.version)
    except ValueError:
        return row.spec if isinstance(row.spec, dict) else {}


def with_overrides() -> "Prefetch[str]":
    """Return the fetching of overrides with their people, in the order in which they were made."""
    return Prefetch("overrides", queryset=Override.objects.select_related("user").order_by("pk"))


def _check_unchanged(row: Schedule, seen: int | None) -> None:
    if seen is not None and seen != row.revision:
        raise Conflict(f"Somebody changed the schedule {row.name} meanwhile.", row.revision)


def _override_facts(one: Override) -> dict[str, str]:
    return {"who": one.user.get_username(), "from": one.starts_at.isoformat(), "until": one.ends_at.isoformat()}


def _put(by: Principal, row: Schedule, document: Mapping[str, Any], access: Access | None) -> Schedule:
    errors, is_new = Errors(), row.pk is None
    check_storable(dict(document), "schedule")
    was = None if is_new else facts(row)
    with errors:
        _set_fields(by, row, document)
    before = [] if is_new else list(row.teams.all())
    owners = before
    with errors:
        owners = before if access is None else teams.owners(by, before, access)
    errors.check()
    if access is not None:
        row.for_everyone = access.everyone
    row.revision = 1 if is_new else row.revision + 1
    with transaction.atomic():
        _save(row)
        row.teams.set(owners)
        journal.record(by, "create" if is_new else "change", row, was, facts(row))
    return row


def _set_fields(by: Principal, row: Schedule, document: Mapping[str, Any]) -> None:
    errors = Errors()
    unknown = sorted(set(document) - {"name", "time_zone", "layers", "holidays", "url"})
    errors.found += [(name, f"{name}: There is no such field.") for name in unknown]
    name, time_zone = document.get("name", row.name), document.get("time_zone", row.time_zone)
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_MOST:
        errors.found.append(("name", f"name: it has 1 to {NAME_MOST} characters."))
    if time_zone not in known():
        errors.found.append(("time_zone", f"time_zone: there is no time zone {str(time_zone)[:50]!r}."))
    with errors:
        _set_spec(row, document)
    if "url" in document:
        with errors:
            feeds.set_url(by, row, str(document["url"] or ""))
            if not row.text:
                row.shifts, row.known_from = [], None
    errors.check()
    row.name, row.time_zone = str(name).strip(), str(time_zone)


def _set_spec(row: Schedule, document: Mapping[str, Any]) -> None:
    given = {name: document[name] for name in ("layers", "holidays") if name in document}
    try:
        spec = ScheduleSpec.model_validate({**(plan_of(row) if is_readable(row) else {}), **given})
    except ValidationError as problem:
        first, *others = sentences(problem, "")
        raise Invalid(*first, *others) from None
    if given:
        check_people(spec)
    row.spec, row.version = rotation.document(spec), ScheduleSpec.version


def _save(row: Schedule) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Invalid("name", f"name: there is a schedule {row.name!r} already.") from None
