"""Web Push: browsers that people subscribed, the key to sign with, and sending what they should know."""

import hashlib
import socket
from collections import defaultdict
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

import structlog
from celery.exceptions import OperationalError
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from redis import RedisError

from metrics.access.principal import Principal
from metrics.actions import credentials, journal, notification_settings
from metrics.actions.errors import Forbidden, Invalid
from metrics.models import Notification, NotificationSettings, PushSubscription, VapidKey
from metrics.notify.web_push import Browser, Key, Message, Outcome, new_key, send
from metrics.redis_state import outage, pushing

log = structlog.get_logger(__name__)

TRIES = 5
FIRST_WAIT_S = 30
BROWSERS_MOST = 20


def prepare_key() -> None:
    """Make the key that this installation signs with, if there is none, and keep it under today's SECRET_KEY.

    One that can't be read any more is replaced. Browsers were subscribed with it, so they have to be anew.
    """
    row = VapidKey.objects.select_for_update().first()
    if row is not None:
        try:
            private = credentials.unseal(row.sealed)
        except credentials.LostKey:
            log.warning("the key of Web Push can't be read with this SECRET_KEY; browsers have to be subscribed anew")
            PushSubscription.objects.all().delete()
            row.delete()
        else:
            if settings.SECRET_KEY_FALLBACKS:
                row.sealed = credentials.seal(private)
                row.save(update_fields=["sealed"])
            return
    key = new_key()
    VapidKey.objects.create(sealed=credentials.seal(key.private), public=key.public)


def public_key() -> str:
    """Return the public half of the key, in base64url; empty if there is none yet."""
    return VapidKey.objects.values_list("public", flat=True).first() or ""


def subscribe(by: Principal, endpoint: str, p256dh: str, auth: str, name: str) -> PushSubscription:
    """Have a browser of `by`, a person, show notifications; `name` is for people. Raises Forbidden or Invalid.

    The first one of a person who chose no kinds to be pushed gets all of them.
    """
    if by.kind != "user" or by.pk is None:
        raise Forbidden("Only people subscribe their browsers.")
    try:
        Browser(endpoint, p256dh, auth)
    except ValueError as problem:
        raise Invalid(str(problem).partition(":")[0], str(problem)) from None
    if not endpoint.startswith("https://"):
        raise Invalid("endpoint", "endpoint: a push service is reached by https:// alone.")
    with transaction.atomic():
        fields = {"endpoint": endpoint, "p256dh": p256dh, "auth": auth, "browser": name[:100], "user_id": by.pk}
        made, is_new = PushSubscription.objects.update_or_create(digest=digest_of(endpoint), defaults=fields)
        if is_new:
            journal.record(by, "create", made)
        for one in PushSubscription.objects.filter(user=by.pk).order_by("-pk")[BROWSERS_MOST:]:
            one.delete()
        _push_something(by.pk)
    return made


def unsubscribe(by: Principal, id: int | None = None, endpoint: str = "") -> bool:
    """Have a browser of `by`, by its id or its endpoint, show none any more; return whether there was such a one."""
    own = PushSubscription.objects.filter(user=by.pk) if by.kind == "user" else PushSubscription.objects.none()
    with transaction.atomic():
        found = own.filter(pk=id) if id is not None else own.filter(digest=digest_of(endpoint))
        one = found.first()
        if one is None:
            return False
        journal.record(by, "delete", one)
        one.delete()
    return True


def subscriptions(user: int) -> list[PushSubscription]:
    """Return the browsers of `user` (id), the newest first."""
    return list(PushSubscription.objects.filter(user=user).order_by("-pk"))


def digest_of(endpoint: str) -> str:
    """Return the name that the browser of `endpoint` is found by."""
    return hashlib.sha256(endpoint.encode()).hexdigest()


def ask(made: Sequence[Notification], users: Collection[int]) -> None:
    """Have a worker push those of `made` that are for `users` (ids) who have browsers. Without Redis it is logged."""
    if not users:
        return
    subscribed = set(PushSubscription.objects.filter(user__in=users).order_by().values_list("user", flat=True))
    ids = [one.pk for one in made if one.user_id in subscribed]
    if ids:
        _ask(ids)


def deliver(notifications: Sequence[int], tried: int) -> None:
    """Push those of `notifications` (ids) that are unread to the browsers of their people, none of them twice.

    Browsers that are gone are forgotten. A push that may succeed later is asked for again, `TRIES` times in all.
    """
    key = _key()
    rows = Notification.objects.filter(pk__in=notifications, read_at=None, user__is_active=True)
    of_user: defaultdict[int, list[PushSubscription]] = defaultdict(list)
    for one in PushSubscription.objects.filter(user__in=rows.order_by().values("user")):
        of_user[one.user_id].append(one)
    pairs = {(row.pk, one.pk): (row, one) for row in rows for one in of_user[row.user_id]}
    for known in pushing.sent(list(pairs)):
        del pairs[known]
    if key is None or not pairs:
        return
    jobs = [(Browser(one.endpoint, one.p256dh, one.auth), _message(row)) for row, one in pairs.values()]
    outcomes = dict(zip(pairs, send(jobs, key, _contact()), strict=True))
    pushing.note_sent([pair for pair, outcome in outcomes.items() if outcome is Outcome.SENT])
    gone = [one for (_, one), outcome in outcomes.items() if outcome is Outcome.GONE]
    PushSubscription.objects.filter(pk__in=gone).delete()
    if refused := sum(outcome is Outcome.REFUSED for outcome in outcomes.values()):
        log.warning("push services refused messages", count=refused)
    later = sorted({row for (row, _), outcome in outcomes.items() if outcome is Outcome.LATER})
    if later and tried + 1 < TRIES:
        _ask(later, tried + 1, FIRST_WAIT_S * 2**tried)


def _push_something(user: int) -> None:
    """Have all kinds of ours pushed to `user` (id) if none is: for nothing nobody subscribes a browser."""
    row = NotificationSettings.objects.get_or_create(user=User.objects.get(pk=user))[0]
    if not row.pushed_kinds:
        row.pushed_kinds = list(notification_settings.KINDS)
        row.save(update_fields=["pushed_kinds"])


def _ask(ids: Sequence[int], tried: int = 0, wait_s: float = 0) -> None:
    try:
        pushing.ask(ids, tried, wait_s)
    except (RedisError, OperationalError) as error:
        outage.log("nothing was pushed", error)


def _message(notification: Notification) -> Message:
    title = f"{notification_settings.title_of(notification.kind)}: {notification.sender}"
    path = notification.about or "/notifications/"
    return Message(title[:100], notification.text, path, f"{notification.user_id}-{notification.number}")


def _key() -> Key | None:
    row = VapidKey.objects.first()
    try:
        return Key(credentials.unseal(row.sealed), row.public) if row else None
    except credentials.LostKey:  # the next start makes another
        return None


def _contact() -> str:
    return f"mailto:admin@{urlsplit(settings.PUBLIC_URL).hostname or socket.gethostname()}"
