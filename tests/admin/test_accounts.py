"""Accounts in the admin: for administrators only, whatever Django's permissions say; changes are in the journal."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from metrics.models import AuditEntry
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture(autouse=True)
def admin(client: Client) -> User:
    made = make.user("ada", is_superuser=True, is_staff=True)
    client.force_login(made)
    return made


@pytest.fixture
def grace() -> User:
    return make.user("grace")


def save(client: Client, user: User, **changes: Any) -> Any:
    fields = {
        "username": user.username,
        "is_active": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00",
        "groups": [],
        **changes,
    }
    return client.post(reverse("admin:auth_user_change", args=[user.pk]), fields)


def change_password(client: Client, user: User) -> Any:
    chosen = {"password1": "a-long-new-one", "password2": "a-long-new-one", "usable_password": "true"}
    path = reverse("admin:auth_user_password_change", args=[user.pk])
    return client.post(path, {**chosen, "set-password": "yes"})


@pytest.mark.parametrize("flags", [{}, {"is_staff": True}])
def test_only_administrators_open_them(grace: User, flags: dict[str, bool]) -> None:
    somebody = Client()
    made = make.user("eve", **flags)
    made.user_permissions.set(Permission.objects.all())  # Django's permissions count for nothing here
    somebody.force_login(made)
    path = reverse("admin:auth_user_change", args=[grace.pk])
    before = list(User.objects.values())
    for answer in (
        somebody.get(reverse("admin:auth_user_changelist")),
        somebody.get(path),
        save(somebody, grace, is_superuser="on"),
        change_password(somebody, grace),
        somebody.post(reverse("admin:auth_user_delete", args=[grace.pk]), {"post": "yes"}),
    ):
        assert answer.status_code in (302, 403)
    assert list(User.objects.values()) == before


def test_roles_and_teams_are_shown_and_are_for_the_page_of_users(client: Client, grace: User) -> None:
    ops = make.team("ops", grace)
    page = client.get(reverse("admin:auth_user_change", args=[grace.pk])).content.decode()
    assert "viewer" in page
    assert "ops" in page
    for field in ("user_permissions", 'name="is_', 'name="groups"'):
        assert field not in page
    assert save(client, grace, is_staff="on", is_superuser="on", is_active="", groups=[]).status_code == 302
    grace.refresh_from_db()
    assert (grace.is_staff, grace.is_superuser, grace.is_active) == (False, False, True)
    assert grace.groups.get().pk == ops.pk


def test_an_administrator_stays(client: Client, admin: User) -> None:
    every = reverse("admin:auth_user_changelist")
    root = make.admin()
    client.post(every, {"action": "delete_selected", "_selected_action": [admin.pk, root.pk], "post": "yes"})
    assert User.objects.filter(is_superuser=True).count() == 2
    client.post(every, {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"})
    page = client.post(reverse("admin:auth_user_delete", args=[admin.pk]), {"post": "yes"}).content.decode()
    assert "No administrator would be left" in page
    assert User.objects.filter(is_superuser=True).get() == admin


@pytest.mark.django_db(transaction=True)
class TestJournal:
    """Outside of a transaction of the test's own, as it is for those who use the admin."""

    @staticmethod
    def written() -> list[tuple[str, str, str, str, Any]]:
        rows = AuditEntry.objects.order_by("id")
        return [(one.by, one.verb, one.noun, one.name, one.after) for one in rows]

    def test_what_is_changed_is_an_entry(self, client: Client, grace: User) -> None:
        assert save(client, grace, username="hopper").status_code == 302
        assert self.written() == [("user ada", "change", "user", "hopper", {"username": "hopper"})]
        assert AuditEntry.objects.get().before == {"username": "grace"}

    def test_a_password_is_one_that_does_not_say_it(self, client: Client, grace: User) -> None:
        assert change_password(client, grace).status_code == 302
        assert self.written() == [("user ada", "change password", "user", "grace", None)]

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
