"""A dashboard's page as it is loaded."""

from typing import Any

import pytest
from redis import RedisError

from metrics.actions import render
from metrics.actions.page import page
from metrics.live import marks, snapshot
from metrics.models import Widget
from tests import make
from tests.make import AT, widget

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


class TestPage:
    def test_it_says_which_version_it_shows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)
        made, variant = make.dashboard(), make.variant("shop", "1h")
        before = page(made, "1h", AT)
        marks.mark(variant, [marks.ALL])
        render.render(variant)
        after = page(made, "1h", AT)
        assert (before.epoch, before.version) == ("", 0)
        assert (after.epoch, after.version) == snapshot.version(variant)
        assert after.version == 1

    def test_without_redis_it_is_drawn_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unreachable(_: Any) -> None:
            raise RedisError("away")

        monkeypatch.setattr(snapshot, "version", unreachable)
        loaded = page(make.dashboard(), "1h", AT)
        assert (loaded.epoch, loaded.version, len(loaded.widgets)) == ("", 0, 1)

    def test_a_widget_that_can_not_be_drawn_says_why_beside_the_others(self) -> None:
        made = make.dashboard(widgets=[widget("a"), widget("b"), widget("c")])
        gone, broken, _ = make.widgets_of(made)
        Widget.objects.filter(pk=gone.pk).update(kind="pie")
        Widget.objects.filter(pk=broken.pk).update(config={"queries": 1})
        errors = [one.error for one in page(made, "1h", AT).widgets]
        assert errors[0] == "There is no widget kind 'pie'."
        assert errors[1].startswith("queries: ")
        assert errors[2] == ""
