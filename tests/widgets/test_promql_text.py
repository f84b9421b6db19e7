"""Variables in PromQL: a value is never anything else than a value."""

import re
from typing import Any

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from promql_parser import MatchOp

from metrics.widgets.promql_text import filled, loose_variable
from metrics.widgets.variables import Choice

CHOICES = {
    "one": Choice(("x.y",)),
    "two": Choice(("a.b", 'c"d\\')),
    "any": Choice(("p",), is_all=True, open=True),
    "none": Choice(()),
    "period": Choice(("5m",)),
    "code": Choice(("1) or vector(1",)),
    "line": Choice(("a\n`b",)),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('up{h="$one"}', 'up{h="x.y"}'),
        ('up{h = "${one}:9100"}', 'up{h = "x.y:9100"}'),
        ('up{h=~"$one"}', r'up{h=~"x\\.y"}'),
        ('up{h!~"pre-$one-.*"}', r'up{h!~"pre-x\\.y-.*"}'),
        ('up{h="$two"}', r'up{h=~"(a\\.b|c\"d\\\\)"}'),
        ('up{h!="$two.com"}', r'up{h!~"(a\\.b|c\"d\\\\)\\.com"}'),
        ("up{h=~'$two'}", r'up{h=~"(a\\.b|c\"d\\\\)"}'),
        ("up{h=~`$line\\d+`}", r'up{h=~"a\n`b\\d+"}'),
        ('up{h="$any"}', 'up{h=~".*"}'),
        ('up{h=~"$any", j="$one"}', 'up{h=~".*", j="x.y"}'),
        ('up{h="$none", i="$other"}', 'up{h="$none", i="$other"}'),
        ('label_replace(x, "a", "$1", "b", "(.*)")', 'label_replace(x, "a", "$1", "b", "(.*)")'),
        ("rate(x[$period]) # of $one's\n> 1", "rate(x[5m]) \n> 1"),
        ("topk($code, x)", "topk($code, x)"),
    ],
)
def test_values_stand_where_variables_stood(text: str, expected: str) -> None:
    assert filled(text, CHOICES) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [('up{h="$x"}', ""), ("x[$period]", "$period"), ("topk(${n}, x)", "${n}"), ('x{a="b$"} # $x', "")],
)
def test_a_variable_outside_of_texts_is_found(text: str, found: str) -> None:
    assert loose_variable(text) == found


VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@given(values=st.lists(VALUES, min_size=1, max_size=3, unique=True), quote=st.sampled_from("\"'`"))
def test_whatever_the_values_are_prometheus_reads_them_as_such(values: list[str], quote: str) -> None:
    text = filled(f"sum(up{{h={quote}$v{quote}}})", {"v": Choice(tuple(values))})
    parsed: Any = promql_parser.parse(text)
    (matcher,) = parsed.expr.matchers.matchers
    if len(values) == 1:
        assert (matcher.op, matcher.value) == (MatchOp.Equal, values[0])
        return
    assert matcher.op == MatchOp.Re
    assert all(re.fullmatch(matcher.value, one) for one in values)
    assert not re.fullmatch(matcher.value, "".join(values) + "x")
