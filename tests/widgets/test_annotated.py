"""Annotations on widgets: which are chosen, where they are marked, and that many stay few and small."""

import math
import re
from dataclasses import replace
from typing import Any

import pytest
from django.template.loader import render_to_string
from pydantic import ValidationError

from metrics.widgets import annotated
from metrics.widgets.annotated import (
    ALL,
    INCIDENT,
    INCIDENT_MARKS_MOST,
    MARKS_MOST,
    NO_MARKS,
    Marks,
    Noted,
    marks,
    spots,
    tags_of,
)
from metrics.widgets.facts import Facts, annotations_of
from metrics.widgets.filled import with_values
from metrics.widgets.gallery import _widget
from metrics.widgets.heatmap import Heatmap, HeatmapConfig
from metrics.widgets.history import History, HistoryConfig
from metrics.widgets.line import LineView
from metrics.widgets.line_config import LineConfig
from metrics.widgets.list import ListConfig, ListKind, ListView
from metrics.widgets.render import html, view_of_tracks
from metrics.widgets.variables import Choice
from tests.widgets.make import AT, named, track, window
from tests.widgets.test_line import FINER, noise

HOUR = (AT - 3600, AT, AT)
QUERY = {"queries": [{"metric": "x"}]}


def noted(id: int, at: float, until: float | None = None, text: str = "Deployed", *tags: str) -> Noted:
    return Noted(id, AT + at, None if until is None else AT + until, text, tags)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], []),
        ([noted(1, -3601), noted(2, 0), noted(3, -9000, -3601)], []),
        ([noted(1, -1800)], [("50.0%", "", "11:30 Deployed", 1)]),
        ([noted(1, -1800, -900)], [("50.0%", "25.0%", "11:30 to 11:45 Deployed", 1)]),
        ([noted(1, -9000, 9000)], [("0.0%", "100.0%", "09:30 to 14:30 Deployed", 1)]),
        ([noted(1, -1800, -1795)], [("50.0%", "", "11:30 to 11:30 Deployed", 1)]),
        (
            [noted(2, -1790, None, "b"), noted(1, -1800, None, "a"), noted(3, -1700, None, "c")],
            [("50.0%", "", "11:30 a · b", 2), ("52.8%", "", "11:31 c", 1)],
        ),
        (
            [noted(n, -1800 + n, None, f"{n}") for n in range(5)],
            [("50.0%", "", "2 before · 11:30 2 · 3 · 4", 5)],
        ),
    ],
)
def test_each_is_marked_where_it_was_and_those_that_are_near_are_one(
    given: list[Noted], found: list[tuple[str, str, str, int]]
) -> None:
    shown = marks(given, *HOUR)
    assert [(one.place, one.width, one.text, one.count) for one in shown.marks] == found


def test_a_chart_says_the_newest_in_words() -> None:
    assert marks([], *HOUR) == NO_MARKS
    assert marks([noted(1, -1800)], *HOUR).said == "Annotations: 11:30, Deployed."
    many = [noted(n, -60 * n, None, f"v{n}") for n in range(9, 4, -1)]
    assert marks(many, *HOUR).said == "Annotations: 11:53, v7; 11:54, v6; 11:55, v5; and 2 before."


@pytest.mark.parametrize("text", ["deployed", "x" * 500, "ж" * 500, "&<\"'" * 100, "line\nline"])
def test_many_are_few_marks_and_few_bytes_and_all_are_counted(text: str) -> None:
    shown = marks([noted(n, -3600 + 7.2 * n, None, text) for n in range(500)], *HOUR)
    assert len(shown.marks) <= MARKS_MOST
    assert sum(one.count for one in shown.marks) == 500
    assert "and 497 before" in shown.said
    assert not any("\n" in one.text for one in shown.marks)
    drawn = render_to_string("widgets/_marks.html", {"marks": shown.marks})
    assert len(drawn.encode()) < 3200
    assert len(drawn.encode()) <= shown.size_bytes + 100


