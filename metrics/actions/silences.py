"""Silences: alerts that match are not told, for a time. The rules are those of Alertmanager."""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from metrics.access.policy import CHANGE, CREATE, check, check_muted, seen_by, visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import journal, locks, teams, withholding
from metrics.actions.alert_labels import labels_of
from metrics.actions.errors import Invalid, Missing, check_storable
from metrics.alerts import matchers
from metrics.alerts.machine import State
from metrics.alerts.matchers import BadMatcher, Matcher
from metrics.models import Alert, Silence
from metrics.models.silence import Withholding
from metrics.times import YEARS, datetime_of

COMMENT_MOST = 500
MATCHERS_MOST = 50
KEPT = timedelta(days=400)
LISTED_MOST = 1000
ACTIVE, PENDING, EXPIRED = "active", "pending", "expired"


@dataclass(frozen=True, slots=True)
class Muted:
    """Alerts that matchers would mute: the first of them, and how many there are."""

    alerts: Sequence[Alert]
    total: int


def set(
    by: Principal,
    given: Sequence[Matcher],
    starts_at: datetime | None,
    ends_at: datetime,
    comment: str,
    *,
    id: str | None = None,
    access: Access | None = None,
    author: str = "",
) -> Silence:
    """Make a silence, or change the one of `id`, and return it; from now on without `starts_at`.

    It keeps its id if it has the same matchers and start, or has not begun, and whoever changes it sees the same alerts
    as its maker; else the old one ends, and a new one is made. `author` is the name that a client of another server's
    gave. Without `access` it is for everyone, or for those that it was for. Raises Missing, Forbidden, and
    Invalid with everything that is wrong.
    """
    now = datetime_of(time.time())
    with transaction.atomic():
        old = None if id is None else locks.locked(find(by, id))
        if old is None:
            check(by, CREATE, Silence)
        else:
            check(by, CHANGE, old)
            if state(old, now) != EXPIRED:  # else a new one is made, of what they see themselves
                check_muted(by, old)
        start = _start(old, starts_at, now)
        document = checked(given, start, ends_at, comment, now)
        before = list(old.teams.all()) if old else []
        owners = before if access is None else teams.owners(by, before, access)
        made = Silence(for_everyone=old.for_everyone if old else True)
        made.matchers, made.starts_at, made.ends_at, made.comment = document, start, ends_at, comment.strip()
        made.reach, made.by = reach_of(by), by.name
        if access is not None:
            made.for_everyone = access.everyone
        if author and author != by.name:
            made.by = f"{author} ({by.name})"[:200]
        if old is not None and _is_same(old, made, now):
            return _kept(by, old, made, owners)
        if old is not None and state(old, now) != EXPIRED:
            _expire(by, old, now)
        made.save()
        made.teams.set(owners)
        journal.record(by, "create", made, after=facts(made))
    return made


def _start(old: Silence | None, asked: datetime | None, now: datetime) -> datetime:
    """Return when it starts: not before now, unless the silence that is changed did."""
    is_asked_anew = asked is not None and (old is None or int(asked.timestamp()) != int(old.starts_at.timestamp()))
    if old is not None and not is_asked_anew and state(old, now) != EXPIRED:
        return old.starts_at
    return now if asked is None else max(asked, now)


def _is_same(old: Silence, made: Silence, now: datetime) -> bool:
    """Whether a silence may become another with the same id: one that is active has the same start, too."""
    if (old.matchers, old.reach) != (made.matchers, made.reach):
        return False
    return old.starts_at == made.starts_at if state(old, now) == ACTIVE else state(old, now) == PENDING


def _kept(by: Principal, old: Silence, made: Silence, owners: Iterable[Any]) -> Silence:
    before = facts(old)
    old.starts_at, old.ends_at = made.starts_at, made.ends_at
    old.comment, old.for_everyone = made.comment, made.for_everyone
    old.save()
    old.teams.set(owners)
    journal.record(by, "change", old, before, facts(old))
    return old


def expire(by: Principal, id: str) -> Silence:
    """End a silence now; one that is over stays so. Raises Missing and Forbidden."""
    now = datetime_of(time.time())
    with transaction.atomic():
        silence = locks.locked(find(by, id))
        check(by, CHANGE, silence)
        if state(silence, now) != EXPIRED:
            _expire(by, silence, now)
    return silence


def _expire(by: Principal, silence: Silence, now: datetime) -> None:
    before = facts(silence)
    silence.starts_at, silence.ends_at = min(silence.starts_at, now), now
    silence.save()
    journal.record(by, "expire", silence, before, facts(silence))


def find(by: Principal, id: str) -> Silence:
    """Return the silence of `id`. Raises Missing, also if it is not for `by` to see."""
    try:
        found = visible(by, Silence).filter(pk=uuid.UUID(id)).first()
    except ValueError:
        found = None
    if found is None:
        raise Missing(f"There is no silence {id[:50]}.")
    return found


