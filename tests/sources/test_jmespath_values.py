"""Picking values out of documents, and expressions that ask for more than there is."""

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.sources import jmespath_values

ROWS = [{"number": number, "text": "x" * 20} for number in range(5000)]
DOCUMENT: dict[str, Any] = {"rows": ROWS, "one": 1, "big": "y" * 500_000}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("one", 1),
        ("nobody.has.this", None),
        ("length(rows)", 5000),
        ("rows[?number > `4997`].number", [4998, 4999]),
        ("max_by(rows, &number).number", 4999),
        ("sum(rows[].number)", 12_497_500),
        ("rows[:2].{number: number, text: length(text)}", [{"number": 0, "text": 20}, {"number": 1, "text": 20}]),
        ("join(', ', ['a', 'b'])", "a, b"),
    ],
)
def test_what_is_there_is_found(expression: str, value: Any) -> None:
    assert jmespath_values.follow(expression, DOCUMENT) == value


@pytest.mark.parametrize(
    "expression",
    [
        "|".join(["[@,@]"] * 80) + "|to_string(@)",
        "rows|" + "|".join(["[@,@][]"] * 60),
        "|".join(["[@,@]"] * 40) + " == " + "|".join(["[@,@]"] * 40),
        "join(big, rows[].text)",
        "|".join(["[rows,rows,rows,rows,rows,rows,rows,rows][]", "[@,@,@,@,@,@,@,@][]", "length(@)"]),
    ],
)
def test_what_takes_too_much_is_given_up(expression: str) -> None:
    began = time.monotonic()
    with pytest.raises(jmespath_values.NoValue, match="takes too much work"):
        jmespath_values.follow(expression, DOCUMENT)
    assert time.monotonic() - began < jmespath_values.TIME_MOST_S + 2


def test_what_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jmespath_values, "TIME_MOST_S", 0.02)
    with pytest.raises(jmespath_values.NoValue, match="takes too much work"):
        jmespath_values.follow("rows" + "|[?number > `-1`]" * 50, DOCUMENT)


@pytest.mark.parametrize(
    "expression", ["abs('x')", "abs(one, one)", "nothing(one)", "sum(rows)", "sort_by(rows, &big)"]
)
def test_what_does_not_fit_is_a_sentence(expression: str) -> None:
    with pytest.raises(jmespath_values.NoValue, match=r"^does not fit the answer \(.+\)$"):
        jmespath_values.follow(expression, DOCUMENT)


@pytest.mark.parametrize("expression", ["", "a[", "foo(", "a b", "(" * 400, "!" * 900 + "a", "a" * 1001])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"is no JMESPath expression|at most 1000 characters"):
        jmespath_values.compile(expression)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"{} {}"])
def test_what_is_no_json_is_said(body: bytes) -> None:
    with pytest.raises(jmespath_values.NoValue, match=r"^is not JSON"):
        jmespath_values.document(body)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with suppress(ValueError):
        jmespath_values.follow(text, {"a": [1, {"b": None}], "": "x"})
