"""Notifications: telling people something, in every tab they have open, and keeping it until they read it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count, Model, Q, QuerySet
from django.template.loader import render_to_string

from metrics.access.policy import CREATE, SEE, check, may
from metrics.access.principal import Principal, of_users
from metrics.actions import logs, notification_settings, places, web_push
from metrics.actions.errors import Invalid, check_storable
from metrics.actions.notification_settings import USUAL
from metrics.live import bus
from metrics.live.bus import Addressee, Entry
from metrics.live.topic import person
from metrics.models import Notification, Team, Watch
from metrics.times import datetime_of

KEPT = timedelta(days=90)
KIND_MOST, TEXT_MOST, ABOUT_MOST, KEY_MOST = 30, 1000, 300, 100
SHOWN, SHOWN_MOST = 50, 500
EVERYONE = "everyone"
TOASTS, BELL = "toasts", "bell"
"""The elements that show what came just now, and how many notifications are unread."""
TRIES = 3


def notify(by: Principal, to: str, kind: str, text: str, about: str = "", key: str = "") -> int:
    """Tell `to` something, as `tell` does, if `by` may send notifications. Raises Forbidden, or Invalid.

    A thing that `by` may not see counts as none, be there one or not.
    """
    check(by, CREATE, Notification)
    return _tell(by, to, kind, text, about, key, lambda thing: may(by, SEE, thing))


def tell(by: Principal, to: str | Collection[int], kind: str, text: str, about: str = "", key: str = "") -> int:
    """Tell people something, and return how many they are; for actions, which know that `by` may do so.

    `to` is user:NAME, team:NAME, everyone, watchers:NOUN:ID, or the ids of users. Watchers are not told what they did
    themselves. `about` is a path of ours that leads to what it is about; people who may not see that thing, or the one
    that is watched, are left out. Whoever was told something with the same `key` before is not told again, and counts.
    However many they are, the queries are the same, and one message goes out when the transaction is committed. Raises
    Invalid.
    """
    return _tell(by, to, kind, text, about, key, lambda _: True)


def _tell(
    by: Principal,
    to: str | Collection[int],
    kind: str,
    text: str,
    about: str,
    key: str,
    is_there: Callable[[Model], bool],
) -> int:
    _check(kind, text, about, key)
    people = _people(by, to, about, is_there)
    for tried in range(1, TRIES + 1):
        try:
            with transaction.atomic():
                _store(by, people, kind, text.strip(), about, key)
            break
        except IntegrityError:  # the same came twice at once: the other one is committed, and found now
            if tried == TRIES:
                raise
    return len(people)


def unread(user: int) -> int:
    """Return how many notifications of `user` (id) are unread."""
    return Notification.objects.filter(user=user, read_at=None).count()


def newest(
    user: int, before: int | None = None, most: int = SHOWN, *, kind: str = "", least: int | None = None
) -> list[Notification]:
    """Return the newest notifications of `user` (id), or those before the number `before`, the newest first.

    They are at most `most`, or with `least` all down to that number, `SHOWN_MOST` at most; with `kind`, of that alone.
    """
    found = _of(user, kind).order_by("-number")
    if before is not None:
        found = found.filter(number__lt=before)
    if least is not None:
        most = min(max(most, found.filter(number__gte=least).count()), SHOWN_MOST)
    return list(found[:most])


def sent(by: Principal, before: int | None = None, most: int = SHOWN, kind: str = "") -> list[Notification]:
    """Return the newest `most` notifications that `by` sent, or those with ids below `before`, the newest first."""
    found = Notification.objects.filter(by=by.name).select_related("user").order_by("-pk")
    found = found.filter(kind=kind) if kind else found
    return list((found if before is None else found.filter(pk__lt=before))[:most])


def mark_read(user: int, number: int | None = None, kind: str = "") -> None:
    """Note that `user` (id) read the notification `number`, or all, or all of a kind; every tab of theirs follows."""
    found = _of(user, kind)
    _read(user, found if number is None else found.filter(number=number))


def mark_opened(user: int, path: str) -> None:
    """Note that `user` (id) opens the page `path`, and so reads what is about it."""
    about = Q(about=path) | Q(about__startswith=f"{path}?") | Q(about__startswith=f"{path}#")
    found = _of(user).filter(about, read_at=None)
    if found.exists():  # nearly always not, and then nothing is written
        _read(user, found)


def reword(found: QuerySet[Notification], text: str) -> None:
    """Give notifications another text, in the transaction around this; lists that show them follow.

    Nobody is told anew.
    """
    rows, text = list(found.exclude(text=text)), text.strip()
    Notification.objects.filter(pk__in=[one.pk for one in rows]).update(text=text)
    for one in rows:
        one.text = text
        transaction.on_commit(partial(_reword, one))


def _reword(notification: Notification) -> None:
    html = render_to_string("notification/_text.html", {"one": notification}).strip()
    bus.send_to(notification.user_id, f"told-{notification.number}-text", "outerMorph", html)


def take_back(found: QuerySet[Notification]) -> None:
    """Remove notifications; every tab of their people follows."""
    rung = sorted(set(found.filter(read_at=None).values_list("user", flat=True)))
    found.delete()
    for user in rung:
        transaction.on_commit(partial(_ring, user))


def _of(user: int, kind: str = "") -> QuerySet[Notification]:
    found = Notification.objects.filter(user=user)
    return found.filter(kind=kind) if kind else found


def _read(user: int, found: QuerySet[Notification]) -> None:
    with transaction.atomic():
        if found.filter(read_at=None).update(read_at=datetime.now(UTC)):
            transaction.on_commit(partial(_ring, user))


def entries(user: int, after: int, upto: int, most: int) -> list[Entry]:
    """Return the first `most` entries of the log of `user` (id) with numbers above `after`, and not above `upto`."""
    found = Notification.objects.filter(user=user, number__gt=after, number__lte=upto).order_by("number")
    return [entry(one) for one in found[:most]]


def entry(notification: Notification) -> Entry:
    """Return a notification as an entry of its person's log."""
    return entry_of(notification.number, _toast(notification), _data(notification))


