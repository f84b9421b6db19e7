"""Annotations: who makes them for whom, what is refused, how long they are kept, and which dashboards show them."""

import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from metrics.access import policy
from metrics.access.bearer import bearer
from metrics.access.policy import Forbidden
from metrics.access.principal import SYSTEM, Principal, of_token, of_user
from metrics.access.sharing import Access
from metrics.actions import alert_changes, annotations, chart_annotations, facts
from metrics.actions.errors import Invalid, Missing
from metrics.actions.teams import access_of
from metrics.models import Annotation, AnnotationTag, AuditEntry, Dashboard, Token, Widget
from metrics.redis_state.connection import KEY, client
from metrics.times import datetime_of
from metrics.widgets.annotated import ALL
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

LINE = Widget(kind="line", config={})
DAY_S = 86_400


def at(seconds: float) -> datetime:
    return datetime_of(time.time() + seconds)


def texts(tags: set[str], moment: float, dashboard: int | None = None) -> list[str]:
    return [one.text for one in chart_annotations.on(partial(policy.teams_of, dashboard), tags, moment)]


def holder(scope: str, *teams: Any) -> Principal:
    found = bearer(make.token(f"job {Token.objects.count()}", scope, teams))
    assert found is not None
    return of_token(found)


def test_one_is_made_changed_and_removed_and_each_is_in_the_journal() -> None:
    row = annotations.create(SYSTEM, " Shop 4.2 ", at(-60), None, ["shop", "deploy", " deploy"])
    assert (row.text, row.until, row.by, annotations.tags_of(row)) == (
        "Shop 4.2",
        None,
        "watchfloor",
        ["deploy", "shop"],
    )
    end = at(0)
    changed = annotations.change(SYSTEM, row.pk, {"until": end, "tags": ["deploy"]})
    assert (changed.text, changed.until, annotations.tags_of(changed)) == ("Shop 4.2", end, ["deploy"])
    annotations.change(SYSTEM, row.pk, {"text": "Shop 4.2"})  # which is no change
    assert annotations.change(SYSTEM, row.pk, {"until": None}).until is None
    annotations.delete(SYSTEM, row.pk)
    assert (Annotation.objects.count(), AnnotationTag.objects.count()) == (0, 0)
    entries = AuditEntry.objects.filter(noun="annotation").order_by("pk")
    assert [(one.verb, sorted(one.after or one.before or {})) for one in entries] == [
        ("create", ["at", "everyone", "tags", "text"]),
        ("change", ["tags", "until"]),
        ("change", ["until"]),
        ("delete", ["at", "everyone", "tags", "text"]),
    ]
    for call in (lambda: annotations.change(SYSTEM, row.pk, {}), lambda: annotations.delete(SYSTEM, row.pk)):
        with pytest.raises(Missing):
            call()


def test_what_can_not_be_is_refused_with_all_that_is_wrong() -> None:
    with pytest.raises(Invalid) as refused:
        annotations.create(SYSTEM, " ", at(0), at(-1), ["a,b"], Access(teams=["nobody"]))
    assert [name for name, _ in refused.value.all] == ["text", "until", "tags", "access.teams"]
    long_ago = -DAY_S * (settings.HOUR_RETENTION_DAYS + 1)
    refusals: tuple[dict[str, Any], ...] = (
        {"text": "x" * 501},
        {"text": "\x00"},
        {"at": at(long_ago)},
        {"until": datetime.fromisoformat("9999-01-01T00:00:00Z")},
        {"tags": [ALL]},
        {"tags": [str(n) for n in range(21)]},
        {"tags": ["\x00"]},
    )
    for given in refusals:
        with pytest.raises(Invalid) as refused:
            annotations.create(SYSTEM, **{"text": "x", **given})
        assert refused.value.field in given


def test_editors_write_and_a_token_of_teams_writes_for_them() -> None:
    ops, shop = make.team("ops"), make.team("shop")
    for by in (of_user(make.user("vera")), holder("read"), holder("push")):
        with pytest.raises(Forbidden):
            annotations.create(by, "x")
    for by, access, everyone, teams in [
        (holder("edit"), None, True, []),
        (holder("edit", ops), None, False, ["ops"]),
        (holder("edit", ops, shop), None, False, ["ops", "shop"]),
        (holder("edit", ops), Access(), True, []),
        (of_user(make.user("ed", is_staff=True)), None, True, []),
    ]:
        made = annotations.create(by, "x", access=access)
        assert access_of(made) == Access(everyone=everyone, teams=teams), by.name
    with pytest.raises(Invalid, match="only a member"):
        annotations.create(holder("edit", ops), "x", access=Access(everyone=False, teams=["shop"]))
    of_ops = Annotation.objects.filter(for_everyone=False).order_by("pk")[0]
    for call in (annotations.delete, annotations.find):
        with pytest.raises(Missing):
            call(holder("edit", shop), of_ops.pk)


