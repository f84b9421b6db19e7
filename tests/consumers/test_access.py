"""Access of sockets: many at once are told the same as each alone, and cost few queries."""

from collections.abc import Sequence
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from consumers.access import Question, judge
from consumers.codes import NO_ACCESS, NO_SUCH_THING, SIGN_IN
from consumers.holders import Credential, holders
from metrics.access.principal import SYSTEM, of_user
from metrics.actions import rooms
from metrics.live.topic import DASHBOARD, PERSON, ROOM
from metrics.models import Session, Token
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


def session(user: User) -> Credential:
    client = Client()
    client.force_login(user)
    return Credential(str(client.session.session_key), "")


def token(name: str, scope: str = "edit", teams: Sequence[Any] = ()) -> Credential:
    return Credential("", make.token(name, scope, teams))


def test_many_at_once_are_told_what_each_is_told_alone(redis: object) -> None:
    ada, bob, cyd = (make.user(name) for name in ("ada", "bob", "cyd"))
    ops = make.team("ops", ada)
    shop = make.dashboard(teams=[ops])
    everyone = rooms.create(SYSTEM, "Everyone").pk
    of_ops = rooms.create(SYSTEM, "Ops", {"everyone": False, "teams": ["ops"]}).pk
    of_bob = rooms.create(SYSTEM, "Bob", {"everyone": False, "teams": []}, ["bob"]).pk
    of_two = rooms.direct(of_user(bob), "cyd").pk
    outdated, revoked = session(cyd), token("revoked")
    Session.objects.filter(session_key=outdated.session).update(expire_date=timezone.now())
    Token.objects.filter(name="revoked").update(revoked_at=timezone.now())
    ticket = token("ticket")
    asked = {
        "ada": session(ada),
        "bob": session(bob),
        "bob in another browser": session(bob),
        "cyd": session(cyd),
        "bot": token("bot"),
        "bot of ops": token("bot of ops", teams=[ops]),
        "bot by ticket": Credential("", "", Token.objects.get(digest=Token.digest_of(ticket.token)).pk),
        "pushes": token("pushes", "push"),
        "outdated": outdated,
        "revoked": revoked,
        "nobody": Credential("", ""),
        "no key": Credential("no\x00key", ""),
        "no link": Credential("", "", link=("7", "secret")),
    }
    sees: dict[tuple[str, int | str], set[str]] = {
        (ROOM, everyone): {"ada", "bob", "bob in another browser", "cyd", "bot", "bot of ops", "bot by ticket"},
        (ROOM, of_ops): {"ada", "bot", "bot of ops", "bot by ticket"},
        (ROOM, of_bob): {"bob", "bob in another browser", "bot", "bot by ticket"},
        (ROOM, of_two): {"bob", "bob in another browser", "cyd"},
        (DASHBOARD, shop.pk): {"ada", "bot", "bot of ops", "bot by ticket"},
        (DASHBOARD, "shop"): {"ada", "bot", "bot of ops", "bot by ticket"},
        (PERSON, ""): {"ada", "bob", "bob in another browser", "cyd"},
        (PERSON, bob.pk): {"bob", "bob in another browser"},
    }
    questions = {(who, thing): Question(one, *thing) for who, one in asked.items() for thing in sees}
    together = async_to_sync(judge)(questions.values())
    for (who, thing), question in questions.items():
        decision = together[question]
        assert decision == async_to_sync(judge)([question])[question], (who, thing)
        if who in sees[thing]:
            assert decision.code is None, (who, thing)
        elif who in ("outdated", "revoked", "nobody", "no key", "no link"):
            assert decision.code not in (None, NO_SUCH_THING), (who, thing)
        else:
            assert decision.code == (NO_ACCESS if who == "pushes" else NO_SUCH_THING), (who, thing)
    assert together[questions["revoked", (PERSON, "")]].code == SIGN_IN
    assert {together[questions[who, (PERSON, "")]].id for who in ("bob", "bob in another browser")} == {bob.pk}


def test_a_thousand_programs_are_a_few_queries(redis: object, django_assert_max_num_queries: Any) -> None:
    room = rooms.create(SYSTEM, "Everyone").pk
    programs = [token(f"bot {number}") for number in range(20)]
    people = [session(make.user(f"person {number}")) for number in range(5)]
    with django_assert_max_num_queries(8):  # tokens, their teams, and that they were used, with a limit of time
        assert len({one.name for one in holders(programs).values()}) == 20
    with django_assert_max_num_queries(2 + len(people)):  # sessions, teams, and each person
        holders(people)
    assert Token.objects.filter(last_used_at=None).count() == 0
    found = async_to_sync(judge)(Question(one, ROOM, room) for one in [*programs, *people])
    assert {one.code for one in found.values()} == {None}
