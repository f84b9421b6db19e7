"""Users and teams: invitations, roles, the last administrator, and sharing with teams."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from metrics.access.principal import SYSTEM, Principal, Role, of_user, role_of
from metrics.access.sharing import Access
from metrics.actions import dashboards, drawn, sources, teams, users
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.actions.teams import access_of
from metrics.models import Dashboard, Invitation, Session, Source, Team
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

GOOD = "four words make it"
EDITOR = Principal("user", "user eve", Role.EDITOR, 99)


class TestInvitation:
    def test_it_makes_one_account_with_its_role_and_teams(self) -> None:
        ops = make.team("ops")
        secret = users.invite(SYSTEM, "editor", [ops], "Grace")
        assert secret not in str(Invitation.objects.values())
        made = users.accept(secret, "grace", GOOD, GOOD)
        assert (role_of(made), list(made.groups.all())) == (Role.EDITOR, [Team.objects.get()])
        assert made.check_password(GOOD)
        with pytest.raises(Invalid, match="used already"):
            users.accept(secret, "hal", GOOD, GOOD)
        assert not User.objects.filter(username="hal").exists()

    def test_it_ends_after_a_week(self) -> None:
        secret = users.invite(SYSTEM, "viewer")
        until = Invitation.objects.get().expires_at
        assert timedelta(days=6, hours=23) < until - timezone.now() <= timedelta(days=7)
        Invitation.objects.update(expires_at=timezone.now())
        with pytest.raises(Invalid, match="is over"):
            users.accept(secret, "grace", GOOD, GOOD)
        users.forget_invitations()
        assert not Invitation.objects.exists()

    @pytest.mark.parametrize(
        ("name", "password", "again", "fields"),
        [
            ("", GOOD, GOOD, ["name"]),
            ("ada", GOOD, GOOD, ["name"]),
            ("a b", GOOD, GOOD, ["name"]),
            ("x" * 151, GOOD, GOOD, ["name"]),
            ("grace", "short", "short", ["password"]),
            ("grace", "password1", "password1", ["password"]),
            ("grace", GOOD, "another", ["again"]),
            ("a b", GOOD, "another", ["name", "again"]),
        ],
    )
    def test_what_is_wrong_is_said_and_leaves_it(self, name: str, password: str, again: str, fields: list[str]) -> None:
        make.user("ada")
        secret = users.invite(SYSTEM, "viewer")
        with pytest.raises(Invalid) as refused:
            users.accept(secret, name, password, again)
        assert [field for field, _ in refused.value.all] == fields
        assert (User.objects.count(), Invitation.objects.count()) == (1, 1)

    def test_it_is_withdrawn(self) -> None:
        secret = users.invite(SYSTEM, "viewer")
        users.withdraw(SYSTEM, Invitation.objects.get().pk)
        with pytest.raises(Invalid):
            users.accept(secret, "grace", GOOD, GOOD)
        with pytest.raises(Missing):
            users.withdraw(SYSTEM, 7)

    def test_only_administrators_invite(self) -> None:
        with pytest.raises(Forbidden, match="only administrators may create invitations"):
            users.invite(EDITOR, "viewer")

    def test_there_is_no_such_role(self) -> None:
        with pytest.raises(Invalid, match="There is no role 'king'"):
            users.invite(SYSTEM, "king")


class TestChange:
    @pytest.mark.parametrize(("name", "role"), users.ROLES.items())
    def test_each_role_can_be_given(self, name: str, role: Role) -> None:
        make.admin()
        ada = make.user("ada")
        assert role_of(users.change(SYSTEM, ada.pk, role=name)) is role

    @pytest.mark.parametrize("changes", [{"role": "editor"}, {"role": "viewer"}, {"is_active": False}])
    def test_the_last_administrator_stays(self, changes: dict[str, Any]) -> None:
        root = make.admin()
        make.user("gone", is_superuser=True, is_active=False)
        with pytest.raises(Invalid, match="root is the only administrator"):
            users.change(SYSTEM, root.pk, **changes)
        root.refresh_from_db()
        assert role_of(root) is Role.ADMIN

    @pytest.mark.django_db(transaction=True)
    def test_of_two_who_take_the_role_from_each_other_one_stays(self) -> None:
        pair, start, refused = [make.admin(), make.user("boss", is_superuser=True)], threading.Barrier(2), list[str]()

        def demote(user: User) -> None:
            try:
                start.wait(10)
                users.change(SYSTEM, user.pk, role="viewer")
            except Invalid as problem:
                refused.append(str(problem))
            finally:
                connection.close()

        threads = [threading.Thread(target=demote, args=(one,)) for one in pair]
        for one in threads:
            one.start()
        for one in threads:
            one.join(20)
        assert len(refused) == 1
        assert User.objects.filter(is_superuser=True).count() == 1

    def test_who_is_turned_off_is_signed_out(self, client: Any) -> None:
        make.admin()
        ada = make.user("ada")
        client.force_login(ada)
        assert Session.objects.filter(user=ada).exists()
        users.change(SYSTEM, ada.pk, is_active=False)
        assert not Session.objects.filter(user=ada).exists()
        assert of_user(User.objects.get(pk=ada.pk)).role is Role.NOBODY

    def test_only_administrators_change_users(self) -> None:
        with pytest.raises(Forbidden, match="only administrators may change users"):
            users.change(EDITOR, make.user().pk, role="viewer")
        with pytest.raises(Missing):
            users.change(SYSTEM, 7, role="viewer")


class TestTeams:
    @pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00", "ops"])
    def test_a_name_that_can_not_be_is_refused(self, name: str) -> None:
        make.team("ops")
        with pytest.raises(Invalid):
            teams.create(SYSTEM, name)
        assert Team.objects.count() == 1

    def test_members_are_set(self) -> None:
        ada, ops = make.user("ada"), make.team("ops")
        teams.set_members(SYSTEM, ops.pk, [ada])
        assert of_user(ada).teams == frozenset({ops.pk})

    def test_what_belonged_to_a_removed_one_is_published_to_nobody(self) -> None:
        ops = make.team("ops")
        make.dashboard("secret", teams=[ops])
        teams.delete(SYSTEM, ops.pk)
        secret = Dashboard.objects.get()
        assert (secret.for_everyone, list(secret.teams.all())) == (False, [])

    @pytest.mark.parametrize(
        "call",
        [
            lambda by, id: teams.create(by, "new"),
            lambda by, id: teams.rename(by, id, "new"),
            lambda by, id: teams.set_members(by, id, []),
            lambda by, id: teams.delete(by, id),
        ],
    )
    def test_only_administrators_change_them(self, call: Any) -> None:
        ops = make.team("ops")
        with pytest.raises(Forbidden, match="only administrators may"):
            call(EDITOR, ops.pk)


class TestSharing:
    """A dashboard draws what its teams may see, so who is not in a team can't give it things."""

    @pytest.fixture(autouse=True)
    def _teams(self) -> None:
        self.ada = make.user("ada", is_staff=True)
        make.team("ops", self.ada)
        make.team("night")
        self.by = of_user(self.ada)

    def test_a_dashboard_is_given_to_own_teams_only(self) -> None:
        document = {"slug": "shop", "title": "Shop", "widgets": []}
        with pytest.raises(Invalid, match="only a member, or an administrator, may give things to night"):
            dashboards.create(self.by, {**document, "access": {"teams": ["night"]}})
        dashboards.create(self.by, {**document, "access": {"everyone": False, "teams": ["ops"]}})
        with pytest.raises(Invalid, match="may give things to night"):
            dashboards.change(self.by, "shop", {"access": {"teams": ["ops", "night"]}}, None)

    def test_nor_taken_from_another(self) -> None:
        make.dashboard("both", teams=[*Team.objects.all()])
        with pytest.raises(Invalid, match="may give things to night, or take them"):
            dashboards.change(self.by, "both", {"access": {"teams": ["ops"]}}, None)
        dashboards.change(self.by, "both", {"access": {"everyone": True, "teams": ["night", "ops"]}}, None)

    def test_a_source_as_well(self) -> None:
        with pytest.raises(Invalid, match="may give things to night"):
            sources.create(self.by, "host", "x", 10, {}, access=Access(teams=["night"]))
        made = sources.create(self.by, "host", "x", 10, {}, access=Access(everyone=False, teams=["ops"]))
        assert access_of(made) == Access(everyone=False, teams=["ops"])
        with pytest.raises(Invalid, match=r"access\.teams: there is no team 'none'"):
            sources.change(self.by, made.pk, {"access": {"teams": ["none"]}})
        assert sources.change(self.by, made.pk, {"access": {"everyone": True, "teams": ["ops"]}}).for_everyone

    def test_the_series_of_a_deleted_source_stay_with_its_team(self) -> None:
        made = sources.create(self.by, "host", "x", 10, {}, access=Access(everyone=False, teams=["ops"]))
        make.stored("secret", {10: 1}, made)
        sources.delete(self.by, made.pk)
        assert not Source.objects.exists()
        kept = Source.with_deleted.get()
        assert (kept.config, kept.secrets, kept.every_s, kept.series.count()) == ({}, "", None, 1)
        with pytest.raises(Missing):
            sources.find(SYSTEM, made.pk)
        assert sources.create(self.by, "host", "x", 10, {}).pk != made.pk

    def test_a_dashboard_that_is_shared_wider_than_a_source_says_so(self) -> None:
        ops = Access(everyone=False, teams=["ops"])
        source = sources.create(self.by, "host", "x", 10, {}, access=ops)
        make.stored("secret", {10: 1}, source)
        widgets = [make.widget("secret")]
        closed = make.dashboard("closed", widgets, teams=[Team.objects.get(name="ops")])
        assert drawn.shared_wider(closed) == []
        dashboards.change(SYSTEM, "closed", {"access": {"everyone": False, "teams": ["ops", "night"]}}, None)
        assert drawn.shared_wider(closed) == [source]
        dashboards.change(SYSTEM, "closed", {"access": {"everyone": True, "teams": ["ops"]}}, None)
        closed.refresh_from_db()
        assert drawn.shared_wider(closed) == [source]
        assert drawn.shared_wider(make.dashboard("open", widgets)) == []