def test_they_are_listed_by_tag_and_time_page_by_page() -> None:
    for number, (begin, end, tags) in enumerate(
        [(-300, None, ["a"]), (-200, -100, ["b"]), (-150, None, ["a", "b"]), (-150, None, [])]
    ):
        annotations.create(SYSTEM, str(number), at(begin), None if end is None else at(end), tags)
    now = time.time()
    listed: list[tuple[dict[str, Any], str]] = [
        ({}, "3210"),
        ({"tags": ["a"]}, "20"),
        ({"tags": ["a", "b"]}, "210"),
        ({"tags": ["c"]}, ""),
        ({"start": now - 120}, "1"),
        ({"start": now - 170}, "321"),
        ({"end": now - 180}, "10"),
        ({"start": now - 250, "end": now - 180}, "1"),
    ]
    for given, found in listed:
        rows = list(annotations.listed(SYSTEM, **given))
        assert "".join(sorted((one.text for one in rows), reverse=True)) == "".join(sorted(found, reverse=True)), given
    pages, before = [], None
    while page := list(annotations.listed(SYSTEM, before=before)[:1]):
        pages.append(page[0].pk)
        before = page[0].pk
    assert pages == [one.pk for one in annotations.listed(SYSTEM)]
    assert [one.pk for one in annotations.listed(SYSTEM, first=pages[2])] == pages[2:]
    assert annotations.known_tags(SYSTEM) == ["a", "b"]
    with pytest.raises(Missing):
        annotations.listed(SYSTEM, before=10**9)


def test_they_are_kept_as_long_as_rollups_of_hours() -> None:
    now, days = time.time(), timedelta(days=settings.HOUR_RETENTION_DAYS)
    oldest = datetime_of(now) - days
    for text, begin, end in [
        ("old", -9, None),
        ("over", -9, -1),
        ("lasts", -9, 9),
        ("young", 9, None),
    ]:
        until = None if end is None else oldest + timedelta(hours=end)
        Annotation.objects.create(text=text, at=oldest + timedelta(hours=begin), until=until)
    annotations.forget(now)
    assert {one.text for one in Annotation.objects.all()} == {"lasts", "young"}


def test_a_dashboard_shows_those_for_everyone_and_for_its_teams() -> None:
    ops, shop = make.team("ops"), make.team("shop")
    for name, access in [
        ("all", Access()),
        ("ops", Access(everyone=False, teams=["ops"])),
        ("none", Access(everyone=False)),
    ]:
        annotations.create(SYSTEM, name, access=access)
    now = time.time() + 1
    for slug, teams, seen in [("open", (), {"all"}), ("of-ops", (ops,), {"all", "ops"}), ("of-shop", (shop,), {"all"})]:
        dashboard = make.dashboard(slug, teams=teams).pk
        assert {one.text for one in facts.on(dashboard, [LINE], now).annotations} == seen
        assert {one.text for one in facts.on_at(dashboard, now, [LINE]).annotations} == seen
    assert texts({ALL}, now) == ["all"]