def entry_of(number: int, html: str, data: Mapping[str, Any]) -> Entry:
    """Return the notification of this number as an entry: `html` and `data` are what all who got it share."""
    return Entry(number=number, target=TOASTS, swap="beforeend", html=html, data={"id": number, **data})


def bell(user: int) -> str:
    """Return the element that shows how many notifications of `user` (id) are unread."""
    return bells([user])[user]


def bells(users: Collection[int]) -> dict[int, str]:
    """Return the bell of each of `users` (ids), as one query."""
    counts = _unread(users)
    return {user: bell_of(counts.get(user, 0)) for user in users}


@lru_cache(maxsize=1000)
def bell_of(unread: int) -> str:
    """Return the bell of someone with so many unread notifications."""
    return render_to_string("notification/_bell.html", {"unread": unread}).strip()


def forget(now: float) -> None:
    """Remove what is older than `KEPT` at `now` (Unix seconds)."""
    Notification.objects.filter(at__lt=datetime_of(now) - KEPT).delete()


def _people(by: Principal, to: str | Collection[int], about: str, is_there: Callable[[Model], bool]) -> list[int]:
    """Return the ids of the people whom `to` names and who may see what it is about. Raises Invalid."""
    users, watched = _addressed(by, to, is_there)
    things = [thing for thing in (watched, places.thing_at(about)) if thing is not None and is_there(thing)]
    if not things:
        found = list(users.values_list("pk", flat=True))
    else:
        asked = of_users(users)
        found = [one.pk for one in asked if one.pk is not None and all(may(one, SEE, thing) for thing in things)]
    if not found and isinstance(to, str) and to.startswith("user:") and not users.exists():
        raise Invalid("to", f"to: there is no user {to.removeprefix('user:')!r} who may sign in.")
    return found


