"""Tokens: their secrets, scopes and teams, their end, their last use, and the command that makes them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from metrics.access.bearer import bearer, secret_in
from metrics.access.principal import SYSTEM, Principal, Role, of_user
from metrics.actions import sources, teams, tokens
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.models import AuditEntry, Source, Team, Token
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


class TestSecret:
    def test_it_is_shown_once_and_kept_nowhere(self) -> None:
        secret = make.token("job", "push")
        token = Token.objects.get()
        assert secret.startswith("wf_")
        assert len(secret) > 40
        assert not [value for value in vars(token).values() if isinstance(value, str) and secret[3:] in value]
        assert bearer(secret) == token

    @pytest.mark.parametrize("wrong", ["", "wf_", "wf_nonsense", "größe", "\x00", "x" * 100_000])
    def test_another_finds_nothing(self, wrong: str) -> None:
        make.token("job", "push")
        assert bearer(wrong) is None

    @pytest.mark.parametrize(
        ("header", "secret"),
        [
            ("Bearer wf_a", "wf_a"),
            ("bearer  wf_a ", "wf_a"),
            ("Token wf_a", "wf_a"),
            ("Token me:wf_a", "wf_a"),
            ("Basic bWU6d2ZfYQ==", "wf_a"),
            ("Basic /w==", ""),
            ("Digest wf_a", ""),
            ("wf_a", ""),
            ("", ""),
        ],
    )
    def test_it_may_stand_in_the_header_in_several_ways(self, header: str, secret: str) -> None:
        assert secret_in(header) == secret


class TestMaking:
    @pytest.mark.parametrize(
        ("scope", "has_source"), [("push", True), ("read", False), ("edit", False), ("admin", True)]
    )
    def test_one_that_pushes_has_a_source_of_its_name(self, scope: str, has_source: bool) -> None:
        make.token("job", scope)
        assert Source.objects.filter(name="push: job", kind=Source.PUSH).exists() is has_source

    def test_that_source_belongs_to_its_teams(self) -> None:
        ops = make.team("ops")
        make.token("job", "push", [ops])
        assert list(Source.objects.get().teams.all()) == [ops]

    def test_it_takes_over_no_source_that_its_maker_may_not_change(self) -> None:
        eve = make.user("eve", is_staff=True)
        night, ops = make.team("night", eve), make.team("ops")
        make.token("db", "push", [ops])
        Source.objects.update(for_everyone=False)
        make.revoke_token("db")
        sources.create(SYSTEM, "host", "push: machine", 10, {})
        for by, name in ((of_user(eve), "db"), (of_user(eve), "machine"), (SYSTEM, "machine")):
            with pytest.raises(Invalid, match=f"There is a source 'push: {name}' already") as refused:
                tokens.create(by, name, "push", [night])
            assert refused.value.field == "name"
        assert not Token.objects.filter(revoked_at=None).exists()
        assert tokens.create(SYSTEM, "db", "push", [ops])

    @pytest.mark.parametrize(
        ("name", "scope", "field"),
        [("", "read", "name"), ("  ", "read", "name"), ("x" * 91, "read", "name"), ("a\x00", "read", "name"),
         ("taken", "read", "name"), ("new", "root", "scope")],
    )  # fmt: skip
    def test_what_can_not_be_is_refused_in_a_sentence(self, name: str, scope: str, field: str) -> None:
        make.token("taken", "read")
        with pytest.raises(Invalid, match=r"\.$") as refused:
            tokens.create(SYSTEM, name, scope)
        assert (refused.value.field, Token.objects.count()) == (field, 1)

    def test_one_that_does_everything_is_bound_to_no_team(self) -> None:
        with pytest.raises(Invalid, match="bound to no team"):
            make.token("job", "admin", [make.team("ops")])

    def test_editors_make_them_for_teams_of_their_own(self) -> None:
        ada = make.user(is_staff=True)
        ops, night = make.team("ops", ada), make.team("night")
        by = of_user(ada)
        for those in ([], [night], [ops, night]):
            with pytest.raises(Invalid, match="one or more of your teams"):
                tokens.create(by, "job", "edit", those)
        with pytest.raises(Forbidden, match=r"^Only administrators may create tokens with the scope admin\.$"):
            tokens.create(by, "job", "admin")
        tokens.create(by, "job", "edit", [ops])
        tokens.revoke(by, "job")

    def test_viewers_make_none(self) -> None:
        with pytest.raises(Forbidden, match="only editors and administrators may create tokens"):
            tokens.create(Principal("user", "user vera", Role.VIEWER, 5), "job", "read")


class TestEnd:
    def test_a_revoked_one_is_useless_and_its_name_is_free(self) -> None:
        old = make.token("job", "push")
        make.revoke_token("job")
        new = make.token("job", "push")
        assert bearer(old) is None
        found = bearer(new)
        assert found is not None
        assert found.source == Source.objects.get()

    def test_a_revoked_one_is_not_revoked_again(self) -> None:
        make.token("job", "push")
        make.revoke_token("job")
        with pytest.raises(Missing, match="no token 'job'"):
            make.revoke_token("job")

    def test_the_longest_name_can_be_revoked(self) -> None:
        make.token("x" * 90, "push")
        make.revoke_token("x" * 90)
        assert Token.objects.get().revoked_at is not None

    def test_one_of_another_team_is_not_there(self) -> None:
        make.token("theirs", "read", [make.team("night")])
        ada = make.user(is_staff=True)
        make.team("ops", ada)
        with pytest.raises(Missing):
            tokens.revoke(of_user(ada), "theirs")

    @pytest.mark.parametrize("way", ["action", "row", "group", "rows"])
    def test_with_its_last_team_it_is_revoked_as_without_one_it_would_act_for_all(self, way: str) -> None:
        ops, night = make.team("ops"), make.team("night")
        by = Principal("user", "user ada", Role.ADMIN)
        secrets = {scope: make.token(scope, scope, [ops]) for scope in ("read", "edit", "push")}
        of_both, unbound = make.token("both", "read", [ops, night]), make.token("all", "read")
        AuditEntry.objects.all().delete()
        ways: dict[str, Callable[[], object]] = {
            "action": lambda: teams.delete(by, ops.pk),
            "row": ops.delete,
            "group": Group.objects.get(pk=ops.pk).delete,
            "rows": Team.objects.all().delete,
        }
        ways[way]()
        assert [bearer(secret) for secret in secrets.values()] == [None] * 3
        assert (bearer(of_both) is None, bearer(unbound) is None) == (way == "rows", False)
        who = "user ada" if way == "action" else "watchfloor"
        ended = AuditEntry.objects.filter(noun="token", verb="revoke", by=who)
        assert {one.name for one in ended} >= {"read (read)", "edit (edit)", "push (push)"}

    def test_its_sockets_are_looked_at_again_then(
        self, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        asked: list[str] = []
        monkeypatch.setattr("metrics.live.bus.recheck", lambda **_: asked.append("again"))
        ops = make.team("ops")
        make.token("job", "read", [ops])
        with django_capture_on_commit_callbacks(execute=True):
            tokens.revoke_of(SYSTEM, [ops])
        assert asked == ["again"]

    def test_it_expires(self) -> None:
        now = timezone.now()
        secret = tokens.create(SYSTEM, "job", "read", expires_at=now + timedelta(days=1))
        assert bearer(secret) is not None
        Token.objects.update(expires_at=now)
        assert bearer(secret) is None
        with pytest.raises(Invalid, match="expires in the future"):
            tokens.create(SYSTEM, "late", "read", expires_at=now)


class TestLastUse:
    def test_it_is_known_to_the_minute(self, django_assert_num_queries: Any) -> None:
        secret = make.token("job", "read")
        assert Token.objects.get().last_used_at is None
        bearer(secret)
        first = Token.objects.get().last_used_at
        assert first is not None
        with django_assert_num_queries(2):  # the token and its teams
            bearer(secret)
        Token.objects.update(last_used_at=first - timedelta(seconds=61))
        bearer(secret)
        again = Token.objects.get().last_used_at
        assert again is not None
        assert again >= first

    def test_nothing_fails_because_it_can_not_be_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def locked(_: float) -> None:
            raise OperationalError("database is locked")

        secret = make.token("job", "read")
        monkeypatch.setattr("metrics.database.impatient", locked)
        assert bearer(secret) is not None


class TestCommand:
    def test_it_prints_the_token_and_nothing_else(self, capsys: pytest.CaptureFixture[str]) -> None:
        make.team("ops")
        call_command("token", "job", "--scope", "edit", "--team", "ops", "--days", "7")
        out, err = capsys.readouterr()
        assert err == ""
        token = bearer(out.removesuffix("\n"))
        assert token is not None
        assert (token.name, token.scope, [team.name for team in token.teams.all()]) == ("job", "edit", ["ops"])
        assert token.expires_at is not None
        assert timedelta(days=6) < token.expires_at - timezone.now() <= timedelta(days=7)

    def test_it_has_a_face_that_may_change(self) -> None:
        call_command("token", "job", "--face", "🤖")
        assert Token.objects.get().face == "🤖"
        for face in ("🦉", ""):
            tokens.set_face(SYSTEM, "job", face)
            assert Token.objects.get().face == face
        with pytest.raises(Invalid, match="one emoji"):
            tokens.set_face(SYSTEM, "job", "<b>")
        with pytest.raises(Missing):
            tokens.set_face(SYSTEM, "other", "🦉")

    def test_revoking_prints_nothing_on_stdout(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("token", "job")
        secret = capsys.readouterr().out.strip()
        call_command("token", "job", "--revoke")
        assert capsys.readouterr().out == ""
        assert bearer(secret) is None

    @pytest.mark.parametrize(
        ("args", "said"),
        [
            (["job", "--revoke"], "There is no token 'job'."),
            (["job", "--team", "none"], "team: there is no team 'none'."),
            (["job", "--days", "0"], "A token expires in the future, or never."),
            (["job", "--face", "x"], "A token's face is one emoji, or none."),
        ],
    )
    def test_what_can_not_be_is_one_sentence(self, args: list[str], said: str) -> None:
        with pytest.raises(CommandError) as refused:
            call_command("token", *args)
        assert str(refused.value) == said


def test_of_two_who_make_one_of_the_same_name_at_once_the_slower_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens.create(SYSTEM, "job", "push")
    monkeypatch.setattr("django.db.models.QuerySet.exists", lambda _: False)  # the other is not committed yet
    with pytest.raises(Invalid, match="There is a token 'job' already"):
        tokens.create(SYSTEM, "job", "push")
