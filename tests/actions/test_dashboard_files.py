"""Dashboards as files: what is written, compared, applied and written again."""

from typing import Any

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import dashboard_files, dashboards
from metrics.actions.errors import Conflict, Invalid
from metrics.models import AuditEntry, Dashboard
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

FILE = """\
# The shop, as the warehouse sees it.
slug: shop
title: Shop
range: 6h

widgets:
  # Parcels that nobody has packed yet.
  - kind: number
    title: Orders
    config:
      queries:
        - metric: orders_open
      thresholds: {warn: 100, critical: 200}  # as agreed in May

  - kind: line
    title: Load
    width: 6
    h: 2
    config:
      queries:
        - {metric: host_load, legend: "{over}"}
"""


def compare(**files: str) -> list[dashboard_files.Change]:
    return dashboard_files.compare(SYSTEM, files)


def apply(**files: str) -> None:
    dashboard_files.apply(SYSTEM, compare(**files))


def export(**files: str) -> dict[str, str]:
    return dashboard_files.export(SYSTEM, files)


def test_a_file_is_written_as_people_write_it_without_defaults() -> None:
    make.team("ops")
    apply(shop=FILE)
    dashboards.change(
        SYSTEM, "shop", {"access": {"everyone": True, "teams": ["ops"]}, "description": "All:\nof it"}, None
    )
    assert (
        export()["shop"]
        == """\
slug: shop
title: Shop
description: |-
  All:
  of it
range: 6h
access:
  teams: [ops]
widgets:
  - key: orders
    kind: number
    title: Orders
    x: 0
    y: 0
    config:
      queries:
        - metric: orders_open
      thresholds: {warn: 100, critical: 200}

  - key: load
    kind: line
    title: Load
    x: 3
    y: 0
    w: 6
    h: 2
    config:
      queries:
        - metric: host_load
          legend: '{over}'
"""
    )


def test_a_second_time_there_is_nothing_to_do() -> None:
    apply(shop=FILE)
    assert compare(shop=FILE) == []
    assert export(shop=FILE) == {"shop": FILE}
    again = export()["shop"]
    assert compare(shop=again) == []
    apply(shop=again)
    assert Dashboard.objects.get().revision == 1
    assert AuditEntry.objects.filter(noun="dashboard").count() == 1


ORDERS = {"queries": [{"metric": "orders_open"}], "thresholds": {"warn": 100, "critical": 250}}


@pytest.mark.parametrize(
    ("change", "removed", "added"),
    [
        (lambda s: {"title": "Store"}, ["title: Shop"], ["title: Store"]),
        (lambda s: {"range": "1h"}, ["range: 6h"], []),
        (lambda s: {"widgets": [{**s[0], "config": ORDERS}, s[1]]}, ["critical: 200"], ["critical: 250"]),
        (lambda s: {"widgets": [{**s[0], "title": "Open"}, s[1]]}, ["title: Orders"], ["key: orders", "title: Open"]),
        (lambda s: {"widgets": [s[0], {**s[1], "h": 3}]}, ["h: 2"], ["h: 3"]),
        (lambda s: {"widgets": [s[0], {**s[1], "w": 3, "h": 1}]}, ["width: 6", "h: 2"], []),
        (lambda s: {"widgets": [s[0], {**s[1], "x": 6}]}, [], ["x: 6", "y: 0"]),
        # Alone it would come first: it is placed so that it stays where it was.
        (lambda s: {"widgets": [s[1]]}, ["title: Orders"], ["x: 3", "y: 0"]),
        (lambda s: {"widgets": [*s, {**s[0], "key": "new", "x": 9}]}, [], ["- key: new", "x: 9"]),
    ],
)  # fmt: skip
def test_what_was_changed_in_the_page_is_brought_back_and_comments_stay(
    change: Any, removed: list[str], added: list[str]
) -> None:
    apply(shop=FILE)
    stored = [one.model_dump() for one in dashboards.spec_of(Dashboard.objects.get()).widgets]
    dashboards.change(SYSTEM, "shop", change(stored), None)
    (found,) = compare(shop=FILE)
    assert (found.verb, found.wanted) == ("change", FILE)
    lines = list(found.lines())
    assert lines[:2] == ["--- shop, revision 2", "+++ shop.yaml"]
    for text, sign in [*((one, "+") for one in removed), *((one, "-") for one in added)]:
        assert any(line[0] == sign and text in line for line in lines[3:]), (text, lines)
    after = export(shop=FILE)["shop"]
    assert after == found.stored
    assert "# The shop, as the warehouse sees it." in after
    assert compare(shop=after) == []
    apply(shop=FILE)
    assert compare(shop=FILE) == []


def test_a_dashboard_without_a_file_is_deleted_only_by_pruning() -> None:
    make.dashboard("other")
    assert [one.verb for one in compare(shop=FILE)] == ["create"]
    changes = dashboard_files.compare(SYSTEM, {"shop": FILE}, prune=True)
    assert [(one.slug, one.verb) for one in changes] == [("shop", "create"), ("other", "delete")]
    dashboard_files.apply(SYSTEM, changes)
    assert [one.slug for one in Dashboard.objects.all()] == ["shop"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("slug: shop", "slug: store", "shop.yaml: line 2: slug: it is 'store', and the file's name says 'shop'."),
        ("range: 6h", "ranje: 6h", "shop.yaml: line 4: ranje: There is no such field"),
        ("title: Shop\n", "", "shop.yaml: line 2: title: It has to be given."),
        ("range: 6h", "range: 2h", "shop.yaml: line 4: range: it is one of"),
        ("kind: line", "kind: lines", "shop.yaml: line 15: widgets.1.kind: There is no widget kind 'lines'"),
        ("warn: 100", "warn: many", "shop.yaml: line 13: widgets.0.config.thresholds.warn: It has to be a"),
        ("h: 2", "h: 2\n    x: 0\n    y: 0\n    config: {}", "shop.yaml: line 22: It has the key 'config' twice."),
        ("metric: host_load", "metric: 1", "shop.yaml: line 21: widgets.1.config.queries.0.metric: It has to be"),
        ("range: 6h", "access: {teams: [none]}", "shop.yaml: line 4: access.teams: there is no team 'none'."),
    ],
)
def test_one_bad_file_and_nothing_is_changed(old: str, new: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        apply(shop=FILE.replace(old, new), good=FILE.replace("slug: shop", "slug: good"))
    assert str(refused.value)[: len(said)] == said
    assert not Dashboard.objects.exists()


def test_errors_name_the_widget_of_the_file_though_another_stands_before_it() -> None:
    text = FILE.replace("title: Orders", "title: Orders\n    x: 9\n    y: 9").replace("warn: 100", "warn: x")
    with pytest.raises(Invalid, match=r"line 15: widgets\.0\.config\.thresholds\.warn"):
        compare(shop=text)


def test_who_changes_a_dashboard_meanwhile_is_not_overwritten() -> None:
    apply(shop=FILE)
    changes = compare(shop=FILE.replace("6h", "1h"))
    dashboards.change(SYSTEM, "shop", {"title": "Store"}, None)
    with pytest.raises(Conflict):
        dashboard_files.apply(SYSTEM, changes)
    assert Dashboard.objects.get().range == "6h"
