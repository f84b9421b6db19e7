"""Making, changing, deleting and restoring dashboards: who may, what is refused, and the revisions."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from metrics.access.principal import SYSTEM, Principal, Role
from metrics.access.sharing import Access
from metrics.actions import dashboards, teams
from metrics.actions.errors import Conflict, Forbidden, Invalid, Missing
from metrics.live import marks
from metrics.models import Dashboard, Revision, Widget
from tests import make
from tests.make import widget

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ANNA, BEN = Principal("user", "user anna", Role.ADMIN), Principal("user", "user ben", Role.ADMIN)
SHOP = {"slug": "shop", "title": "Shop"}


def number(config: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"kind": "number", "title": "Orders", "config": config, **fields}


ONE = {"queries": [{"metric": "m"}]}


def shop(*widgets: dict[str, Any]) -> Dashboard:
    return dashboards.create(ANNA, {**SHOP, "widgets": list(widgets)})


def places(made: Dashboard) -> dict[str, tuple[int, int, int, int]]:
    return {one.key: (one.x, one.y, one.w, one.h) for one in made.widgets.all()}


def history(made: Dashboard) -> list[tuple[int, str, str]]:
    return [(one.number, one.by, one.summary) for one in made.revisions.order_by("number")]


class TestCreate:
    def test_widgets_without_a_place_keep_their_order(self) -> None:
        made = shop(*(widget(f"m{i}") for i in range(12)))
        assert [one.title for one in made.widgets.all()] == [f"number of m{i}" for i in range(12)]

    def test_they_fill_the_gaps_around_those_that_have_one(self) -> None:
        made = shop(number(ONE, key="a", w=9), number(ONE, key="b", x=0, y=0, w=6, h=2), number(ONE, key="c", w=6))
        assert places(made) == {"b": (0, 0, 6, 2), "c": (6, 0, 6, 1), "a": (0, 2, 9, 1)}

    def test_a_key_is_made_of_the_title_and_is_its_own(self) -> None:
        made = shop(number(ONE), number(ONE), number(ONE, title="Ünïts / s"), number(ONE, title="→"))
        assert list(places(made)) == ["orders", "orders-2", "units-s", "widget"]

    def test_of_two_who_take_a_slug_at_once_the_slower_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shop()
        monkeypatch.setattr("django.db.models.QuerySet.exists", lambda _: False)  # the other is not committed yet
        with pytest.raises(Invalid, match="There is a dashboard 'shop' already"):
            shop()

    def test_it_is_the_first_revision(self) -> None:
        made = shop(number(ONE), number(ONE))
        assert history(made) == [(1, "user anna", "Made with 2 widgets.")]
        assert made.revision == 1

    @pytest.mark.parametrize(
        ("document", "fields"),
        [
            ({"slug": "taken"}, ["slug"]),
            ({"slug": "a b"}, ["slug"]),
            ({"range": "2h"}, ["range"]),
            ({"title": ""}, ["title"]),
            ({"title": "a\x00b"}, ["title"]),
            ({"colour": "red"}, ["colour"]),
            ({"access": {"groups": ["nobody's"]}}, ["access.teams"]),
            ({"widgets": [number(ONE), number(ONE, kind="pie")]}, ["widgets.1.kind"]),
            ({"widgets": [number({})]}, ["widgets.0.config.queries"]),
            ({"widgets": [number({"queries": []})]}, ["widgets.0.config.queries"]),
            ({"widgets": [number({"queries": [{"metric": "2xx"}]})]}, ["widgets.0.config.queries.0.metric"]),
            ({"widgets": [number({**ONE, "colour": "red"})]}, ["widgets.0.config.colour"]),
            ({"widgets": [number({}), number({}, kind="pie")]}, ["widgets.0.config.queries", "widgets.1.kind"]),
            ({"widgets": [number(ONE, x=10, y=0)]}, ["widgets.0"]),
            ({"widgets": [number(ONE, x=10)]}, ["widgets.0"]),
            ({"widgets": [number(ONE, x=0, y=159, h=2)]}, ["widgets.0"]),
            ({"widgets": [number(ONE, w=13)]}, ["widgets.0.w"]),
            ({"widgets": [number(ONE, key="a"), number(ONE, key="a")]}, ["widgets"]),
            ({"widgets": [number(ONE, x=0, y=0), number(ONE, x=2, y=0)]}, ["widgets"]),
            ({"widgets": [number(ONE, w=12, h=12)] * 14}, ["widgets"]),
        ],
    )
    def test_a_bad_document_is_refused_by_its_fields_and_makes_nothing(
        self, document: dict[str, Any], fields: list[str]
    ) -> None:
        make.dashboard("taken")
        with pytest.raises(Invalid) as refused:
            dashboards.create(ANNA, {**SHOP, **document})
        assert [field for field, _ in refused.value.all] == fields
        assert all(message.endswith(".") for _, message in refused.value.all)
        assert (Dashboard.objects.count(), Widget.objects.count(), Revision.objects.count()) == (1, 1, 1)


class TestChange:
    @pytest.mark.parametrize(
        ("changes", "summary"),
        [
            ({"title": "Store"}, "Title is now 'Store'."),
            ({"range": "6h", "description": "All"}, "Description is now 'All'; range is now '6h'."),
            ({"access": {"everyone": False}}, "Changed who may see it."),
            ({"widgets": []}, "Removed Orders, Returns."),
            (
                {"widgets": [number(ONE, key="orders", x=6, y=3), number(ONE, key="new", title="New", x=0, y=0)]},
                "Added New; removed Returns; moved Orders.",
            ),
            (
                {
                    "widgets": [
                        number({"queries": [{"metric": "n"}]}, key="orders"),
                        number(ONE, key="returns", title="R"),
                    ]
                },
                "Changed Orders, R.",
            ),
        ],
    )
    def test_it_is_a_revision_that_says_what_changed(self, changes: dict[str, Any], summary: str) -> None:
        shop(number(ONE), number(ONE, title="Returns"))
        made = dashboards.change(BEN, "shop", changes, 1)
        assert history(made)[1:] == [(2, "user ben", summary)]
        assert made.revisions.get(number=2).spec == dashboards.spec_of(made).model_dump()

    def test_a_change_that_changes_nothing_is_none(self) -> None:
        shop(number(ONE))
        spec = dashboards.spec_of(dashboards.find(SYSTEM, "shop")).model_dump()
        assert dashboards.change(BEN, "shop", spec, 1).revision == 1

    def test_a_widget_that_stays_keeps_its_row_and_so_its_element(self) -> None:
        made = shop(number(ONE), number(ONE, title="Returns"))
        row = made.widgets.get(key="returns").pk
        dashboards.change(BEN, "shop", {"widgets": [number(ONE, key="returns", title="Other", x=9, y=9)]}, 1)
        assert made.widgets.get().pk == row

    def test_the_slower_of_two_is_told_by_whom_and_what_and_changes_nothing(self) -> None:
        shop(number(ONE))
        dashboards.change(ANNA, "shop", {"title": "Store"}, 1)
        with pytest.raises(Conflict) as refused:
            dashboards.change(BEN, "shop", {"title": "Market"}, 1)
        assert str(refused.value) == (
            "The dashboard 'shop' is at revision 2, not 1, so nothing was changed."
            " Revision 2 by user anna: Title is now 'Store'."
        )
        assert (refused.value.revision, dashboards.find(SYSTEM, "shop").title) == (2, "Store")

    def test_a_config_that_a_new_release_refuses_prevents_no_other_change(self) -> None:
        made = shop(number(ONE), number(ONE, title="Returns"))
        made.widgets.filter(key="orders").update(config={"queries": 1})
        dashboards.change(BEN, "shop", {"title": "Store"}, 1)
        with pytest.raises(Invalid, match=r"^widgets\.0\.config"):
            dashboards.change_widget(BEN, "shop", "orders", {"config": {"queries": 2}}, 2)

    def test_its_former_slug_leads_to_it_until_another_takes_that(self) -> None:
        made = shop()
        dashboards.change(BEN, "shop", {"slug": "store"}, 1)
        assert dashboards.find(SYSTEM, "shop") == dashboards.find(SYSTEM, "store") == made
        other = dashboards.create(BEN, SHOP)
        assert (dashboards.find(SYSTEM, "shop"), dashboards.find(SYSTEM, "store")) == (other, made)
        with pytest.raises(Invalid, match="already"):
            dashboards.change(BEN, "store", {"slug": "shop"}, 2)

    def test_open_pages_notice_it_once_it_is_committed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)
        make.dashboard()
        make.watch(make.variant("shop", "30d"), now=time.time())
        with transaction.atomic():
            dashboards.change(BEN, "shop", {"title": "Store"}, None)
            assert not marks.is_marked(make.variant("shop", "30d")), "what is not committed is not to be drawn"
        assert marks.is_marked(make.variant("shop", "30d"))
        assert not marks.is_marked(make.variant("shop", "1h")), "nobody watches it"


class TestWidgets:
    def test_they_are_added_changed_and_removed_alone(self) -> None:
        made = shop(number(ONE))
        assert dashboards.add_widget(BEN, "shop", number(ONE), 1)[1] == "orders-2"
        dashboards.change_widget(BEN, "shop", "orders-2", {"title": "More", "x": 0, "y": 5, "w": 12}, 2)
        dashboards.delete_widget(BEN, "shop", "orders", 3)
        assert places(made) == {"orders-2": (0, 5, 12, 1)}
        assert [said for _, _, said in history(made)][1:] == ["Added Orders.", "Changed More.", "Removed Orders."]

    @pytest.mark.parametrize(
        ("verb", "given"), [(dashboards.change_widget, [{"title": "X"}]), (dashboards.delete_widget, [])]
    )
    def test_one_that_is_not_there_is_missing(self, verb: Callable[..., Dashboard], given: list[Any]) -> None:
        shop(number(ONE))
        with pytest.raises(Missing, match=r"has no widget 'gone'\.$"):
            verb(BEN, "shop", "gone", *given, 1)


class TestRestore:
    def test_a_widget_that_this_release_refuses_keeps_no_revision_from_being_restored(self) -> None:
        made = shop(number(ONE))
        first = made.revisions.get()
        first.spec["widgets"][0]["config"] = {"gone": 1}
        first.save()
        made.widgets.update(config={"gone": 1})
        dashboards.change(BEN, "shop", {"title": "Store"}, 1)
        assert dashboards.restore_revision(BEN, "shop", 1, 2).title == "Shop"

    @pytest.mark.parametrize("odd", [{"config": {"gone": 1}}, {"kind": "gone"}])
    def test_one_with_a_widget_that_this_release_refuses_comes_back(self, odd: dict[str, Any]) -> None:
        made = shop(number(ONE))
        dashboards.delete(BEN, "shop", 1)
        newest = made.revisions.get(number=2)
        newest.spec["widgets"][0] |= odd
        newest.save()
        (back,) = dashboards.restore(ANNA, made.pk).widgets.all()
        assert (back.kind, back.config) == (odd.get("kind", "number"), odd.get("config", ONE))

    def test_it_comes_back_for_the_teams_that_it_is_still_for(self) -> None:
        ops, night = make.team("ops"), make.team("night")
        access = {"everyone": False, "teams": ["ops", "night"]}
        made = dashboards.create(ANNA, {**SHOP, "access": access})
        dashboards.delete(BEN, "shop", 1)
        teams.rename(SYSTEM, ops.pk, "operations")
        teams.delete(SYSTEM, night.pk)
        back = dashboards.restore(ANNA, made.pk)
        assert dashboards.spec_of(back).access == Access(everyone=False, teams=["operations"])

    def test_its_former_slug_leads_to_it_again_unless_another_took_that(self) -> None:
        made, other = shop(), dashboards.create(ANNA, {**SHOP, "slug": "other"})
        dashboards.change(BEN, "shop", {"slug": "store"}, 1)
        dashboards.change(BEN, "store", {"slug": "mart"}, 2)
        dashboards.delete(BEN, "mart", 3)
        with pytest.raises(Missing):
            dashboards.find(SYSTEM, "shop")
        dashboards.change(BEN, "other", {"slug": "store"}, 1)
        dashboards.change(BEN, "store", {"slug": "another"}, 2)
        dashboards.restore(ANNA, made.pk)
        assert (dashboards.find(SYSTEM, "shop"), dashboards.find(SYSTEM, "store")) == (made, other)

    def test_a_revision_is_restored_as_a_new_one_and_keeps_rows(self) -> None:
        made = shop(number(ONE), number(ONE, title="Returns"))
        row = made.widgets.get(key="orders").pk
        dashboards.change(ANNA, "shop", {"title": "Store", "widgets": [number(ONE, key="orders")]}, 1)
        back = dashboards.restore_revision(BEN, "shop", 1, 2)
        assert dashboards.spec_of(back).model_dump() == back.revisions.get(number=1).spec
        assert history(made)[2] == (3, "user ben", "Restored revision 1. Title is now 'Shop'; added Returns.")
        assert made.widgets.get(key="orders").pk == row

    def test_a_deleted_dashboard_comes_back_as_it_was(self) -> None:
        made = shop(number(ONE), number(ONE, x=6, y=2))
        before = dashboards.spec_of(made)
        dashboards.delete(BEN, "shop", 1)
        assert not Dashboard.objects.exists()
        assert not Widget.objects.exists()
        back = dashboards.restore(ANNA, made.pk)
        assert dashboards.spec_of(back) == before
        assert [said for _, _, said in history(back)] == ["Made with 2 widgets.", "Deleted.", "Brought back."]

    def test_its_slug_may_be_taken_meanwhile(self) -> None:
        made = shop()
        dashboards.delete(BEN, "shop", 1)
        shop()
        with pytest.raises(Invalid, match="already"):
            dashboards.restore(ANNA, made.pk)
        with pytest.raises(Missing):
            dashboards.restore(ANNA, dashboards.find(SYSTEM, "shop").pk)

    def test_after_thirty_days_it_is_gone(self) -> None:
        made = shop()
        dashboards.delete(BEN, "shop", 1)
        dashboards.forget_deleted(time.time() + 29 * 86_400)
        assert Dashboard.with_deleted.filter(pk=made.pk).exists()
        dashboards.forget_deleted(time.time() + 31 * 86_400)
        assert not Dashboard.with_deleted.exists()
        assert not Revision.objects.exists()


def test_a_copy_has_the_same_widgets_and_an_address_of_its_own() -> None:
    made = shop(number(ONE, x=6, y=2))
    copy = dashboards.duplicate(BEN, "shop", "copy", "Copy")
    assert (places(copy), copy.slug, copy.title) == (places(made), "copy", "Copy")


def test_teams_are_named_in_the_document() -> None:
    ops = Group.objects.create(name="ops")
    made = make.dashboard(teams=[ops])
    assert (made.for_everyone, list(made.teams.all())) == (False, [ops])
    assert dashboards.spec_of(made).access.teams == ["ops"]


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        ("create", lambda by: dashboards.create(by, {"slug": "new", "title": "New"})),
        ("create", lambda by: dashboards.duplicate(by, "shop", "new", "New")),
        ("change", lambda by: dashboards.change(by, "shop", {"title": "Store"}, None)),
        ("change", lambda by: dashboards.add_widget(by, "shop", number(ONE), None)),
        ("change", lambda by: dashboards.change_widget(by, "shop", "orders", {"title": "X"}, None)),
        ("change", lambda by: dashboards.delete_widget(by, "shop", "orders", None)),
        ("change", lambda by: dashboards.restore_revision(by, "shop", 1, None)),
        ("delete", lambda by: dashboards.delete(by, "shop", None)),
    ],
)
def test_viewers_are_refused_and_told_who_may(verb: str, call: Callable[[Principal], Any]) -> None:
    shop(number(ONE))
    dashboards.change(SYSTEM, "shop", {"title": "Market"}, None)
    with pytest.raises(
        Forbidden, match=f"^You are a viewer: only editors and administrators may {verb} dashboards\\.$"
    ):
        call(Principal("user", "user eve", Role.VIEWER, 8))
    assert (dashboards.find(SYSTEM, "shop").revision, Revision.objects.count()) == (2, 2)
    call(Principal("user", "user ann", Role.EDITOR, 9))
    assert Revision.objects.count() == 3


def test_the_system_may_do_all() -> None:
    assert dashboards.create(SYSTEM, SHOP).revisions.get().by == "watchfloor"
