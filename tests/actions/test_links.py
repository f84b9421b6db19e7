"""Links: what is refused, what is listed, and when old ones are removed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from metrics.access.links import opened
from metrics.access.principal import SYSTEM, Principal, Role
from metrics.actions import dashboards, links, variables
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.models import Link
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

VERA = Principal("user", "user vera", Role.VIEWER, 5)
EVE = Principal("user", "user eve", Role.EDITOR, 6)


@pytest.fixture(autouse=True)
def _shop() -> None:
    make.dashboard("shop")
    dashboards.change(SYSTEM, "shop", {"variables": [{"name": "host", "values": ["a", "b"]}]}, None)
    dashboards.create(SYSTEM, {"slug": "ops", "title": "Ops", "access": {"everyone": False}, "widgets": []})
    links.create(SYSTEM, "shop", "taken")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 91}),
        ("name", {"name": "a\x00b"}),
        ("name", {"name": "taken "}),
        ("range", {"range": "2h"}),
        ("expires_at", {"expires_at": timezone.now() - timedelta(seconds=1)}),
        ("var-host", {"values": {"host": ["c"]}}),
        ("var-host", {"values": {"host": ["a", "b"]}}),
        ("var-machine", {"values": {"machine": ["a"]}}),
    ],
)
def test_what_makes_no_sense_is_refused(field: str, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        links.create(SYSTEM, "shop", **{"name": "lobby", **given})
    assert refused.value.field == field
    assert Link.objects.count() == 1


def test_no_transaction_is_open_while_values_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    depths, known = [], variables.chosen

    def chosen(*args: Any) -> str:
        depths.append(len(connection.savepoint_ids))
        return known(*args)

    monkeypatch.setattr(variables, "chosen", chosen)
    links.create(SYSTEM, "shop", "lobby", values={"host": ["a"]})
    assert depths == [len(connection.savepoint_ids)]


def test_they_are_for_those_who_may_change_the_dashboard() -> None:
    link = Link.objects.get()
    for do in (
        lambda by: links.create(by, "shop", "x"),
        lambda by: links.revoke(by, "shop", link.pk),
        lambda by: links.listed(by, "shop"),
    ):
        with pytest.raises(Forbidden):
            do(VERA)
    with pytest.raises(Missing):
        links.create(EVE, "ops", "x")
    with pytest.raises(Missing):
        links.revoke(EVE, "shop", link.pk + 1)
    links.revoke(EVE, "shop", link.pk)
    with pytest.raises(Missing):
        links.revoke(EVE, "shop", link.pk)


def test_the_name_of_one_that_is_over_may_be_given_again_and_both_are_listed_for_a_while() -> None:
    links.revoke(EVE, "shop", Link.objects.get().pk)
    links.create(EVE, "shop", "taken", values={"host": ["b"]})
    assert [(one.link.by, one.is_over, one.watch) for one in links.listed(EVE, "shop")[1]] == [
        ("user eve", False, 0),
        ("watchfloor", True, 0),
    ]
    now = timezone.now()
    for days, left in ((29, 2), (31, 1)):
        links.forget((now + timedelta(days=days)).timestamp())
        assert Link.objects.count() == left


def test_a_link_to_a_deleted_dashboard_opens_again_with_it() -> None:
    link, secret = links.create(SYSTEM, "shop", "lobby")
    assert opened(secret) == link
    assert opened(secret, link.pk + 1) is None
    dashboards.delete(SYSTEM, "shop", None)
    assert opened(secret) is None
    dashboards.restore(SYSTEM, link.dashboard_id)
    assert opened(secret, link.pk) == link
