"""Notifications: sent to every open tab of a person, and kept until they are read."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import CharField, Count, IntegerField, Model, Q, QuerySet
from django.template.loader import render_to_string

from metrics.access.policy import CREATE, SEE, check, may
from metrics.access.principal import Principal, of_users
from metrics.actions import journal, logs, notification_settings, places, web_push
from metrics.actions.errors import Invalid, check_storable
from metrics.actions.notification_settings import USUAL
from metrics.database import after_commit, best_effort
from metrics.live import bus
from metrics.live.bus import Addressee, Entry
from metrics.live.topic import person
from metrics.models import Notification, Team, Watch
from metrics.prepared_query import PreparedQuery
from metrics.times import datetime_of

KEPT = timedelta(days=90)
KIND_MOST, TEXT_MOST, ABOUT_MOST, KEY_MOST = 30, 1000, 300, 100
SHOWN, SHOWN_MOST = 50, 500
EVERYONE = "everyone"
TOASTS, BELL = "toasts", "bell"
"""The elements that show what came just now, and how many notifications are unread."""
TRIES = 3
STORED_AT_ONCE = 5000


class Notice(NamedTuple):
    """Something that people should know, as the arguments of `tell` say it."""

    to: str | Collection[int]
    text: str
    about: str = ""
    key: str = ""


def notify(by: Principal, to: str, kind: str, text: str, about: str = "", key: str = "") -> int:
    """Tell `to` something, as `send` does, if `by` may send notifications. Raises Forbidden, or Invalid.

    A thing that `by` may not see counts as none, be there one or not. It is one entry of the journal, however many
    people are told, and none if nobody is told anew.
    """
    check(by, CREATE, Notification)
    notice = Notice(to, text, about, key)
    with transaction.atomic():
        (outcome,), made = _send_all(by, kind, [notice], lambda thing: may(by, SEE, thing))
        if isinstance(outcome, Invalid):
            raise outcome
        for of_one in made:
            after = {"to": to, "kind": kind, "about": about, "people": len(of_one)}
            journal.record(by, "send", of_one[0], after=after)
    return outcome


def send(by: Principal, to: str | Collection[int], kind: str, text: str, about: str = "", key: str = "") -> int:
    """Tell people something, and return how many they are; for actions, which know that `by` may do so.

    `to` is user:NAME, team:NAME, everyone, watchers:NOUN:ID, or the ids of users. Watchers are not told what they did
    themselves. `about` is a path of ours that leads to what it is about; people who may not see that thing, or the one
    that is watched, are left out. People who had a notification with the same `key` before get no other, and count.
    However many they are, the queries are the same, and one message goes out when the transaction is committed. Raises
    Invalid.
    """
    (outcome,) = send_all(by, kind, [Notice(to, text, about, key)])
    if isinstance(outcome, Invalid):
        raise outcome
    return outcome


def send_all(by: Principal, kind: str, notices: Sequence[Notice]) -> list[int | Invalid]:
    """Tell each of `notices` as `send` does, in this order; return what it would return or raise for each.

    However many they are, the queries are the same.
    """
    return _send_all(by, kind, notices, lambda _: True)[0]


def _send_all(
    by: Principal, kind: str, notices: Sequence[Notice], is_there: Callable[[Model], bool]
) -> tuple[list[int | Invalid], list[list[Notification]]]:
    """Return for each of `notices` how many people it is for, or what is wrong; and what was stored for people."""
    found = _people(by, kind, notices, is_there)
    wanted = [(one, people) for one, people in zip(notices, found, strict=True) if not isinstance(people, Invalid)]
    for tried in range(1, TRIES + 1):
        try:
            with transaction.atomic():
                made = _store(by, kind, wanted)
            break
        except IntegrityError:  # the same came twice at once: the other one is committed, and found now
            if tried == TRIES:
                raise
    return [people if isinstance(people, Invalid) else len(people) for people in found], made


def _unread_about(user: Any, path: Any, query: Any, fragment: Any) -> QuerySet[Notification]:
    """Return what `user` did not read about a page: its `path`, or what begins as with a `query`, or a `fragment`."""
    about = Q(about=path) | Q(about__startswith=query) | Q(about__startswith=fragment)
    return _of(user).filter(about, read_at=None)


# Every page asks these.
_OPENED = PreparedQuery(
    lambda *given: _unread_about(*given).order_by().values_list("pk")[:1],
    IntegerField(),
    CharField(),
    CharField(),
    CharField(),
)
_UNREAD = PreparedQuery(
    lambda user: (
        Notification.objects.filter(user=user, read_at=None)
        .order_by()
        .values("user")
        .annotate(number=Count("pk"))
        .values_list("number")
    ),
    IntegerField(),
)


def unread(user: int) -> int:
    """Return how many notifications of `user` (id) are unread."""
    return sum(number for (number,) in _UNREAD.rows(user))


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
    """Note that `user` (id) opens the page `path`, and so reads what is about it; no page fails, or waits, for that."""
    about = (path, f"{path}?", f"{path}#")
    if _OPENED.finds(user, *about):  # nearly always not, and then nothing is written
        best_effort(lambda: _read(user, _unread_about(user, *about)))


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
    bus.send_to(bus.Person(notification.user_id), f"notification-{notification.number}-text", "outerMorph", html)


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


def _people(
    by: Principal, kind: str, notices: Sequence[Notice], is_there: Callable[[Model], bool]
) -> list[list[int] | Invalid]:
    """Return the ids of the people whom each of `notices` names and who may see what it is about, or what is wrong."""
    things = places.things_at(one.about for one in notices if places.is_ours(one.about))
    known: dict[str | tuple[int, ...], _Addressed] = {}
    found: list[list[int] | Invalid] = []
    for one in notices:
        to = one.to if isinstance(one.to, str) else tuple(one.to)
        try:
            _check(kind, one)
            if to not in known:
                known[to] = _Addressed(*_addressed(by, to, is_there))
            seen = [it for it in (known[to].watched, things.get(one.about)) if it is not None and is_there(it)]
            those = known[to].all_who_see(seen)
            if not those and isinstance(to, str) and to.startswith("user:") and known[to].is_nobody():
                name = to.removeprefix("user:")
                raise Invalid("to", f"to: there is no user {name!r} who may sign in.")
            found.append(those)
        except Invalid as problem:
            found.append(problem)
    return found


@dataclass(slots=True)
class _Addressed:
    """The users whom a name stands for, and the thing that they watch, if it is that; they are asked for once."""

    users: QuerySet[User]
    watched: Model | None
    _ids: list[int] | None = None
    _asked: list[Principal] | None = None
    _is_nobody: bool | None = None

    def is_nobody(self) -> bool:
        if self._is_nobody is None:
            self._is_nobody = not self.users.exists()
        return self._is_nobody

    def all_who_see(self, things: Sequence[Model]) -> list[int]:
        """Return the ids of those who may see `things`."""
        if not things:
            if self._ids is None:
                self._ids = list(self.users.values_list("pk", flat=True))
            return self._ids
        if self._asked is None:
            self._asked = of_users(self.users)
        return [one.pk for one in self._asked if one.pk is not None and all(may(one, SEE, it) for it in things)]


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


def _store(by: Principal, kind: str, wanted: Sequence[tuple[Notice, Sequence[int]]]) -> list[list[Notification]]:
    """Store what people were not told yet, and return it: a list for each notice that somebody was not."""
    keys, everyone = {one.key for one, _ in wanted if one.key}, {user for _, people in wanted for user in people}
    rows = Notification.objects.filter(user__in=everyone, key__in=keys) if keys else Notification.objects.none()
    notified = set(rows.values_list("key", "user"))
    new: list[tuple[Notice, list[int]]] = []
    for one, people in wanted:
        those = sorted(user for user in set(people) if (one.key, user) not in notified)
        notified |= {(one.key, user) for user in those if one.key}
        if those:
            new.append((one, those))
    if not new:
        return []
    counts = Counter(user for _, people in new for user in people)
    heads = logs.take_numbers({person(user): count for user, count in counts.items()})
    at, next_one = datetime.now(UTC), {user: heads[person(user)].newest - count for user, count in counts.items()}
    made: list[list[Notification]] = []
    for one, people in new:
        for user in people:
            next_one[user] += 1
        made.append(
            [
                Notification(
                    user_id=user,
                    number=next_one[user],
                    kind=kind,
                    text=one.text.strip(),
                    about=one.about,
                    by=by.name,
                    key=one.key,
                    at=at,
                )
                for user in people
            ]
        )
    Notification.objects.bulk_create([one for of_one in made for one in of_one], batch_size=STORED_AT_ONCE)
    after_commit(_send, made)  # it is kept; pages compare their bells
    return made


def _send(made: Sequence[Sequence[Notification]]) -> None:
    """Tell every process of some notifications, each of which several people got."""
    users = {one.user_id for of_one in made for one in of_one}
    unread, choices = _unread(users), notification_settings.choices(users)
    chosen = {user: choices.get(user, USUAL) for user in users}
    for of_one in made:
        first = of_one[0]
        people = [
            Addressee(
                one.user_id, one.number, unread.get(one.user_id, 0), chosen[one.user_id].shows(first.kind, first.at)
            )
            for one in of_one
        ]
        bus.notify(people, _toast(first), _data(first))
        web_push.ask(of_one, [one.user_id for one in of_one if chosen[one.user_id].pushes(first.kind, first.at)])


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
    bus.send_to(bus.Person(user), BELL, "outerMorph", bell(user))


def _check(kind: str, notice: Notice) -> None:
    fields = (
        ("kind", kind, KIND_MOST),
        ("text", notice.text, TEXT_MOST),
        ("about", notice.about, ABOUT_MOST),
        ("key", notice.key, KEY_MOST),
    )
    for field, value, most in fields:
        check_storable(value, field)
        if len(value) > most:
            raise Invalid(field, f"{field} has at most {most} characters.")
    if not kind.strip():
        raise Invalid("kind", "kind: it is a word that people filter by.")
    if not notice.text.strip():
        raise Invalid("text", "text: it says nothing.")
    if notice.about and not places.is_ours(notice.about):
        raise Invalid("about", "about: it is a path here, such as /d/shop/.")
