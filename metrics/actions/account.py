"""One's own account: the password, and the browsers that are signed in."""

from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.db import transaction

from metrics.access.principal import SYSTEM, Principal, role_of
from metrics.actions import journal
from metrics.live import bus
from metrics.models import PushSubscription, Session
from metrics.times import datetime_of

SIGN_INS_KEPT = timedelta(days=30)


def sessions_of(user: User, now: datetime) -> list[Session]:
    """Return the browsers that are signed in as `user`, the one that was seen last first.

    Those that were before the password was changed are not, whatever is left of them.
    """
    hashes = {user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()}
    found = Session.objects.filter(user=user, expire_date__gt=now).order_by("-seen_at", "-since")
    return [one for one in found if one.get_decoded().get(HASH_SESSION_KEY) in hashes]


def name_of(session: Session) -> str:
    """Return a name for `session` that is no secret, as its key is."""
    return sha256(session.session_key.encode()).hexdigest()[:16]


def end(by: Principal, user: User, name: str | None = None) -> int:
    """Sign out the browser of `user` whose session has this `name`, or all of them; return how many those were.

    When all are signed out, none shows notifications any more.
    """
    with transaction.atomic():
        ended = [one for one in Session.objects.filter(user=user) if name in (None, name_of(one))]
        Session.objects.filter(pk__in=[one.pk for one in ended]).delete()
        if name is None:
            forget_subscriptions(user)
        if ended:
            journal.record(by, "sign out", user, after={"browsers": len(ended)})
        transaction.on_commit(partial(bus.recheck, user=user.pk))
    return len(ended)


def password_changed(by: Principal, user: User) -> None:
    """Write into the journal, in the transaction of the change, that `user` has another password.

    The sessions that the change ends are ended by `metrics.actions.access`, whenever a user is saved.
    """
    journal.record(by, "change password", user)


def forget_subscriptions(user: User) -> None:
    """Have no browser of `user` show notifications until it is subscribed anew.

    Somebody who had the former password may have subscribed their own browser.
    """
    PushSubscription.objects.filter(user=user).delete()


def made_by_command(user: User) -> None:
    """Write into the journal that a command made the administrator `user`."""
    journal.record(SYSTEM, "create", user, after={"role": str(role_of(user))})


def forget(now: float) -> None:
    """Delete sessions that are over, failed sign-ins that no pause counts any more, and the log of old sign-ins."""
    at = datetime_of(now)
    Session.objects.filter(expire_date__lte=at).delete()
    AccessAttempt.objects.filter(attempt_time__lte=at - timedelta(hours=settings.AXES_COOLOFF_TIME)).delete()
    for log in (AccessLog, AccessFailureLog):
        log.objects.filter(attempt_time__lte=at - SIGN_INS_KEPT).delete()
