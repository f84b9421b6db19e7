"""Accounts in the admin: staff who may change users give nobody, themselves included, more than they have."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from metrics.models import AuditEntry
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

HELD = ("view_user", "add_user", "change_user", "delete_user", "view_group", "change_group", "change_source")


@pytest.fixture(autouse=True)
def staff(client: Client) -> User:
    made = make.user("ada", is_staff=True)
    made.user_permissions.set(Permission.objects.filter(codename__in=HELD))
    made.groups.set([Group.objects.create(name="day")])
    client.force_login(made)
    return made


@pytest.fixture
def grace() -> User:
    return make.user("grace")


def permission(name: str) -> Permission:
    return Permission.objects.get(codename=name)


def save(client: Client, user: User, **changes: Any) -> Any:
    fields = {
        "username": user.username,
        "email": user.email,
        "is_active": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00",
        "groups": [],
        "user_permissions": [],
        **changes,
    }
    return client.post(reverse("admin:auth_user_change", args=[user.pk]), fields)


def change_password(client: Client, user: User) -> Any:
    chosen = {"password1": "a-long-new-one", "password2": "a-long-new-one", "usable_password": "true"}
    path = reverse("admin:auth_user_password_change", args=[user.pk])
    return client.post(path, {**chosen, "set-password": "yes"})


@pytest.mark.parametrize("who", ["ada", "grace"])
def test_nobody_is_made_a_superuser(client: Client, grace: User, who: str) -> None:
    user = User.objects.get(username=who)
    own = {"user_permissions": list(user.user_permissions.values_list("pk", flat=True)), "is_staff": "on"}
    assert save(client, user, is_superuser="on", email="new@example.com", **own).status_code == 302
    user.refresh_from_db()
    assert (user.email, user.is_superuser) == ("new@example.com", False)


def test_the_form_offers_what_they_have_themselves(client: Client, grace: User) -> None:
    Group.objects.create(name="night")
    form = client.get(reverse("admin:auth_user_change", args=[grace.pk])).context["adminform"].form
    assert "is_superuser" not in form.fields
    assert [one.name for one in form.fields["groups"].queryset] == ["day"]
    assert {one.codename for one in form.fields["user_permissions"].queryset} == set(HELD)


def test_what_they_have_they_may_give(client: Client, grace: User) -> None:
    given = {"groups": [Group.objects.get().pk], "user_permissions": [permission("change_source").pk]}
    assert save(client, grace, **given).status_code == 302
    assert grace.has_perm("metrics.change_source")
    assert grace.groups.get().name == "day"


@pytest.mark.parametrize("who", ["ada", "grace"])
def test_what_they_lack_they_may_not_give(client: Client, grace: User, who: str) -> None:
    user, night = User.objects.get(username=who), Group.objects.create(name="night")
    for more in ({"groups": [night.pk]}, {"user_permissions": [permission("delete_source").pk]}):
        response = save(client, user, **more)
        assert response.status_code == 200
        assert "Select a valid choice" in response.content.decode()
    assert not User.objects.filter(groups=night).exists()
    assert not User.objects.filter(user_permissions__codename="delete_source").exists()


def _superuser(user: User) -> None:
    user.is_superuser = True


def _dormant_superuser(user: User) -> None:
    user.is_superuser, user.is_active = True, False


def _member(user: User) -> None:
    user.groups.add(Group.objects.create(name="night"))


def _more_able(user: User) -> None:
    user.user_permissions.add(permission("delete_source"))


def _dormant_more_able(user: User) -> None:
    _more_able(user)
    user.is_active = False


def _more_able_by_group(user: User) -> None:
    group = Group.objects.get()
    group.permissions.add(permission("change_token"))
    User.objects.get(username="ada").groups.clear()
    user.groups.add(group)


@pytest.mark.parametrize(
    "has_more", [_superuser, _dormant_superuser, _member, _more_able, _dormant_more_able, _more_able_by_group]
)
def test_an_account_that_can_do_more_is_not_theirs_to_change(client: Client, grace: User, has_more: Any) -> None:
    has_more(grace)
    grace.save()
    before = User.objects.values().get(pk=grace.pk)
    assert save(client, grace, email="mine@example.com").status_code == 403
    assert change_password(client, grace).status_code == 403
    assert client.post(reverse("admin:auth_user_delete", args=[grace.pk]), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [grace.pk], "post": "yes"}
    client.post(reverse("admin:auth_user_changelist"), chosen)
    assert User.objects.values().get(pk=grace.pk) == before


def test_an_account_that_can_do_no_more_is_theirs_to_change(client: Client, grace: User) -> None:
    assert change_password(client, grace).status_code == 302
    grace.refresh_from_db()
    assert grace.check_password("a-long-new-one")
    assert client.post(reverse("admin:auth_user_delete", args=[grace.pk]), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(username="grace").exists()


def test_a_new_account_can_do_nothing_yet(client: Client) -> None:
    chosen = {
        "username": "eve",
        "password1": "a-long-new-one",
        "password2": "a-long-new-one",
        "usable_password": "true",
    }
    client.post(reverse("admin:auth_user_add"), {**chosen, "is_superuser": "on", "is_staff": "on"})
    eve = User.objects.get(username="eve")
    assert (eve.is_superuser, eve.is_staff) == (False, False)


def test_a_group_gets_no_more_either(client: Client, staff: User) -> None:
    day, path = Group.objects.get(), "admin:auth_group_change"
    lacking = {"name": "day", "permissions": [permission("delete_source").pk]}
    assert client.post(reverse(path, args=[day.pk]), lacking).status_code == 200
    assert not staff.has_perm("metrics.delete_source")
    had = {"name": "early", "permissions": [permission("change_source").pk]}
    assert client.post(reverse(path, args=[day.pk]), had).status_code == 302
    day.permissions.add(permission("delete_source"))
    staff.groups.clear()
    assert client.post(reverse(path, args=[day.pk]), had).status_code == 403


def test_a_superuser_may_give_everything(client: Client, grace: User) -> None:
    client.force_login(make.admin())
    assert save(client, grace, is_superuser="on", groups=[Group.objects.get().pk]).status_code == 302
    grace.refresh_from_db()
    assert grace.is_superuser


@pytest.mark.django_db(transaction=True)
class TestJournal:
    """Outside of a transaction of the test's own, as it is for those who use the admin."""

    @staticmethod
    def written() -> list[tuple[str, str, str, str, Any]]:
        rows = AuditEntry.objects.order_by("id")
        return [(one.by, one.verb, one.noun, one.name, one.after) for one in rows]

    def test_what_is_changed_is_an_entry(self, client: Client, grace: User) -> None:
        assert save(client, grace, email="new@example.com").status_code == 302
        assert self.written() == [("user ada", "change", "user", "grace", {"fields": ["Email address", "Date joined"]})]

    def test_a_password_is_one_that_does_not_say_it(self, client: Client, grace: User) -> None:
        assert change_password(client, grace).status_code == 302
        ((by, verb, _, name, after),) = self.written()
        assert (by, verb, name) == ("user ada", "change", "grace")
        assert "a-long-new-one" not in str(after)

    def test_who_is_added_is_one(self, client: Client) -> None:
        fields = {"username": "hal", "password1": "a-long-new-one", "password2": "a-long-new-one"}
        assert client.post(reverse("admin:auth_user_add"), {**fields, "usable_password": "true"}).status_code == 302
        assert [row[:4] for row in self.written()] == [("user ada", "create", "user", "hal")]

    @pytest.mark.parametrize("at_once", [True, False])
    def test_who_is_deleted_is_one(self, client: Client, grace: User, at_once: bool) -> None:
        path = reverse("admin:auth_user_changelist") if at_once else reverse("admin:auth_user_delete", args=[grace.pk])
        chosen = {"action": "delete_selected", "_selected_action": [grace.pk]} if at_once else {}
        assert client.post(path, {**chosen, "post": "yes"}).status_code == 302
        assert not User.objects.filter(username="grace").exists()
        assert [row[:4] for row in self.written()] == [("user ada", "delete", "user", "grace")]

    def test_what_is_refused_is_none(self, client: Client) -> None:
        assert save(client, make.admin(), email="new@example.com").status_code == 403
        assert self.written() == []