def listed(by: Principal) -> list[Silence]:
    """Return the silences that `by` may see, those that end last first."""
    return list(_all(by).order_by("-ends_at")[:LISTED_MOST])


def _all(by: Principal) -> QuerySet[Silence]:
    return visible(by, Silence).prefetch_related("teams")


def state(silence: Silence, now: datetime) -> str:
    """Return whether `silence` is active, pending or expired."""
    if silence.ends_at <= now:
        return EXPIRED
    return PENDING if silence.starts_at > now else ACTIVE


def muted(by: Principal, given: Sequence[Matcher], most: int) -> Muted:
    """Return the alerts that are not ok and that a silence of `by` with these matchers would mute now."""
    if not given:
        return Muted([], 0)
    alerts = visible(by, Alert).select_related("rule").exclude(state=State.OK).order_by("-since_ms", "pk")
    found = [one for one in alerts if matchers.match(given, labels_of(one))]
    return Muted(found[:most], len(found))


def reach_of(by: Principal) -> list[int] | None:
    """Return the ids of the teams whose alerts `by` sees; None if that is all."""
    teams = seen_by(by)
    return None if teams is None else sorted(teams)


def checked(
    given: Sequence[Matcher], starts_at: datetime, ends_at: datetime, comment: str, now: datetime
) -> list[dict[str, Any]]:
    """Return the matchers of a silence as they are kept. Raises Invalid with everything that is wrong."""
    wrong: list[tuple[str, str]] = []
    try:
        check_matchers(given)
    except Invalid as problem:
        wrong += problem.all
    if ends_at.year not in YEARS or starts_at.year not in YEARS:
        wrong.append(("ends_at", "ends_at: it has to be before the year 3000."))
    elif ends_at <= starts_at:
        wrong.append(("ends_at", "ends_at: it has to be after the start."))
    elif ends_at <= now:
        wrong.append(("ends_at", "ends_at: it has to be in the future."))
    try:
        check_comment(comment)
    except Invalid as problem:
        wrong += problem.all
    if wrong:
        raise Invalid(*wrong[0], *wrong[1:])
    return matchers.to_json(given)


def check_matchers(given: Sequence[Matcher]) -> None:
    """Raise Invalid for matchers that would mute nearly everything, or are too many."""
    if not given:
        raise Invalid("matchers", 'matchers: there has to be one, such as host="web-1".')
    if len(given) > MATCHERS_MOST:
        raise Invalid("matchers", f"matchers: there may be {MATCHERS_MOST} at most.")
    if all(one.matches({}) for one in given):
        raise Invalid("matchers", "matchers: at least one has to not match an empty value, else all would be muted.")
    for one in given:
        check_storable([one.name, one.value], "matchers")


def check_comment(comment: str) -> None:
    """Raise Invalid for a reason that says nothing, or can't be kept."""
    check_storable(comment, "comment")
    if not comment.strip() or len(comment) > COMMENT_MOST:
        raise Invalid("comment", f"comment: a reason has 1 to {COMMENT_MOST} characters.")


def read(text: str) -> list[Matcher]:
    """Return the matchers that somebody typed. Raises Invalid."""
    try:
        return matchers.parse(text)
    except BadMatcher as problem:
        raise Invalid("matchers", f"matchers: {problem}") from None


def read_json(documents: Sequence[Mapping[str, Any]]) -> list[Matcher]:
    """Return the matchers that a client sent. Raises Invalid."""
    try:
        return matchers.from_json(documents)
    except BadMatcher as problem:
        raise Invalid("matchers", f"matchers: {problem}") from None


def kept(thing: Withholding) -> list[Matcher]:
    """Return the matchers of what stays as it is otherwise. Raises Invalid if this release can't read them."""
    given = withholding.matchers_of(thing)
    if given is None:
        raise Invalid("matchers", "matchers: this release can't read those that are stored: enter them anew.")
    return given


def text_of(thing: Withholding) -> str:
    """Return the matchers of a silence, or a maintenance, as they are typed; "" if this release can't read them."""
    return ", ".join(withholding.texts_of(thing))


def facts(silence: Silence) -> dict[str, Any]:
    """Return what the journal keeps of a silence."""
    return {
        "matchers": text_of(silence),
        "starts_at": silence.starts_at.isoformat(),
        "ends_at": silence.ends_at.isoformat(),
        "comment": silence.comment,
        **teams.access_of(silence).model_dump(),
    }


def forget(now: float) -> None:
    """Remove the silences that were over for `KEPT` at `now` (Unix seconds); what they were is in the journal."""
    Silence.objects.filter(ends_at__lt=datetime_of(now) - KEPT).delete()
