"""Matchers: texts as Alertmanager takes them, and the labels that they match."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.alerts.matchers import (
    BadMatcher,
    Matcher,
    from_json,
    in_common,
    made,
    match,
    matches_nothing_named,
    parse,
    parse_one,
    to_json,
    written,
)

REFUSED = None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", Matcher("a", "=", "b")),
        ('a="b c"', Matcher("a", "=", "b c")),
        ("a=b c", Matcher("a", "=", "b c")),
        ("a=~b.*", Matcher("a", "=~", "b.*")),
        ("a!=b", Matcher("a", "!=", "b")),
        ('a!~"x|y"', Matcher("a", "!~", "x|y")),
        ('{a="b",c="d"}', REFUSED),
        ('a="b",c="d"', REFUSED),
        ('a=""', Matcher("a", "=", "")),
        ("a=", Matcher("a", "=", "")),
        ("a='b'", Matcher("a", "=", "'b'")),
        (r'a="b\"c"', Matcher("a", "=", 'b"c')),
        (r'a="b\nc\\d\qe"', Matcher("a", "=", "b\nc\\d\\qe")),
        ("a=b\\", Matcher("a", "=", "b\\")),
        ('a=~"("', REFUSED),
        ("foo", REFUSED),
        (" a = b ", Matcher("a", "=", "b")),
        ("a==b", Matcher("a", "=", "=b")),
        ('a=b"', REFUSED),
        ('a="b', REFUSED),
        ("", REFUSED),
        # Names that only the newer way has:
        ("ü=1", Matcher("ü", "=", "1")),
        ('"a b"=c', Matcher("a b", "=", "c")),
        ("a-b=c", Matcher("a-b", "=", "c")),
        ("a.b=~c", Matcher("a.b", "=~", "c")),
        ('"a\\"b"!="c"', Matcher('a"b', "!=", "c")),
        ("a b=c", REFUSED),
        ('""=c', REFUSED),
        ("a-b='c'", REFUSED),
        ("a-b=c=d", REFUSED),
        ("a-b=~(", REFUSED),
    ],
)
def test_one_matcher_is_read_from_text(text: str, expected: Matcher | None) -> None:
    if expected is None:
        with pytest.raises(BadMatcher, match=r"\.$"):
            parse_one(text)
    else:
        assert parse_one(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("{}", []),
        ('{a="b",c="d"}', [Matcher("a", "=", "b"), Matcher("c", "=", "d")]),
        ('a="b,c", d=~"e,f",', [Matcher("a", "=", "b,c"), Matcher("d", "=~", "e,f")]),
        (r'a="\"b,", c=d', [Matcher("a", "=", '"b,'), Matcher("c", "=", "d")]),
        ('{"a b"="c",d!="e",}', [Matcher("a b", "=", "c"), Matcher("d", "!=", "e")]),
        ("ü=1, a=b", [Matcher("ü", "=", "1"), Matcher("a", "=", "b")]),
        ("a=b,,c=d", REFUSED),
        ("a=b c-d=e", [Matcher("a", "=", "b c-d=e")]),
        ('{"a b"="c"', REFUSED),
        ('"a b"="c" d="e"', REFUSED),
        ("nothing", REFUSED),
    ],
)
def test_many_are_read_from_text(text: str, expected: list[Matcher] | None) -> None:
    if expected is None:
        with pytest.raises(BadMatcher, match=r"\.$"):
            parse(text)
    else:
        assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("a=b", {"a": "b"}, True),
        ("a=b", {"a": "bb"}, False),
        ("a!=b", {"a": "b"}, False),
        ("a!=b", {}, True),
        ("a=~b", {"a": "bb"}, False),
        ("a=~b.", {"a": "bb"}, True),
        ("a=~b|c", {"a": "cc"}, False),
        ("a=~.*", {}, True),
        ("a=~.+", {}, False),
        ("a=~.+", {"a": ""}, False),
        ('a=""', {"b": "c"}, True),
        ("a!~b.*", {"a": "bc"}, False),
        ("a!~b", {}, True),
        ("a=b,c=d", {"a": "b"}, False),
        ("a=b,c=d", {"a": "b", "c": "d", "e": "f"}, True),
        ("a=~(?i)B", {"a": "b"}, True),
        ("a=~b.c", {"a": "b\nc"}, False),
    ],
)
def test_labels_match(text: str, labels: dict[str, str], expected: bool) -> None:
    assert match(parse(text), labels) is expected


@pytest.mark.parametrize(("text", "expected"), [("a=~.*,b!=c", True), ("a=b", False), ("a=~.*,b=c", False)])
def test_what_would_match_nearly_everything_is_known(text: str, expected: bool) -> None:
    assert matches_nothing_named(parse(text)) is expected


def test_the_form_of_the_api() -> None:
    document = [
        {"name": "a", "value": "b", "isRegex": False, "isEqual": True},
        {"name": "a", "value": "b", "isRegex": True, "isEqual": False},
    ]
    assert from_json(document) == [Matcher("a", "=", "b"), Matcher("a", "!~", "b")]
    assert to_json(from_json(document)) == document
    assert from_json([{"name": "a", "value": "b"}]) == [Matcher("a", "=", "b")]


@pytest.mark.parametrize(
    "document",
    [
        {"name": "a"},
        {"name": "", "value": "b"},
        {"name": "a", "value": 1},
        {"name": "a", "value": "(", "isRegex": True},
        {"name": "a", "value": "b", "isRegex": "yes"},
        {"name": "a", "value": "b" * 2000},
    ],
)
def test_documents_that_are_none_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(BadMatcher, match=r"\.$"):
        from_json([document])


TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"], whitelist_characters="\n"), max_size=20)


@given(st.lists(st.tuples(TEXT.filter(bool), st.sampled_from(["=", "!="]), TEXT), max_size=4))
def test_what_is_written_is_read_again(given: list[tuple[str, str, str]]) -> None:
    matchers = [made(*one) for one in given]
    assert parse(written(matchers)) == matchers


@pytest.mark.parametrize(
    ("labelled", "expected"),
    [
        ([{"host": "a", "alertname": "Disk"}], 'alertname="Disk", host="a"'),
        (
            [{"alertname": "Disk", "host": "a.b|c", "site": "x"}, {"alertname": "Disk", "host": "d", "rack": "1"}],
            'alertname="Disk", host=~"a\\\\.b\\\\|c|d"',
        ),
        ([{"alertname": "Disk"}, {"alertname": "CPU"}, {"alertname": "CPU"}], 'alertname=~"CPU|Disk"'),
        ([{"a": "1"}, {"b": "1"}], ""),
    ],
)
def test_those_that_things_have_in_common_match_all_of_them(labelled: list[dict[str, str]], expected: str) -> None:
    found = in_common(labelled)
    assert written(found) == expected
    assert parse(expected) == found
    assert all(match(found, one) for one in labelled)


@given(st.lists(st.text(min_size=1, max_size=9), min_size=2, max_size=4))
def test_values_that_differ_are_matched_as_they_are(values: list[str]) -> None:
    found = in_common([{"x": value} for value in values])
    assert all(match(found, {"x": value}) for value in values)
    assert not match(found, {"x": "".join(values) + "…"})
