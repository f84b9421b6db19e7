"""Notifications: telling people something, in every tab they have open, and keeping it until they read it."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.template.loader import render_to_string

from metrics.access.policy import CREATE, check
from metrics.access.principal import Principal
from metrics.actions import logs
from metrics.actions.errors import Invalid, check_storable
from metrics.live import bus
from metrics.live.bus import Entry
from metrics.live.topic import person
from metrics.models import Notification, Team
from metrics.times import datetime_of

KEPT = timedelta(days=90)
TEXT_MOST, ABOUT_MOST, KEY_MOST = 1000, 300, 100
SHOWN = 50
EVERYONE = "everyone"
TOASTS, BELL = "toasts", "bell"
"""The elements that show what came just now, and how many notifications are unread."""


def notify(by: Principal, to: str, kind: str, text: str, about: str = "", key: str = "") -> int:
    """Tell `to` something, as `tell` does, if `by` may send notifications. Raises Forbidden, or Invalid."""
    check(by, CREATE, Notification)
    return tell(by, to, kind, text, about, key)


def tell(by: Principal, to: str | Collection[int], kind: str, text: str, about: str = "", key: str = "") -> int:
    """Tell people something, and return how many they are; for actions, which know that `by` may do so.

    `to` is user:NAME, team:NAME, everyone, or the ids of users. `about` is a path of ours that leads to what it is
    about. Whoever was told something with the same `key` before is not told again, and counts. Raises Invalid.
    """
    _check(text, about, key)
    people = _people(to) if isinstance(to, str) else list(User.objects.filter(pk__in=to, is_active=True))
    with transaction.atomic():
        for user in people:
            _tell(by, user, kind, text.strip(), about, key)
    return len(people)


def unread(user: int) -> int:
    """Return how many notifications of `user` (id) are unread."""
    return Notification.objects.filter(user=user, read_at=None).count()


def newest(user: int, before: int | None = None, most: int = SHOWN) -> list[Notification]:
    """Return the newest `most` notifications of `user` (id), or those before the number `before`, the newest first."""
    found = Notification.objects.filter(user=user).order_by("-number")
    return list((found if before is None else found.filter(number__lt=before))[:most])


def mark_read(user: int, number: int | None = None) -> None:
    """Note that `user` (id) read the notification `number`, or all; every tab of theirs follows."""
    found = Notification.objects.filter(user=user, read_at=None)
    with transaction.atomic():
        if (found if number is None else found.filter(number=number)).update(read_at=datetime.now(UTC)):
            transaction.on_commit(partial(_ring, user))


def entries(user: int, after: int, upto: int, most: int) -> list[Entry]:
    """Return the first `most` entries of the log of `user` (id) with numbers above `after`, and not above `upto`."""
    found = Notification.objects.filter(user=user, number__gt=after, number__lte=upto).order_by("number")
    return [entry(one) for one in found[:most]]


def entry(notification: Notification) -> Entry:
    """Return a notification as an entry of its person's log."""
    return Entry(
        number=notification.number,
        target=TOASTS,
        swap="beforeend",
        html=render_to_string("notification/_toast.html", {"notification": notification}).strip(),
        data={
            "id": notification.number,
            "kind": notification.kind,
            "text": notification.text,
            "about": notification.about,
            "by": notification.sender,
            "at": notification.at.timestamp(),
            "read": notification.read_at is not None,
        },
    )


def bell(user: int) -> str:
    """Return the element that shows how many notifications of `user` (id) are unread."""
    return bells([user])[user]


def bells(users: Collection[int]) -> dict[int, str]:
    """Return the bell of each of `users` (ids), as one query."""
    rows = Notification.objects.filter(user__in=users, read_at=None).order_by().values_list("user")
    counts = dict(rows.annotate(count=Count("pk")))
    return {
        user: render_to_string("notification/_bell.html", {"unread": counts.get(user, 0)}).strip() for user in users
    }


def forget(now: float) -> None:
    """Remove what is older than `KEPT` at `now` (Unix seconds)."""
    Notification.objects.filter(at__lt=datetime_of(now) - KEPT).delete()


def _people(to: str) -> list[User]:
    active = User.objects.filter(is_active=True).order_by("pk")
    what, _, name = to.partition(":")
    if to == EVERYONE:
        return list(active)
    if what == "user" and name:
        found = list(active.filter(username=name))
        if not found:
            raise Invalid("to", f"to: there is no user {name!r} who may sign in.")
        return found
    if what == "team" and name:
        if not Team.objects.filter(name=name).exists():
            raise Invalid("to", f"to: there is no team {name!r}.")
        return list(active.filter(groups__name=name))
    raise Invalid("to", "to: it is user:NAME, team:NAME or everyone.")


def _tell(by: Principal, user: User, kind: str, text: str, about: str, key: str) -> None:
    if key and Notification.objects.filter(user=user, key=key).exists():
        return
    try:
        with transaction.atomic():
            made = Notification.objects.create(
                user=user,
                number=logs.take_numbers({person(user.pk): 1})[person(user.pk)].newest,
                kind=kind,
                text=text,
                about=about,
                by=by.name,
                key=key,
                at=datetime.now(UTC),
            )
    except IntegrityError:  # the same came twice at once
        return
    transaction.on_commit(partial(_send, made))


def _send(notification: Notification) -> None:
    made = entry(notification)
    bus.append(person(notification.user_id), [made])
    bus.send_to(notification.user_id, TOASTS, "beforeend", made["html"])
    _ring(notification.user_id)


def _ring(user: int) -> None:
    bus.send_to(user, BELL, "outerMorph", bell(user))


def _check(text: str, about: str, key: str) -> None:
    fields: Iterable[tuple[str, str, int]] = (
        ("text", text, TEXT_MOST),
        ("about", about, ABOUT_MOST),
        ("key", key, KEY_MOST),
    )
    for field, value, most in fields:
        check_storable(value, field)
        if len(value) > most:
            raise Invalid(field, f"{field} has at most {most} characters.")
    if not text.strip():
        raise Invalid("text", "text: it says nothing.")
    if about and (not about.startswith("/") or about.startswith("//")):
        raise Invalid("about", "about: it is a path here, such as /d/shop/.")
