"""How each person is told: which kinds show in the page, which come as Web Push, and when it is quiet.

Notifications that are not shown are kept and counted all the same.
"""

import zoneinfo
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from metrics.access.principal import Principal
from metrics.actions import journal
from metrics.actions.errors import Forbidden, Invalid
from metrics.models import Notification, NotificationSettings

ALERT, MENTION, DIRECT, CHANGE, STATE, MESSAGE = "alert", "mention", "direct", "change", "state", "message"
CHANNEL = "channel"
KINDS: Mapping[str, str] = {
    ALERT: "Alert",
    MENTION: "Mention",
    DIRECT: "Direct message",
    CHANGE: "Watched thing changed",
    STATE: "Watched thing down or back",
    CHANNEL: "Channel that could not deliver",
    MESSAGE: "Message of a program",
}
"""Kinds that Watchfloor sends itself, with their titles; programs send others, too."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of notification, and how a person hears of it."""

    name: str
    title: str
    shows: bool
    pushes: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """How a person wants to be told. Quiet hours are in their own time zone, and may go past midnight."""

    silent_kinds: frozenset[str] = frozenset()
    pushed_kinds: frozenset[str] = frozenset()
    quiet_from: time | None = None
    quiet_until: time | None = None
    time_zone: str = ""

    def is_quiet(self, at: datetime) -> bool:
        """Return whether `at` lies in the quiet hours."""
        if self.quiet_from is None or self.quiet_until is None:
            return False
        clock = at.astimezone(_zone(self.time_zone)).time()
        if self.quiet_from < self.quiet_until:
            return self.quiet_from <= clock < self.quiet_until
        return clock >= self.quiet_from or clock < self.quiet_until

    def shows(self, kind: str, at: datetime) -> bool:
        """Return whether a notification of `kind` shows in the page as it comes."""
        return kind not in self.silent_kinds and not self.is_quiet(at)

    def pushes(self, kind: str, at: datetime) -> bool:
        """Return whether a notification of `kind` comes as Web Push too."""
        return kind in self.pushed_kinds and not self.is_quiet(at)


USUAL = Choice()


def choices(users: Collection[int]) -> dict[int, Choice]:
    """Return how each of `users` (ids) wants to be told, as one query; who chose nothing is left out."""
    return {one.user_id: _choice(one) for one in NotificationSettings.objects.filter(user__in=users)}


def choice_of(user: int) -> Choice:
    """Return how `user` (id) wants to be told."""
    return choices([user]).get(user, USUAL)


def kinds_of(user: int) -> list[Kind]:
    """Return the kinds that `user` (id) may choose about: ours, and those that they have received."""
    chosen = choice_of(user)
    received = Notification.objects.filter(user=user).order_by().values_list("kind", flat=True).distinct()
    others = {*received, *chosen.silent_kinds, *chosen.pushed_kinds} - KINDS.keys()
    return [
        Kind(name, title_of(name), name not in chosen.silent_kinds, name in chosen.pushed_kinds)
        for name in [*KINDS, *sorted(others)]
    ]


def title_of(kind: str) -> str:
    """Return how people read `kind`."""
    return KINDS.get(kind) or kind[:1].upper() + kind[1:].replace("_", " ")


def choose(
    by: Principal,
    shown: Iterable[str],
    pushed: Iterable[str],
    quiet: tuple[time | None, time | None] = (None, None),
    time_zone: str = "",
) -> None:
    """Set how `by`, a person, is told: the kinds that are shown, those that are pushed, and when it is quiet.

    `quiet` is from when until when. Only kinds that `kinds_of` names are chosen about. Raises Forbidden or Invalid.
    """
    if by.kind != "user" or by.pk is None:
        raise Forbidden("Only people have settings of their own.")
    begins, ends = quiet
    if (begins is None) != (ends is None):
        field = "quiet_until" if ends is None else "quiet_from"
        raise Invalid(field, "Quiet hours have both a beginning and an end.")
    if begins is not None and begins == ends:
        raise Invalid("quiet_until", "Quiet hours end at another time than they begin.")
    if time_zone and time_zone not in zoneinfo.available_timezones():
        raise Invalid("time_zone", f"There is no time zone {time_zone!r}.")
    names = [one.name for one in kinds_of(by.pk)]
    chosen = {
        "silent_kinds": [name for name in names if name not in set(shown)],
        "pushed_kinds": [name for name in names if name in set(pushed)],
        "quiet_from": begins,
        "quiet_until": ends,
        "time_zone": time_zone,
    }
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=by.pk)
        before = _facts(NotificationSettings.objects.filter(user=user).first() or NotificationSettings())
        row, _ = NotificationSettings.objects.update_or_create(user=user, defaults=chosen)
        journal.record(by, "change notifications", user, before, _facts(row))


def _facts(row: NotificationSettings) -> dict[str, Any]:
    hours = [one.isoformat("minutes") if one else "" for one in (row.quiet_from, row.quiet_until)]
    return {
        "not shown": row.silent_kinds,
        "pushed": row.pushed_kinds,
        "quiet from": hours[0],
        "quiet until": hours[1],
        "time zone": row.time_zone,
    }


def _choice(row: NotificationSettings) -> Choice:
    silent, pushed = frozenset(row.silent_kinds), frozenset(row.pushed_kinds)
    return Choice(silent, pushed, row.quiet_from, row.quiet_until, row.time_zone)


def _zone(name: str) -> ZoneInfo:
    """Return a time zone; the server's for none, or one that this machine does not know any more."""
    try:
        return ZoneInfo(name or settings.TIME_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)
