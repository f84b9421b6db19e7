"""One's own account: the browsers that are signed in, and what is left of those that were."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session as DjangosSession
from django.core import signing

from dashboard_project.sessions import SessionStore
from metrics.access.principal import SYSTEM
from metrics.actions import account
from metrics.models import AuditEntry, Session
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

NOW = datetime.fromtimestamp(make.AT, UTC)


def session(key: str, user: str = "ada", seen: timedelta = timedelta(), left: timedelta = timedelta(days=1)) -> Session:
    who = User.objects.filter(username=user).first() or make.user(user)
    data = SessionStore().encode({HASH_SESSION_KEY: who.get_session_auth_hash()})
    return Session.objects.create(
        session_key=key, session_data=data, user=who, seen_at=NOW - seen, expire_date=NOW + left
    )


def test_one_s_browsers_are_those_that_are_signed_in_the_last_seen_first() -> None:
    old, new = session("a" * 32, seen=timedelta(hours=2)), session("b" * 32)
    session("c" * 32, "grace")
    session("d" * 32, left=-timedelta(seconds=1))
    ada = User.objects.get(username="ada")
    assert account.sessions_of(ada, NOW) == [new, old]
    ada.set_password("another-long-one")
    ada.save()
    assert account.sessions_of(ada, NOW) == []


def test_a_name_of_a_session_is_not_its_key() -> None:
    one = session("a" * 32)
    assert one.session_key not in account.name_of(one) + str(one)


@pytest.mark.parametrize(("named", "left"), [("a", {"b", "c"}), (None, {"c"}), ("c", {"a", "b", "c"})])
def test_only_one_s_own_are_ended(named: str | None, left: set[str]) -> None:
    keys = {name: session(name * 32, user) for name, user in (("a", "ada"), ("b", "ada"), ("c", "grace"))}
    user = User.objects.get(username="ada")
    assert account.end(SYSTEM, user, None if named is None else account.name_of(keys[named])) == 3 - len(left)
    assert {one.session_key[0] for one in Session.objects.all()} == left


def test_signing_out_is_written_into_the_journal_if_anybody_was() -> None:
    session("a" * 32), session("b" * 32)
    user = User.objects.get(username="ada")
    for _ in range(2):
        account.end(SYSTEM, user)
    (entry,) = AuditEntry.objects.all()
    assert (entry.verb, entry.noun, entry.name, entry.after) == ("sign out", "user", "ada", {"browsers": 2})


def test_what_is_old_of_sessions_and_sign_ins_is_deleted() -> None:
    session("a" * 32), session("b" * 32, left=timedelta())
    tried = {
        AccessAttempt: (timedelta(minutes=14), timedelta(minutes=16)),
        AccessLog: (timedelta(days=29), timedelta(days=31)),
        AccessFailureLog: (timedelta(days=29), timedelta(days=31)),
    }
    for model, ages in tried.items():
        for number, age in enumerate(ages):
            more = {"failures_since_start": 1} if model is AccessAttempt else {}
            made = model.objects.create(username=str(number), ip_address="192.0.2.7", user_agent="", **more)
            model.objects.filter(pk=made.pk).update(attempt_time=NOW - age)
    account.forget(make.AT)
    assert [one.session_key[0] for one in Session.objects.all()] == ["a"]
    assert [[one.username for one in model.objects.all()] for model in tried] == [["0"]] * 3


def test_an_upgrade_signs_nobody_out() -> None:
    """Sessions of releases before ours were in Django's own table."""
    user = make.user()

    def kept(key: str, data: object, left: timedelta = timedelta(days=1)) -> None:
        said = signing.dumps(data, salt="django.contrib.sessions.SessionStore", serializer=signing.JSONSerializer)
        DjangosSession.objects.create(session_key=key * 32, session_data=said, expire_date=datetime.now(UTC) + left)

    kept("a", {"_auth_user_id": str(user.pk), "more": 1})
    kept("b", {"_auth_user_id": "999999"})
    kept("c", {})
    kept("d", {"_auth_user_id": str(user.pk)}, -timedelta(days=1))
    DjangosSession.objects.create(session_key="e" * 32, session_data="?", expire_date=datetime.now(UTC) + timedelta(1))
    import_module("metrics.migrations.0021_sessions_and_probe").keep_sessions(apps, None)
    (one,) = Session.objects.all()
    assert (one.session_key[0], one.user) == ("a", user)
    assert SessionStore(one.session_key)["more"] == 1
    assert not DjangosSession.objects.exists()
