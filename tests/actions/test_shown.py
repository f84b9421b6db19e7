"""Which widgets show a series: read once for each revision of a dashboard, and never out of date."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, shown
from metrics.models import Dashboard, Series, Widget
from tests import make

pytestmark = pytest.mark.django_db


def found(metric: str, **labels: str) -> dict[str, list[str]]:
    """Return the keys of the widgets that show the series, by slug."""
    slugs = {make.variant(slug): slug for slug in ("shop", "works")}
    by_variant = shown.widgets_by_variant(slugs, [Series(metric=metric, labels=labels)])
    return {slugs[topic]: keys for topic, keys in by_variant.items()}


def tables_read(metric: str) -> set[str]:
    with CaptureQueriesContext(connection) as queries:
        found(metric)
    tables = (Dashboard._meta.db_table, Widget._meta.db_table)
    return {name for name in tables if any(f'FROM "{name}"' in one["sql"] for one in queries)}


def test_widgets_of_each_dashboard_that_show_it() -> None:
    shop = make.dashboard("shop", widgets=[make.widget("a"), make.widget("b"), make.widget("a", "line")])
    works = make.dashboard("works", widgets=[make.widget("b")])
    one, two, three = (widget.key for widget in make.widgets_of(shop))
    assert found("a") == {"shop": sorted([one, three])}
    assert found("b") == {"shop": [two], "works": [make.widgets_of(works)[0].key]}
    assert found("z") == {}


def test_widgets_are_read_once_and_dashboards_each_time() -> None:
    make.dashboard("shop")
    make.dashboard("works")
    assert tables_read("a") == {Dashboard._meta.db_table, Widget._meta.db_table}
    assert tables_read("a") == {Dashboard._meta.db_table}


def test_a_change_counts_at_once() -> None:
    make.dashboard("shop", widgets=[make.widget("a")])
    assert list(found("a")) == ["shop"]
    dashboards.change(SYSTEM, "shop", {"widgets": [make.widget("b")]}, None)
    assert found("a") == {}
    assert list(found("b")) == ["shop"]
    dashboards.delete(SYSTEM, "shop", None)
    assert found("b") == {}


def test_only_what_is_asked_for_is_remembered() -> None:
    make.dashboard("shop")
    found("orders_open")
    shown.widgets_by_variant([], [Series(metric="orders_open")])
    assert tables_read("orders_open") == {Dashboard._meta.db_table, Widget._meta.db_table}