def _addressed(
    by: Principal, to: str | Collection[int], is_there: Callable[[Model], bool]
) -> tuple[QuerySet[User], Model | None]:
    """Return the users whom `to` names, and the thing that they watch, if it is that. Raises Invalid."""
    active = User.objects.filter(is_active=True).order_by("pk")
    if not isinstance(to, str):
        return active.filter(pk__in=to), None
    what, _, name = to.partition(":")
    if to == EVERYONE:
        return active, None
    if what == "user" and name:
        return active.filter(username=name), None
    if what == "team" and name:
        if not Team.objects.filter(name=name).exists():
            raise Invalid("to", f"to: there is no team {name!r}.")
        return active.filter(groups__name=name), None
    if what == "watchers" and name:
        noun, _, id = name.partition(":")
        thing = places.watchable(noun, id)
        if thing is None or not is_there(thing):
            raise Invalid("to", f"to: there is no {noun} {id!r} to watch.")
        watching = active.filter(pk__in=Watch.objects.filter(noun=noun, thing=str(thing.pk)).values("user"))
        return (watching.exclude(pk=by.pk or 0) if by.kind == "user" else watching), thing
    raise Invalid("to", "to: it is user:NAME, team:NAME, watchers:NOUN:ID or everyone.")


def _store(by: Principal, people: Sequence[int], kind: str, text: str, about: str, key: str) -> None:
    told = Notification.objects.filter(user__in=people, key=key).values_list("user", flat=True) if key else ()
    new = sorted(set(people) - set(told))
    if not new:
        return
    at, heads = datetime.now(UTC), logs.take_numbers({person(user): 1 for user in new})
    made = [
        Notification(
            user_id=user,
            number=heads[person(user)].newest,
            kind=kind,
            text=text,
            about=about,
            by=by.name,
            key=key,
            at=at,
        )
        for user in new
    ]
    Notification.objects.bulk_create(made)
    transaction.on_commit(partial(_send, made), robust=True)  # it is kept; pages compare their bells


def _send(made: Sequence[Notification]) -> None:
    """Tell every process of one notification, which several people got."""
    users, first = [one.user_id for one in made], made[0]
    unread, choices = _unread(users), notification_settings.choices(users)
    chosen = {user: choices.get(user, USUAL) for user in users}
    people = [
        Addressee(user, one.number, unread.get(user, 0), chosen[user].shows(first.kind, first.at))
        for user, one in zip(users, made, strict=True)
    ]
    bus.notify(people, _toast(first), _data(first))
    web_push.ask(made, [user for user in users if chosen[user].pushes(first.kind, first.at)])


def _unread(users: Collection[int]) -> dict[int, int]:
    """Return how many notifications of each of `users` (ids) are unread, where there are any, as one query."""
    rows = Notification.objects.filter(user__in=users, read_at=None).order_by().values_list("user")
    return dict(rows.annotate(count=Count("pk")))


def _toast(notification: Notification) -> str:
    return render_to_string("notification/_toast.html", {"notification": notification}).strip()


def _data(notification: Notification) -> dict[str, Any]:
    return {
        "kind": notification.kind,
        "text": notification.text,
        "about": notification.about,
        "by": notification.sender,
        "at": notification.at.timestamp(),
        "read": notification.read_at is not None,
    }


def _ring(user: int) -> None:
    bus.send_to(user, BELL, "outerMorph", bell(user))


def _check(kind: str, text: str, about: str, key: str) -> None:
    fields = (
        ("kind", kind, KIND_MOST),
        ("text", text, TEXT_MOST),
        ("about", about, ABOUT_MOST),
        ("key", key, KEY_MOST),
    )
    for field, value, most in fields:
        check_storable(value, field)
        if len(value) > most:
            raise Invalid(field, f"{field} has at most {most} characters.")
    if not kind.strip():
        raise Invalid("kind", "kind: it is a word that people filter by.")
    if not text.strip():
        raise Invalid("text", "text: it says nothing.")
    if about and not places.is_ours(about):
        raise Invalid("about", "about: it is a path here, such as /d/shop/.")
