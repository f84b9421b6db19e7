"""Permissions: of tokens by scope, of users by group."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.management import CommandError, call_command

from metrics.actions import access
from metrics.actions.access import AccessError
from metrics.models import Source, Token
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


class TestToken:
    def test_its_secret_is_shown_once_and_kept_nowhere(self) -> None:
        secret = access.create_token("job", "push")
        token = Token.objects.get()
        assert secret.startswith("wf_")
        assert len(secret) > 40
        assert not [value for value in vars(token).values() if isinstance(value, str) and secret[3:] in value]
        assert access.find_token(secret) == token

    @pytest.mark.parametrize("wrong", ["", "wf_", "wf_nonsense", "größe", "\x00", "x" * 100_000])
    def test_another_secret_finds_nothing(self, wrong: str) -> None:
        access.create_token("job", "push")
        assert access.find_token(wrong) is None

    @pytest.mark.parametrize(
        ("scope", "allowed"), [("push", {"push"}), ("read", {"read"}), ("admin", {"push", "read", "admin"})]
    )
    def test_a_scope_grants_what_it_says_and_nothing_else(self, scope: str, allowed: set[str]) -> None:
        token = access.find_token(access.create_token("job", scope))
        assert token is not None
        assert {asked for asked in Token.Scope.values if access.grants(token, asked)} == allowed

    @pytest.mark.parametrize(("scope", "has_source"), [("push", True), ("read", False), ("admin", True)])
    def test_one_that_pushes_has_a_source_of_its_name(self, scope: str, has_source: bool) -> None:
        access.create_token("job", scope)
        assert Source.objects.filter(name="push: job", kind=Source.PUSH).exists() is has_source

    def test_a_revoked_one_is_useless_and_its_name_is_free(self) -> None:
        old = access.create_token("job", "push")
        access.revoke_token("job")
        new = access.create_token("job", "push")
        assert access.find_token(old) is None
        found = access.find_token(new)
        assert found is not None
        assert found.source == Source.objects.get()

    def test_a_revoked_one_is_not_revoked_again(self) -> None:
        access.create_token("job", "push")
        access.revoke_token("job")
        with pytest.raises(AccessError, match="no token 'job'"):
            access.revoke_token("job")

    @pytest.mark.parametrize("name", ["", "  ", "x" * 91, "taken"])
    def test_a_name_that_can_not_be_is_refused_in_a_sentence(self, name: str) -> None:
        access.create_token("taken", "read")
        with pytest.raises(AccessError, match=r"\.$"):
            access.create_token(name, "read")
        assert Token.objects.count() == 1

    def test_the_longest_name_can_be_revoked(self) -> None:
        access.create_token("x" * 90, "push")
        access.revoke_token("x" * 90)
        assert Token.objects.get().revoked_at is not None


class TestTokenCommand:
    def test_it_prints_the_token_and_nothing_else(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("token", "job", "--scope", "read")
        out, err = capsys.readouterr()
        assert err == ""
        token = access.find_token(out.removesuffix("\n"))
        assert token is not None
        assert (token.name, token.scope) == ("job", "read")

    def test_revoking_prints_nothing_on_stdout(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("token", "job")
        secret = capsys.readouterr().out.strip()
        call_command("token", "job", "--revoke")
        assert capsys.readouterr().out == ""
        assert access.find_token(secret) is None

    def test_what_can_not_be_is_one_sentence(self) -> None:
        with pytest.raises(CommandError, match=r"^There is no token 'job'\.$"):
            call_command("token", "job", "--revoke")


class TestVisibleDashboards:
    @pytest.fixture(autouse=True)
    def _dashboards(self) -> None:
        self.ops = Group.objects.create(name="ops")
        self.night = Group.objects.create(name="night")
        make.dashboard("open")
        make.dashboard("ops-only", groups=[self.ops])
        make.dashboard("both", groups=[self.ops, self.night])

    def seen(self, user: object) -> list[str]:
        return sorted(access.visible_dashboards(user).values_list("slug", flat=True))  # type: ignore[arg-type]

    def test_nobody_sees_nothing(self) -> None:
        assert self.seen(AnonymousUser()) == []
        assert self.seen(make.user(is_active=False)) == []

    def test_everyone_signed_in_sees_what_has_no_groups(self) -> None:
        assert self.seen(make.user()) == ["open"]

    def test_groups_add_theirs_once(self) -> None:
        user = make.user()
        user.groups.set([self.ops, self.night])
        assert self.seen(user) == ["both", "open", "ops-only"]
        user.groups.set([self.night])
        assert self.seen(user) == ["both", "open"]

    def test_an_admin_sees_all_and_staff_do_not(self) -> None:
        assert self.seen(make.admin()) == ["both", "open", "ops-only"]
        assert self.seen(make.user(is_staff=True)) == ["open"]