@pytest.mark.parametrize(("series", "legend"), [(1, "list"), (3, "list"), (5, "list"), (3, "table")])
def test_a_chart_with_many_stays_within_its_bytes_and_one_with_a_few_as_fine(series: int, legend: str) -> None:
    tracks = [replace(track(1, noise(n)), labels={"host": f"server-{n}"}) for n in range(series)]
    widget = _widget("line", "x", "In use", {"queries": [{"metric": "x"}], "legend": legend})

    def drawn(count: int) -> tuple[int, float]:
        given = [noted(n, -3600 + 3600 * n / max(1, count), None, "&" * 500) for n in range(count)]
        view = view_of_tracks(widget, [tracks], FINER.range, AT, Facts(annotations=given))
        assert isinstance(view.view, LineView)
        return len(html([widget], [view])["line-x"].encode()), view.view.step_s

    (bare, step_s), (marked, _) = drawn(0), drawn(500)
    assert marked < max(12_000, bare)
    assert drawn(1)[1] == step_s


def test_a_widget_shows_those_with_one_of_its_tags() -> None:
    given = [noted(1, -60, None, "a", "deploy", "shop"), noted(2, -50, None, "b", "test"), noted(3, -40, None, "c")]
    for tags, ids in [
        ([ALL], [1, 2, 3]),
        ([], []),
        (["deploy"], [1]),
        (["shop", "test"], [1, 2]),
        (["x", ALL], [1, 2, 3]),
    ]:
        config = LineConfig.model_validate({"queries": [{"metric": "x"}], "annotations": tags})
        Facts(annotations=given).give(config)
        assert [one.id for one in config.noted] == ids, tags
    usual = LineConfig.model_validate({"queries": [{"metric": "x"}]})
    usual.annotate(given)
    assert len(usual.noted) == 3


def test_which_tags_a_stored_config_asks_for() -> None:
    for kind, config, tags in [
        ("line", {}, {ALL}),
        ("line", {"annotations": []}, set()),
        ("line", {"annotations": ["a", ALL]}, {ALL}),
        ("line", {"annotations": ["a", 5]}, {"a"}),
        ("line", {"annotations": "a"}, set()),
        ("line", "odd", set()),
        ("list", {}, set()),
        ("list", {"annotations": ["a", "b"]}, {"a", "b"}),
        ("number", {"annotations": ["a"]}, set()),
        ("gone", {}, set()),
    ]:
        assert annotations_of(kind, config) == tags, (kind, config)
    assert tags_of(None, [ALL]) == frozenset()


@pytest.mark.parametrize(
    ("typed", "choice", "tags"),
    [
        (["deploy", "$shop"], Choice(("a", "b")), ["deploy", "a", "b"]),
        (["deploy", "$shop"], Choice(("a",), is_all=True, open=True), ["deploy", ALL]),
        (["deploy", "${shop}"], Choice(("a", "b"), is_all=True), ["deploy", ALL]),
        (["of-$shop"], Choice(("a", "b"), is_all=True), ["of-a", "of-b"]),
        (["$shop"], Choice(("a,b", "x" * 51, "c")), ["c"]),
        (["$shop", "x"], Choice(("a,b",)), ["$shop", "x"]),
        (["$shop"], Choice(tuple(f"{n}" for n in range(50))), [f"{n}" for n in range(50)]),
        (["$shop"], Choice(tuple(f"{n}" for n in range(1001))), [f"{n}" for n in range(1000)]),
    ],
)
@pytest.mark.parametrize("kind", ["line", "list"])
def test_tags_may_be_variables_whose_values_need_not_be_tags(
    kind: str, typed: list[str], choice: Choice, tags: list[str]
) -> None:
    found = with_values(_widget(kind, "x", "x", {**QUERY, "annotations": typed}), {"shop": choice})
    assert found.config["annotations"] == tags
    assert not view_of_tracks(found, [[]], "1h", AT).error


