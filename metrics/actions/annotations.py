"""Annotations: making, changing, removing and listing them."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from metrics.access.policy import CHANGE, CREATE, DELETE, check, visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import alert_changes, journal, locks, teams
from metrics.actions.errors import Errors, Invalid, Missing, check_storable
from metrics.models import Annotation, AnnotationTag, Team
from metrics.times import YEARS, datetime_of
from metrics.widgets.annotated import ALL, TAGS_MOST, tag

TEXT_MOST = 500
KNOWN_TAGS_MOST = 200


def create(
    by: Principal,
    text: str,
    at: datetime | None = None,
    until: datetime | None = None,
    tags: Sequence[str] = (),
    access: Access | None = None,
) -> Annotation:
    """Make an annotation of a moment, now without `at`, or of a span from there `until` another.

    Without `access` one that is made with a token of teams is for these teams, and any other for everyone. Raises
    Forbidden, or Invalid with everything that is wrong.
    """
    check(by, CREATE, Annotation)
    if access is None and by.kind == "token" and by.teams:
        named = Team.objects.filter(pk__in=by.teams).values_list("name", flat=True)
        access = Access(everyone=False, teams=list(named))
    return _put(by, Annotation(by=by.name), text, at or datetime_of(time.time()), until, tags, access or Access())


def change(by: Principal, id: int, changes: Mapping[str, Any]) -> Annotation:
    """Set of an annotation the `text`, `at`, `until`, `tags` or `access` that `changes` names.

    Without an end (None) it is a moment. Raises Missing, Forbidden and Invalid.
    """
    with transaction.atomic():
        row = locks.locked(find(by, id))
        check(by, CHANGE, row)
        return _put(
            by,
            row,
            changes.get("text", row.text),
            changes.get("at") or row.at,
            changes.get("until", row.until),
            changes.get("tags", tags_of(row)),
            changes.get("access") or teams.access_of(row),
        )


def delete(by: Principal, id: int) -> None:
    """Remove an annotation, also from charts of the past. Raises Missing and Forbidden."""
    with transaction.atomic():
        row = find(by, id)
        check(by, DELETE, row)
        journal.record(by, "delete", row, before=facts(row))
        alert_changes.note("annotation", tags=tags_of(row))
        row.delete()


def find(by: Principal, id: int) -> Annotation:
    """Return the annotation `id`. Raises Missing, also if it is not for `by` to see."""
    found = visible(by, Annotation).filter(pk=id).first()
    if found is None:
        raise Missing(f"There is no annotation {id}.")
    return found


def listed(
    by: Principal,
    tags: Collection[str] = (),
    start: float | None = None,
    end: float | None = None,
    before: int | None = None,
    first: int | None = None,
) -> QuerySet[Annotation]:
    """Return what `by` may see, the newest first: with one of `tags`, and of the time from `start` to `end`.

    Times are Unix seconds. Those after the annotation `before` (id) are left out, and so is that; the list begins with
    the annotation `first` (id). Raises Missing.
    """
    rows = visible(by, Annotation)
    if tags and ALL not in tags:
        rows = rows.filter(pk__in=AnnotationTag.objects.filter(tag__in=tags).order_by().values("annotation_id"))
    if start is not None:
        rows = rows.annotate(ends_at=Coalesce(F("until"), F("at"))).filter(ends_at__gte=datetime_of(start))
    if end is not None:
        rows = rows.filter(at__lt=datetime_of(end))
    if before is not None:
        last = find(by, before)
        rows = rows.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))
    if first is not None:
        begin = find(by, first)
        rows = rows.filter(Q(at__lt=begin.at) | Q(at=begin.at, pk__lte=begin.pk))
    return rows.order_by("-at", "-pk").prefetch_related("tagged", "teams")


def known_tags(by: Principal) -> list[str]:
    """Return the tags of what `by` may see, in order."""
    seen = AnnotationTag.objects.filter(annotation__in=visible(by, Annotation).order_by().values("pk"))
    return list(seen.order_by("tag").values_list("tag", flat=True).distinct()[:KNOWN_TAGS_MOST])


def tags_of(row: Annotation) -> list[str]:
    """Return its tags, in order."""
    return sorted(one.tag for one in row.tagged.all())


def facts(row: Annotation) -> dict[str, Any]:
    """Return what the journal keeps."""
    until = row.until.isoformat() if row.until else None
    times = {"at": row.at.isoformat(), "until": until}
    return {"text": row.text, **times, "tags": tags_of(row), **teams.access_of(row).model_dump()}


def kept_from(now: float) -> datetime:
    """Return the time before which no annotation is kept: as long as the rollups of hours, which charts draw."""
    return datetime_of(now) - timedelta(days=settings.HOUR_RETENTION_DAYS)


def forget(now: float) -> None:
    """Remove the annotations that were over before all history that is kept at `now` (Unix seconds)."""
    oldest = kept_from(now)
    Annotation.objects.filter(Q(until=None) | Q(until__lt=oldest), at__lt=oldest).delete()


def _put(
    by: Principal,
    row: Annotation,
    text: str,
    at: datetime,
    until: datetime | None,
    tags: Sequence[str],
    access: Access,
) -> Annotation:
    is_new = row.pk is None
    before = [] if is_new else list(row.teams.all())
    was = None if is_new else facts(row)
    tags_before = [] if is_new else tags_of(row)
    owners, found = before, list[str]()
    errors = Errors()
    with errors:
        _check_text(text)
    with errors:
        _check_times(at, until, is_new_at=at != row.at)
    with errors:
        found = _tags(tags)
    with errors:
        owners = teams.owners(by, before, access)
    errors.check()
    row.text, row.at, row.until, row.for_everyone = text.strip(), at, until, access.everyone
    with transaction.atomic():
        row.save()
        row.teams.set(owners)
        if found != tags_before:
            row.tagged.all().delete()
            AnnotationTag.objects.bulk_create(AnnotationTag(annotation=row, tag=one) for one in found)
        after = facts(row)
        journal.record(by, "create" if is_new else "change", row, was, after)
        if was != after:
            alert_changes.note("annotation", tags=[*tags_before, *found])
    return row


def _check_text(text: str) -> None:
    check_storable(text, "text")
    if not text.strip() or len(text) > TEXT_MOST:
        raise Invalid("text", f"text: an annotation has 1 to {TEXT_MOST} characters.")


def _check_times(at: datetime, until: datetime | None, *, is_new_at: bool) -> None:
    if is_new_at and (at.year not in YEARS or at < kept_from(time.time())):
        days = settings.HOUR_RETENTION_DAYS
        raise Invalid("at", f"at: it has to be before the year 3000, and of the {days} days that history is kept.")
    if until is not None and (until.year not in YEARS or until < at):
        raise Invalid("until", "until: it has to be after the beginning, and before the year 3000.")


def _tags(given: Sequence[str]) -> list[str]:
    for one in given:
        check_storable(one, "tags")
    if len(given) > TAGS_MOST:
        raise Invalid("tags", f"tags: there may be {TAGS_MOST} at most.")
    try:
        found = sorted({tag(one) for one in given})
    except ValueError as problem:
        raise Invalid("tags", f"tags: {problem}.") from None
    if ALL in found:
        raise Invalid("tags", f"tags: {ALL} stands for all of them, and is none.")
    return found
