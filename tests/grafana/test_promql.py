"""PromQL as queries: what means exactly the same, and what is refused with the reason."""

from typing import Any

import pytest

from metrics.grafana.promql import Translator, Untranslatable, queries, written


def translated(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the expression, in which queries are called by their index, and the queries."""
    term = Translator({"node"}).term(text)
    found = [dict(one.config) for one in queries(term)]
    return written(term, lambda one: "ABCDEF"[found.index(dict(one.config))]), found


def rate(metric: str, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "function": "rate", **more}


A, B = {"metric": "a"}, {"metric": "b"}


@pytest.mark.parametrize(
    ("text", "expression", "found"),
    [
        ("a", "A", [A]),
        ("a_total", "A", [{"metric": "a_total", "function": "last"}]),
        ('a{x="1",y=~"2"}', "A", [{"metric": "a", "labels": {"x": "1", "y": "2"}}]),
        ('{__name__="a", x=~".*"}', "A", [A]),
        ('a{x=~"1|2", y=~"(b|c)"}', "A", [{"metric": "a", "labels": {"x": ["1", "2"], "y": ["b", "c"]}}]),
        ('a{x="$node", y=~"${node:regex}"}', "A", [{"metric": "a", "labels": {"x": "$node", "y": "$node"}}]),
        ('a{x=~"$other"}', "A", [A]),
        ("rate(a[5m])", "A", [rate("a", over="5m")]),
        ("rate(a[90s])", "A", [rate("a", over="90s")]),
        ("rate(a[$__rate_interval])", "A", [rate("a")]),
        ("irate(a[${interval}])", "A", [rate("a")]),
        ("increase(a[$__range])", "A", [{"metric": "a", "function": "increase"}]),
        ("increase(a[1h])", "A * 3600", [rate("a", over="1h")]),
        ("max_over_time(a[$__interval])", "A", [{"metric": "a", "function": "max"}]),
        ("sum(a)", "A", [{**A, "group_by": []}]),
        ("avg by (x, y) (rate(a[5m]))", "A", [rate("a", over="5m", group_by=["x", "y"], aggregate="avg")]),
        ("sum(rate(a[5m]) * 8)", "A * 8", [rate("a", over="5m", group_by=[])]),
        ("topk(5, a)", "A", [{**A, "top": 5}]),
        ("a / b * 100", "A / B * 100", [A, B]),
        ("100 * (1 - a / (b + a))", "100 * (1 - A / (B + A))", [A, B, A]),
        ("a - (b - a)", "A - (B - A)", [A, B, A]),
        ("-a", "0 - A", [A]),
        ("a * -1", "A * (0 - 1)", [A]),
        ("a / scalar(sum(b))", "A / B", [A, {**B, "group_by": []}]),
        ("sort_desc(a) * (2 + 3)", "A * 5", [A]),
    ],
)
def test_it_means_the_same(text: str, expression: str, found: list[dict[str, Any]]) -> None:
    assert translated(text) == (expression, found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 + 1", "its query names no metric"),
        ("a{", "its query can't be read"),
        ("a offset 5m", "a offset 5m looks at another time"),
        ('a{x!="1"}', "labels are only compared with =, and not x!='1'"),
        ('a{x=~"1.*"}', "labels are only compared with =, and not x=~'1.*'"),
        ('a{x=""}', "labels are only compared with =, and not x=''"),
        ("sum without (x) (a)", "without has no counterpart"),
        ("count(count(a) by (x))", "count of what is aggregated already has no counterpart"),
        ("sum(a + b)", "sum of a calculation has no counterpart"),
        ("a > 1", "> has no counterpart"),
        ("a and b", "and has no counterpart"),
        ("a * on(x) group_left(y) b", "* on (x) group_left (y) has no counterpart"),
        ("histogram_quantile(0.9, a)", "histogram_quantile has no counterpart"),
        ("max_over_time(a[1h])", "max_over_time over a window of its own has no counterpart"),
        ("a[5m:1m]", "a[5m:1m] has no counterpart"),
        ("time() - a", "time has no counterpart"),
        ("(" * 60 + "a" + ")" * 60, "its query is too long"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(Untranslatable) as refused:
        translated(text)
    assert str(refused.value).startswith(reason)


def test_variables_that_there_are_not_are_told() -> None:
    translator = Translator({"node"})
    translator.term('a{x="$node", y=~"$job", z="$node:1"}')
    assert (translator.used, translator.dropped) == ({"node"}, {"job", "node"})