def test_only_tags_that_a_widget_asks_for_are_read_once_until_they_change(
    django_capture_on_commit_callbacks: Any, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    now = time.time() + 1

    def shown(*widgets: Widget) -> list[str]:
        return sorted(one.text for one in facts.on(None, widgets, now).annotations)

    of_a = Widget(kind="line", config={"annotations": ["a"]})
    with django_capture_on_commit_callbacks(execute=True):
        row = annotations.create(SYSTEM, "a and b", tags=["a", "b"])
        annotations.create(SYSTEM, "c", tags=["c"])
    facts.on(None, [], now)  # what it remembers besides
    assert shown(Widget(kind="number", config={})) == []
    assert shown(of_a) == shown(of_a, Widget(kind="list", config={"annotations": ["b"]})) == ["a and b"]
    with django_assert_max_num_queries(1):  # alerts
        assert shown(of_a) == ["a and b"]
    assert shown(of_a, LINE) == ["a and b", "c"]
    with django_capture_on_commit_callbacks(execute=True):
        annotations.delete(SYSTEM, row.pk)
    assert shown(of_a) == []


def test_of_the_past_those_of_then_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, moment in [("then", AT - 60), ("later", AT + 3 * DAY_S), ("long before", AT - 368 * DAY_S)]:
        Annotation.objects.create(text=text, at=datetime_of(moment))
    assert [one.text for one in chart_annotations.on_at(frozenset, {ALL}, AT)] == ["then"]
    monkeypatch.setattr(chart_annotations, "MOST", 2)
    for number in range(3):
        Annotation.objects.create(text=f"{number}", at=datetime_of(AT - 50 + number))
    assert [one.text for one in chart_annotations.on_at(frozenset, {ALL}, AT)] == ["2", "1"]


def test_those_of_a_team_push_out_no_others_whatever_their_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_annotations, "MOST", 2)
    ops, shop = make.team("ops"), make.team("shop")
    for number, access in enumerate(
        [
            Access(),
            *[Access(everyone=False, teams=["shop"])] * 2,
            *[Access(everyone=False, teams=["ops", "shop"])] * 3,
            *[Access(everyone=False)] * 3,
        ]
    ):
        annotations.create(SYSTEM, f"{number}", at(-60 + number), tags=["a"] if number % 2 else ["b"], access=access)
    now = time.time() + 1
    for tags, team, found in [
        ({ALL}, None, {"0"}),
        ({ALL}, ops, {"0", "4", "5"}),
        ({ALL}, shop, {"0", "4", "5"}),
        ({"a", "c"}, shop, {"5"}),
        ({"c"}, shop, set()),
        (set(), shop, set()),
    ]:
        dashboard = make.dashboard(f"of-{Dashboard.objects.count()}", teams=[team] if team else ()).pk
        assert set(texts(tags, now, dashboard)) == found, (tags, team)
        assert {one.text for one in chart_annotations.on_at(partial(policy.teams_of, dashboard), tags, now)} == found


def test_many_tags_are_remembered_as_one(django_assert_num_queries: Any) -> None:
    annotations.create(SYSTEM, "x", tags=["t7"])
    now = time.time() + 1
    texts({ALL}, now)
    with django_assert_num_queries(0):
        assert [len(texts({f"t{number}"}, now)) for number in (*range(150), 7)].count(1) == 2


def test_a_span_that_began_before_all_history_can_be_ended() -> None:
    begin = annotations.kept_from(time.time()) - timedelta(days=1)
    row = Annotation.objects.create(text="x", at=begin)
    end = at(0)
    assert annotations.change(SYSTEM, row.pk, {"at": begin, "until": end}).until == end
    with pytest.raises(Invalid, match="history is kept"):
        annotations.change(SYSTEM, row.pk, {"at": begin + timedelta(hours=1)})


@pytest.mark.django_db(transaction=True)
def test_widgets_that_show_them_are_drawn_anew_at_once() -> None:
    widgets = [
        make.widget("load", "number"),
        make.widget("load", "line"),
        {**make.widget("load", "line", annotations=[]), "title": "bare"},
        {"kind": "list", "title": "deploys", "config": {"annotations": ["deploy"]}},
        make.widget("load", "list"),
        {"kind": "list", "title": "tests", "config": {"annotations": ["test"]}},
        {"kind": "list", "title": "of-a-variable", "config": {"annotations": ["$stage"]}},
    ]
    make.dashboard(widgets=widgets)
    variant = make.variant()
    make.watch(variant, now=time.time())
    with transaction.atomic():
        annotations.create(SYSTEM, "Deployed", tags=["deploy"])
        assert make.marks(variant) == {}
    every = {"line-of-load", "of-a-variable"}
    assert set(make.marks(variant)) - {"@"} == {*every, "deploys"}
    row = Annotation.objects.get()
    changes: list[tuple[dict[str, Any], set[str]]] = [
        ({"text": "Deployed"}, set()),
        ({"tags": ["test"]}, {*every, "deploys", "tests"}),
        ({"text": "Tested"}, {*every, "tests"}),
    ]
    for given, drawn in changes:
        client().delete(f"{KEY}marks:{variant}")
        annotations.change(SYSTEM, row.pk, given)
        assert set(make.marks(variant)) - {"@"} == drawn
    client().delete(f"{KEY}marks:{variant}")
    annotations.delete(SYSTEM, row.pk)
    assert set(make.marks(variant)) - {"@"} == {*every, "tests"}
    assert alert_changes.FACTS["annotation"] == {"annotations"}