def test_a_config_that_was_not_checked_keeps_its_tags() -> None:
    odd = _widget("line", "x", "x", {**QUERY, "annotations": [{"a": 1}, "$shop"]})
    assert with_values(odd, {"shop": Choice(("a",))}).config["annotations"] == [{"a": 1}, "$shop"]


def test_a_list_has_its_annotations_also_while_its_queries_find_nothing() -> None:
    both = _widget("list", "x", "x", {**QUERY, "annotations": [ALL]})
    for given, state, changes in [([noted(1, -60)], "still", 1), ([noted(1, -7200)], "nodata", 0), ([], "nodata", 0)]:
        found = view_of_tracks(both, [[]], "1h", AT, Facts(annotations=given))
        assert found.freshness.state == state
        assert isinstance(found.view, ListView)
        assert len(found.view.changes) == changes


@pytest.mark.parametrize("text", ["x", "ж", "&", "'", "🚀"])
@pytest.mark.parametrize("rows", [30, 10])
def test_a_list_of_the_longest_stays_within_its_bytes(text: str, rows: int) -> None:
    tags = [f"{n}{text * 48}" for n in range(10, 30)]
    given = [noted(10**15 + n, -80_000 - n, -60, text * 500, *tags) for n in range(40)]
    widget = _widget("list", "x", "x", {"annotations": [ALL], "rows": rows})
    found = view_of_tracks(widget, [], "7d", AT, Facts(annotations=given))
    drawn = html([widget], [found])["list-x"]
    assert drawn.count("noted-tags") == rows
    assert 7_000 < len(drawn.encode()) < 12_000


@pytest.mark.parametrize("tag", ["", " ", "a,b", "x" * 51])
def test_a_tag_that_can_not_be_is_refused(tag: str) -> None:
    with pytest.raises(ValidationError, match="no comma"):
        LineConfig.model_validate({"queries": [{"metric": "x"}], "annotations": [tag]})


def test_a_list_has_annotations_the_newest_first_among_changes() -> None:
    with pytest.raises(ValidationError, match="needs queries, or tags"):
        ListConfig.model_validate({})
    known = Facts(
        annotations=[noted(7, -50, None, "b", "deploy", "shop"), noted(8, -7200, -60, "a", "deploy"), noted(9, -9000)]
    )
    alone = _widget("list", "x", "x", {"annotations": ["deploy"]})
    found = view_of_tracks(alone, [], "1h", AT, known)
    assert isinstance(found.view, ListView)
    assert found.freshness.state == "still"
    assert [(one.time, one.name, one.tags, one.link) for one in found.view.changes] == [
        ("11:59:10", "b", "deploy, shop", "/annotations/?from=7#annotation-7"),
        ("10:00:00", "a", "1 h 59 min · deploy", "/annotations/?from=8#annotation-8"),
    ]
    drawn = html([alone], [found])["list-x"]
    assert re.search(r'href="/annotations/\?from=7#annotation-7".*>b<', drawn)
    assert "Nothing in this range" in html([alone], [view_of_tracks(alone, [], "1h", AT)])["list-x"]


def test_what_is_cut_is_cut_by_its_bytes() -> None:
    assert annotated.cut("a" * 24, 24) == "a" * 24
    for text in ("a" * 30, "&" * 30, "ж" * 30, "🚀" * 30):
        cut = annotated.cut(text, 24)
        assert cut.endswith("…")
        assert annotated._size(cut) > 14
        assert annotated._size(cut) <= 24
    assert Marks().size_bytes == 0


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"of": "hours", "days": 2}, [("31.2%", "25.0%", 2), ("52.1%", "75.0%", 1)]),  # Thursday 7 h, Friday 12 h
        ({"of": "buckets"}, [("4.2%", "", 1)]),
        ({"of": "hours", "annotations": []}, []),
    ],
)
def test_a_heat_map_marks_the_cells_or_the_time(fields: dict[str, Any], found: list[tuple[str, str, int]]) -> None:
    given = [noted(1, -29 * 3600), noted(2, -29 * 3600 + 5), noted(3, 40), noted(4, -9 * 86_400), noted(5, -3420)]
    if fields["of"] == "hours":
        given.pop()
    config = HeatmapConfig.model_validate({**QUERY, **fields})
    Facts(annotations=given).give(config)
    kind = Heatmap()
    shown = kind.view(config, [], kind.window(config, window()))
    assert [(one.place, one.row, one.count) for one in shown.annotations.marks] == found
    assert ("Annotations: " in shown.annotations.said) == bool(found)


