"""Incidents as annotations: from when until when, for whom, in the past, and drawn anew when one changes."""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from metrics.access import policy
from metrics.access.principal import SYSTEM
from metrics.actions import chart_facts, chart_incidents, evaluation, incidents, no_data, rules
from metrics.health import store as health
from metrics.models import Incident
from metrics.redis_state.connection import KEY, client
from metrics.times import datetime_of
from metrics.widgets.annotated import ALL, INCIDENT
from tests import make
from tests.make import AT, accepted, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def test_one_is_a_span_from_its_begin_to_its_end_for_those_who_see_it(django_assert_num_queries: Any) -> None:
    ops, shop = make.team("ops"), make.team("shop")
    make.incident("Disk full")
    over = make.incident("Queue full", False, [shop])
    Incident.objects.filter(pk=over.pk).update(resolved_at=datetime_of(AT + 600), severity="critical")
    spans = {
        "Incident, warning: Disk full": (AT, math.inf),
        "Incident, critical: Queue full": (AT, AT + 600),
    }
    for teams, tags, texts in [
        ([shop], {ALL}, set(spans)),
        ([shop], {INCIDENT, "deploy"}, set(spans)),
        ([ops], {INCIDENT}, {"Incident, warning: Disk full"}),
        ([], {ALL}, {"Incident, warning: Disk full"}),
        ([shop], {"deploy"}, set()),
        ([shop], set(), set()),
    ]:
        dashboard = make.dashboard(f"of-{Incident.objects.count()}-{time.monotonic_ns()}", teams=teams).pk
        found = chart_facts.noted(partial(policy.teams_of, dashboard), tags, AT + 700)
        assert {one.text: (one.at, one.until) for one in found} == {text: spans[text] for text in texts}
    with django_assert_num_queries(0):
        assert len(chart_incidents.on(lambda: None, {ALL}, AT + 701)) == 2
    then = {one.text: one.until for one in chart_facts.noted_at(lambda: None, {ALL}, AT + 60)}
    assert then == dict.fromkeys(spans, math.inf), "it ended later"
    assert chart_facts.noted_at(lambda: None, {ALL}, AT - 1) == []
    past = chart_incidents.on(lambda: None, {ALL}, AT + 60)  # as a picture of that moment draws it
    assert {one.until for one in past} == {math.inf}
    assert chart_incidents.on(lambda: None, {ALL}, AT - 1) == []
    with django_assert_num_queries(0):
        assert AT + 600 in {one.until for one in chart_incidents.on(lambda: None, {ALL}, AT + 702)}
    assert {one.link for one in chart_incidents.on(lambda: None, {ALL}, AT + 702)} == {
        f"/incidents/{pk}/" for pk in Incident.objects.values_list("pk", flat=True)
    }


@pytest.mark.django_db(transaction=True)
def test_charts_that_show_them_are_drawn_anew_when_one_ends() -> None:
    widgets = [
        make.widget("load", "number"),
        make.widget("load", "line"),
        {**make.widget("load", "line", annotations=["deploy"]), "title": "deploys"},
        {**make.widget("load", "line", annotations=[INCIDENT]), "title": "incidents"},
    ]
    make.dashboard(widgets=widgets)
    variant = make.variant()
    now = time.time()
    one = make.incident("Disk full")
    assert [found.until for found in chart_incidents.on(lambda: None, {ALL}, now)] == [math.inf]
    make.watch(variant, now=now)
    client().delete(f"{KEY}marks:{variant}")
    incidents.acknowledge(SYSTEM, one.pk)
    assert not make.marks(variant), "charts do not show who has it"
    incidents.resolve(SYSTEM, one.pk)
    assert set(make.marks(variant)) - {"@"} == {"line-of-load", "incidents"}
    assert [found.until for found in chart_incidents.on(lambda: None, {ALL}, now + 1)] != [math.inf]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("rules_at_once")
def test_each_change_that_charts_draw_is_counted_and_no_other() -> None:
    for name, severity in (("load", "warning"), ("queue", "critical")):
        condition = {"kind": "threshold", "above": 90}
        rules.create(SYSTEM, {"name": name, "query": {"metric": name}, "condition": condition, "severity": severity})

    def push(metric: str, value: float, after_s: float) -> None:
        accepted([sample(metric, value, AT + after_s)], now=AT + after_s)
        evaluation.evaluate(AT + after_s)

    def no_data_begins() -> None:
        with transaction.atomic():
            no_data._begin(5, 5, AT)

    def id() -> int:
        return Incident.objects.order_by("pk")[0].pk

    steps: list[tuple[str, Callable[[], object], bool]] = [
        ("begin", lambda: push("load", 95, 0), True),
        ("nothing new", lambda: push("load", 96, 10), False),
        ("rise", lambda: push("queue", 95, 20), True),
        ("taken", lambda: incidents.acknowledge(SYSTEM, id()), False),
        ("given back", lambda: incidents.give_back(SYSTEM, id()), False),
        ("checklist", lambda: incidents.change(SYSTEM, id(), {"checklist": ["Look"]}), False),
        ("tick", lambda: incidents.tick(SYSTEM, id(), 0), False),
        ("title", lambda: incidents.change(SYSTEM, id(), {"title": "Slow"}), True),
        ("one of two ends", lambda: push("load", 1, 30), False),
        ("end", lambda: push("queue", 1, 40), True),
        ("reopening", lambda: push("queue", 95, 50), True),
        ("resolved", lambda: incidents.resolve(SYSTEM, id()), True),
        ("reopened", lambda: incidents.reopen(SYSTEM, id()), True),
        ("no data", no_data_begins, True),
    ]
    for name, change, is_drawn in steps:
        before = health.number_of("incidents")
        change()
        assert (health.number_of("incidents") > before) == is_drawn, name
