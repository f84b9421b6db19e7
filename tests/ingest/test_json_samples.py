"""The JSON push format: what is taken, what is refused, and that nothing else can happen."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.ingest import json_samples
from metrics.ingest.json_samples import NotJson, parse
from metrics.sample import BadSamples, Sample, check


def body(*entries: Any, **others: Any) -> bytes:
    return json.dumps({"samples": list(entries), **others}).encode()


def problems(raw: bytes) -> list[tuple[int | None, str]]:
    with pytest.raises(BadSamples) as refused:
        parse(raw)
    assert all(one.message.endswith(".") for one in refused.value.problems)
    return [(one.index, one.field) for one in refused.value.problems]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"metric": "m", "value": 1}, Sample("m", 1.0)),
        ({"metric": "m", "value": -2.5e3}, Sample("m", -2500.0)),
        ({"metric": "m", "value": 1, "labels": None, "at": None, "unit": None}, Sample("m", 1.0)),
        (
            {"metric": "m", "value": 1, "labels": {"a": "b"}, "unit": "bytes"},
            Sample("m", 1.0, {"a": "b"}, None, "bytes"),
        ),
        ({"metric": "m", "value": 1, "at": 1795176000.25}, Sample("m", 1.0, {}, 1795176000.25)),
        ({"metric": "m", "value": 1, "at": "2026-11-20T12:00:00Z"}, Sample("m", 1.0, {}, 1795176000.0)),
        ({"metric": "m", "value": 1, "at": "2026-11-20T13:00:00.5+01:00"}, Sample("m", 1.0, {}, 1795176000.5)),
    ],
)
def test_a_good_entry_is_a_sample(entry: dict[str, Any], expected: Sample) -> None:
    assert parse(body(entry)).samples == [expected]


def test_a_sample_may_say_more_about_its_series() -> None:
    said = {"type": "counter", "expected_every": 60, "expires_after": 600.5}
    (sample,) = parse(body({"metric": "m", "value": 1, **said})).samples
    assert (sample.type, sample.expected_every_s, sample.expires_after_s) == ("counter", 60, 600.5)


def test_what_stands_beside_the_samples_holds_for_all_that_do_not_say_otherwise() -> None:
    one = {"metric": "m", "value": 1, "labels": {"host": "b", "disk": "1"}, "type": "gauge", "expires_after": None}
    batch = {"labels": {"host": "a", "dc": "x"}, "type": "counter", "expected_every": 60, "expires_after": 90}
    assert parse(body(one, {"metric": "n", "value": 2}, **batch)).samples == [
        Sample("m", 1.0, {"host": "b", "dc": "x", "disk": "1"}, None, None, "gauge", 60, 90),
        Sample("n", 2.0, {"host": "a", "dc": "x"}, None, None, "counter", 60, 90),
    ]


def test_nulls_beside_the_samples_say_nothing() -> None:
    assert parse(body({"metric": "m", "value": 1}, labels=None, type=None, expires_after=None)).samples == [
        Sample("m", 1.0)
    ]


def test_an_empty_batch_is_no_samples() -> None:
    assert parse(body()).samples == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"metric 1",
        b"{",
        b'{"samples": [}',
        b"\xff\xfe\xfa",
        b"[" * 100_000,
    ],
)
def test_what_is_not_json_says_where(raw: bytes) -> None:
    with pytest.raises(NotJson, match=r"^The body is not JSON: .+\.$"):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"null", "samples"),
        (b"[]", "samples"),
        (b'"samples"', "samples"),
        (b"{}", "samples"),
        (b'{"samples": {}}', "samples"),
        (b'{"samples": [], "source": "x"}', "source"),
        (b'{"samples": [], "unit": "x"}', "unit"),
        (b'{"samples": [], "labels": []}', "labels"),
        (b'{"samples": [], "labels": {"a": 1}}', "labels"),
        (b'{"samples": [], "type": 1}', "type"),
        (b'{"samples": [], "expected_every": "60"}', "expected_every"),
        (b'{"samples": [], "expires_after": true}', "expires_after"),
        (b'{"samples": [], "expires_after": 0}', "expires_after"),
        (b'{"samples": [{"metric": "m", "value": 1}], "labels": {"": "c"}}', "labels"),
        (b'{"samples": [{"metric": "m", "value": 1}], "type": "histogram"}', "type"),
    ],
)
def test_a_document_of_another_shape_is_refused_as_a_whole(raw: bytes, field: str) -> None:
    assert problems(raw) == [(None, field)]


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        (1, ["samples"]),
        ([], ["samples"]),
        ({}, ["metric", "value"]),
        ({"metric": 1, "value": 1}, ["metric"]),
        ({"metric": "m"}, ["value"]),
        ({"metric": "m", "value": "1"}, ["value"]),
        ({"metric": "m", "value": True}, ["value"]),
        ({"metric": "m", "value": None}, ["value"]),
        ({"metric": "m", "value": 1, "labels": []}, ["labels"]),
        ({"metric": "m", "value": 1, "labels": {"a": 1}}, ["labels"]),
        ({"metric": "m", "value": 1, "unit": 1}, ["unit"]),
        ({"metric": "m", "value": 1, "type": []}, ["type"]),
        ({"metric": "m", "value": 1, "expected_every": "1"}, ["expected_every"]),
        ({"metric": "m", "value": 1, "at": "yesterday"}, ["at"]),
        ({"metric": "m", "value": 1, "at": "2026-11-20T12:00:00"}, ["at"]),
        ({"metric": "m", "value": 1, "at": "2026-13-01T00:00:00Z"}, ["at"]),
        ({"metric": "m", "value": 1, "at": True}, ["at"]),
        ({"metric": "m", "value": 1, "at": []}, ["at"]),
        ({"metric": "m", "value": 1, "Value": 1, "time": 1}, ["Value", "time"]),
    ],
)
def test_a_bad_entry_is_refused_by_index_and_field(entry: Any, fields: list[str]) -> None:
    good = {"metric": "m", "value": 1}
    assert problems(body(good, entry)) == [(1, field) for field in fields]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ALMOST = st.fixed_dictionaries(
    {"metric": st.text() | ANY_JSON, "value": st.integers() | st.floats() | ANY_JSON},
    optional={
        "labels": st.dictionaries(st.text(), st.text() | ANY_JSON, max_size=3) | ANY_JSON,
        "at": st.integers() | st.floats() | st.datetimes().map(str) | ANY_JSON,
        "unit": st.text() | ANY_JSON,
        "type": st.sampled_from(["gauge", "counter"]) | ANY_JSON,
        "expected_every": st.integers() | st.floats() | ANY_JSON,
        "expires_after": st.integers() | st.floats() | ANY_JSON,
    },
)
BATCH = st.dictionaries(st.sampled_from(["labels", "type", "expected_every", "expires_after", "x"]), ANY_JSON)


def outcome(raw: bytes) -> object:
    """Return the samples, or what was raised in a way that the API knows."""
    try:
        return parse(raw).samples
    except (NotJson, BadSamples) as refused:
        return refused


def is_known(result: object) -> bool:
    if isinstance(result, BadSamples):
        return 1 <= len(result.problems) <= BadSamples.PROBLEMS_MOST
    return isinstance(result, NotJson) or (
        isinstance(result, list) and all(isinstance(one, Sample) and type(one.value) is float for one in result)
    )


@given(st.binary())
def test_any_bytes_are_samples_or_refused(raw: bytes) -> None:
    assert is_known(outcome(raw))


@given(ANY_JSON)
def test_any_json_is_samples_or_refused(document: Any) -> None:
    assert is_known(outcome(json.dumps(document).encode()))


@given(st.lists(ALMOST, max_size=3), BATCH)
def test_anything_like_samples_is_samples_or_refused(entries: list[Any], batch: dict[str, Any]) -> None:
    assert is_known(outcome(json.dumps({**batch, "samples": entries}).encode()))


def test_what_is_told_of_a_bad_body_is_short_however_long_the_body() -> None:
    for bad in (body(*[0] * 1000), body({"metric": "m", "value": 1, **dict.fromkeys(map(str, range(1000)), 0)})):
        with pytest.raises(BadSamples) as refused:
            parse(bad)
        assert len(refused.value.problems) == BadSamples.PROBLEMS_MOST
    for bad in (body({"metric": "m", "value": 1, "x" * 10_000: 1}), body(**{"x" * 10_000: 1})):
        with pytest.raises(BadSamples) as refused:
            parse(bad)
        assert all(len(one.field) + len(one.message) < 300 for one in refused.value.problems)


TIMES = [
    "2026-11-20T12:00:00Z",
    "2026-11-20t12:00:00z",
    "2026-11-20T12:00:00.1234567Z",
    "2026-11-20T12:00:00.9999999Z",
    "2026-11-20T12:00:00.0000005+01:00",
    "2026-11-20T12:00Z",
    "20261120T120000Z",
    "2026-W47-5T12:00:00Z",
    "2026-11-20T24:00:00Z",
    "2026-11-20T23:59:60Z",
    "2026-11-20T12:00:00",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59.9999999Z",
]


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_the_same_however_it_is_looked_at(text: str) -> None:
    raw = body({"metric": "m", "value": 1, "at": text})
    looks = [outcome(raw), outcome(raw.decode().encode("utf-16")), outcome(raw.replace(b'"m"', b'"m","metric":"m"'))]
    assert [str(look) for look in looks] == [str(looks[0])] * 3


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
FIELD = st.sampled_from(["metric", "value", "labels", "at", "unit", "x"])
ENTRIES = st.dictionaries(FIELD, LEAVES | st.dictionaries(st.text(max_size=3), LEAVES, max_size=2), max_size=5)


@given(ENTRIES, st.dictionaries(st.sampled_from(sorted(json_samples.SHARED)), LEAVES, max_size=2))
def test_what_is_read_soon_is_what_a_closer_look_would_find(entry: dict[str, Any], batch: dict[str, Any]) -> None:
    body = json.dumps({"samples": [entry], **batch}).encode()
    try:
        soon = json_samples.read(body)
    except BadSamples:  # of a shape that could be read, but bad
        soon = None
    if soon is not None:
        assert soon == json_samples._samples(json_samples._look_closely(body))


@pytest.mark.parametrize("digits", [401, 5000])
@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("value", "value is not a number between -1e+150 and 1e+150."),
        ("at", "at is more than 10 minutes in the future."),
        ("expires_after", "expires_after is not a number of seconds between 0 and 31622400."),
    ],
)
def test_what_has_many_digits_is_a_number_that_is_too_large(digits: int, field: str, said: str) -> None:
    entry = {"metric": '"a"', "value": "1", field: "1" * digits}
    fields = ", ".join(f'"{name}": {value}' for name, value in entry.items())
    with pytest.raises(BadSamples) as refused:
        check(json_samples.parse(f'{{"samples": [{{{fields}}}]}}'.encode()).samples, 1000.0)
    assert [(one.field, one.message) for one in refused.value.problems] == [(field, said)]