def test_a_map_marks_the_newest_places() -> None:
    shown = spots([noted(n, -n) for n in range(40)], lambda at: (0.5, at / AT) if at < AT - 1 else None, AT)
    assert (len(shown.marks), shown.marks[-1].row) == (MARKS_MOST, "100.0%")
    assert "and 35 before" in shown.said


def test_a_history_marks_the_day_over_all_rows_and_stays_small() -> None:
    config = HistoryConfig.model_validate({**QUERY, "days": 30})
    Facts(annotations=[noted(n, -86_400 * n, None, "&" * 500) for n in range(60)]).give(config)
    kind = History()
    shown = kind.view(config, [named("web", 1.0), named("db", 1.0)], kind.window(config, window()))
    assert len(shown.annotations.marks) <= MARKS_MOST
    assert sum(one.count for one in shown.annotations.marks) == 30
    assert shown.annotations.marks[0].place == "1.7%"  # noon of the first of thirty days
    drawn = render_to_string("widgets/history.html", {"view": shown})
    assert drawn.count('class="noted"') == 1
    assert len(drawn.encode()) < 6_000


def test_incidents_have_marks_of_their_own_with_their_worst_severity_and_where_they_lead() -> None:
    def incident(id: int, at: float, until: float, severity: str) -> Noted:
        return replace(noted(id, at, until, f"Incident {id}", INCIDENT), severity=severity)

    given = [
        noted(1, -1800),
        incident(1, -1800, -900, "warning"),
        incident(2, -600, math.inf, "info"),
        incident(3, -601, -500, "critical"),
    ]
    shown = marks(given, AT - 3600, AT + 3600, AT)
    assert [(one.place, one.width, one.severity, one.link, one.text) for one in shown.marks] == [
        ("25.0%", "", "", "", "11:30 Deployed"),
        ("25.0%", "12.5%", "warning", "/incidents/1/", "11:30 to 11:45 Incident 1"),
        ("41.7%", "58.3%", "critical", "/incidents/", "11:49 to 11:51 Incident 3 · since 11:50 Incident 2"),
    ]
    before = [incident(n, -86_400 * n, math.inf, "info") for n in range(1, 20)]
    long = marks([*before, *(incident(20 + n, -3000 + 400 * n, -2950 + 400 * n, "info") for n in range(7))], *HOUR)
    assert [one.count for one in long.marks] == [19, *[1] * 7], "those before the chart are one mark, and no others"
    drawn = render_to_string("widgets/_marks.html", {"marks": shown.marks})
    assert drawn.count('<a href="/incidents/') == 2
    assert len(drawn.encode()) <= shown.size_bytes + 100
    many = marks([incident(n, -3600 + 30 * n, -3600 + 30 * n + 5, "info") for n in range(120)], *HOUR)
    assert len(many.marks) == INCIDENT_MARKS_MOST
    drawn = render_to_string("widgets/_marks.html", {"marks": many.marks})
    assert len(drawn.encode()) <= many.size_bytes + 100
    both = Facts(annotations=[noted(1, -60, None, "&" * 500), *given[1:]])
    rows = ListConfig.model_validate({"annotations": [INCIDENT]})
    both.give(rows)
    listed = ListKind().view(rows, [], window())
    assert [(one.name, one.tags, one.link) for one in listed.changes] == [
        ("Incident 2", "open · incident", "/incidents/2/"),
        ("Incident 3", "1 min 41 s · incident", "/incidents/3/"),
        ("Incident 1", "15 min · incident", "/incidents/1/"),
    ]
