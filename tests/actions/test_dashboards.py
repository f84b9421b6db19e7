"""Making dashboards, and the page as it is loaded."""

import time
from typing import Any

import pytest
from redis import RedisError

from metrics.actions import dashboards, render
from metrics.actions.dashboards import NewWidget
from metrics.actions.problems import Invalid
from metrics.live import events, snapshot
from metrics.live.snapshot import Variant
from metrics.models import Dashboard, Widget
from tests import make
from tests.make import AT, widget

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ONE = {"queries": [{"metric": "m"}]}


class TestCreate:
    def test_widgets_keep_their_order(self) -> None:
        made = dashboards.create("shop", "Shop", "", "1h", [widget(f"m{i}") for i in range(12)])
        assert [one.title for one in made.widgets.all()] == [f"number of m{i}" for i in range(12)]

    @pytest.mark.parametrize(
        ("slug", "range", "widgets", "field"),
        [
            ("taken", "1h", [], "slug"),
            ("new", "2h", [], "range"),
            ("new", "1h", [NewWidget("number", "", ONE), NewWidget("pie", "", ONE)], "widgets.1.kind"),
            ("new", "1h", [NewWidget("number", "", {})], "widgets.0.config.queries"),
            ("new", "1h", [NewWidget("number", "", {"queries": []})], "widgets.0.config.queries"),
            (
                "new",
                "1h",
                [NewWidget("number", "", {"queries": [{"metric": "2xx"}]})],
                "widgets.0.config.queries.0.metric",
            ),
            ("new", "1h", [NewWidget("number", "", {**ONE, "colour": "red"})], "widgets.0.config.colour"),
        ],
    )
    def test_what_is_bad_is_refused_by_its_field_and_nothing_is_made(
        self, slug: str, range: str, widgets: list[NewWidget], field: str
    ) -> None:
        make.dashboard("taken")
        with pytest.raises(Invalid) as refused:
            dashboards.create(slug, "Title", "", range, widgets)
        assert refused.value.field == field
        assert str(refused.value).endswith(".")
        assert Dashboard.objects.count() == 1
        assert Widget.objects.count() == 1


class TestPage:
    def test_it_says_which_version_it_shows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)
        made, variant = make.dashboard(), Variant("shop", "1h")
        before = dashboards.page(made, "1h", AT)
        events.mark(variant, [events.ALL])
        render.render(variant)
        after = dashboards.page(made, "1h", AT)
        assert (before.epoch, before.version) == ("", 0)
        assert (after.epoch, after.version) == snapshot.version(variant)
        assert after.version == 1

    def test_without_redis_it_is_drawn_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(_: Any) -> None:
            raise RedisError("away")

        monkeypatch.setattr(snapshot, "version", away)
        page = dashboards.page(make.dashboard(), "1h", AT)
        assert (page.epoch, page.version, len(page.widgets)) == ("", 0, 1)

    def test_a_widget_that_can_not_be_drawn_says_why_beside_the_others(self) -> None:
        made = make.dashboard(widgets=[widget("a"), widget("b"), widget("c")])
        gone, broken, _ = make.widgets_of(made)
        Widget.objects.filter(pk=gone.pk).update(kind="pie")
        Widget.objects.filter(pk=broken.pk).update(config={"queries": 1})
        errors = [one.error for one in dashboards.page(made, "1h", AT).widgets]
        assert errors[0] == "There is no widget kind 'pie'."
        assert errors[1].startswith("queries: ")
        assert errors[2] == ""


class TestEdited:
    def test_open_pages_notice_the_edit(
        self, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)
        made = make.dashboard()
        make.watch(Variant("shop", "30d"), now=time.time())
        with django_capture_on_commit_callbacks() as told:
            dashboards.edited(made)
            assert not events.is_marked(Variant("shop", "30d")), "what is not committed is not to be drawn"
        for tell in told:
            tell()
        made.refresh_from_db()
        assert made.layout == 2
        assert events.is_marked(Variant("shop", "30d"))
        assert not events.is_marked(Variant("shop", "1h")), "nobody watches it"
