"""JSON documents from a real web server: what is picked, and what is said when there is nothing to pick."""

import gzip
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from metrics.sample import Sample, check
from metrics.sources.base import Noted, SourceError
from metrics.sources.json_http import JsonHttp, JsonHttpConfig, _picked
from metrics.sources.network_policy import Forbidden, limited
from tests.sources.web import Handler, answering, echo, serving

SHOP = {
    "orders": {"open": 42, "late": None, "share": 0.25, "is_open": True, "total": "17.5"},
    "queues": [
        {"name": "mail", "depth": 3, "oldest_s": 12.5, "id": 7},
        {"name": "print", "depth": 0, "oldest_s": None, "id": 8},
    ],
    "words": ["a", "b"],
    "none": [],
}


class Shop(Handler):
    """Answers with the shop, or with what the path asks for."""

    def do_GET(self) -> None:
        status, body, headers = {
            "/": (200, json.dumps(SHOP).encode(), {"Content-Type": "application/json"}),
            "/packed": (200, gzip.compress(json.dumps(SHOP).encode()), {"Content-Encoding": "gzip"}),
            "/bomb": (200, gzip.compress(b" " * 50_000_000, 1), {"Content-Encoding": "gzip"}),
            "/brotli": (200, b"x", {"Content-Encoding": "br"}),
            "/gone": (410, b"", {}),
            "/page": (200, b"<html>", {}),
            "/moved": (302, b"", {"Location": "/"}),
            "/number": (200, b"5", {}),
            "/huge": (200, b"1" + b"0" * 400, {}),
            "/infinite": (200, b"-Infinity", {}),
            "/many": (200, json.dumps([{"n": str(n), "value": n} for n in range(5001)]).encode(), {}),
        }[self.path]
        self.answer(status, body, **headers)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Shop) as base:
        yield base


def collect(url: str, values: dict[str, str], **fields: Any) -> Noted:
    """Run one source; return its samples, having checked that they would be accepted."""
    found = JsonHttp().collect(JsonHttpConfig(url=url, values=values, **{"timeout_s": 5, **fields}))
    check(found, time.time())
    return found


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("orders.open", 42),
        ("orders.is_open", 1),
        ("length(queues)", 2),
        ("sum(queues[].depth)", 3),
        ("to_number(orders.total)", 17.5),
        ("queues[?name=='mail'] | [0].depth", 3),
        ("{value: orders.open}", 42),
    ],
)
def test_a_number_is_a_sample(url: str, expression: str, value: float) -> None:
    assert collect(url, {"orders_open": expression}) == [Sample("orders_open", value, {})]


def test_objects_are_a_sample_each_and_the_rest_of_them_labels(url: str) -> None:
    expression = "queues[].{value: depth, value_age: oldest_s, queue: name, id: to_string(id)}"
    assert collect(url, {"queue": expression}, units={"queue": "jobs", "queue_age": "seconds"}) == [
        Sample("queue", 3.0, {"queue": "mail", "id": "7"}, unit="jobs"),
        Sample("queue_age", 12.5, {"queue": "mail", "id": "7"}, unit="seconds"),
        Sample("queue", 0.0, {"queue": "print", "id": "8"}, unit="jobs"),
    ]


@pytest.mark.parametrize(
    ("expression", "kept", "said"),
    [
        ("[{value: `1`}, `5`, 'x']", [1], "Left out: Row 2 is no object. And 1 more."),
        ("queues[].{value: depth}", [3], "Left out: Row 2 has the same labels and time as row 1."),
    ],
)
def test_one_entry_that_is_no_sample_loses_no_other(url: str, expression: str, kept: list[float], said: str) -> None:
    found = collect(url, {"it": expression})
    assert ([one.value for one in found], found.note) == (kept, f"values.it: {said}")


def test_several_values_come_from_one_request(url: str) -> None:
    found = collect(url, {"orders_open": "orders.open", "orders_late": "orders.late", "orders_total": "orders.open"})
    assert found == [Sample("orders_open", 42.0), Sample("orders_total", 42.0, type="counter")]


@pytest.mark.parametrize("path", ["/packed", "/moved"])
def test_the_document_may_be_packed_or_elsewhere(url: str, path: str) -> None:
    assert collect(url + path, {"open": "orders.open"})[0].value == 42


def test_a_document_may_be_asked_for_by_post() -> None:
    expression = "length(body) == `11` && method == 'POST' && headers.\"content-type\" == 'application/json'"
    with serving(answering(echo)) as base:
        assert collect(base, {"fits": expression}, method="POST", body='{"query":1}')[0].value == 1


@pytest.mark.parametrize(
    ("path", "expression", "said"),
    [
        ("/", "nobody.has.this", "{url} has nothing where values are looked for."),
        ("/", "none", "{url} has nothing where values are looked for."),
        ("/", "orders.total", "values.it: it finds text, not a number; to_number(…) around it makes one"),
        ("/", "orders", "values.it: The query has no column value, and none whose name begins with value_."),
        ("/", "words", "values.it: it finds a list of something else than objects."),
        ("/", "abs(words)", "values.it: does not fit the answer ("),
        (
            "/",
            "queues[].{value: depth, id: id}",
            "values.it: Column id in row 1 is a number, and a label has to be text.",
        ),
        ("/many", "@", "values.it: it finds more than 5000 objects."),
        ("/huge", "@", "values.it: it finds a number that can't be stored: too large, or none at all."),
        ("/infinite", "@", "values.it: it finds a number that can't be stored: too large, or none at all."),
        ("/gone", "@", "{url}/gone answered 410 Gone."),
        ("/page", "@", "{url}/page answered something that is not JSON ("),
        ("/bomb", "@", "{url}/bomb answered something that is longer than 4096 KiB."),
        ("/brotli", "@", "{url}/brotli answered something that is packed as 'br', which nobody asked for."),
    ],
)
def test_what_goes_wrong_is_a_sentence(url: str, path: str, expression: str, said: str) -> None:
    with pytest.raises(SourceError) as failed:
        collect(url + path, {"it": expression})
    assert str(failed.value).replace(f"{url}/ ", f"{url} ").startswith(said.format(url=url))
    assert str(failed.value).endswith(".")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "value_x", "at", "a"]), inner)
        ),
        max_leaves=10,
    )
)
def test_any_document_has_samples_or_is_a_sentence(document: Any) -> None:
    with suppress(SourceError):
        for sample in _picked("it", "@", document, JsonHttpConfig(url="http://x.example", values={"it": "@"})):
            assert isinstance(sample.value, float)


def test_nobody_there_is_a_sentence() -> None:
    with pytest.raises(SourceError, match=r"^http://127\.0\.0\.1:1/ can't be reached \(Connection refused\)\.$"):
        collect("http://127.0.0.1:1/", {"it": "@"})


def test_what_takes_too_long_is_a_sentence_in_the_time_that_was_allowed() -> None:
    def wait(handler: Handler) -> None:
        handler.over.wait(10)

    with serving(answering(wait)) as base:
        began = time.monotonic()
        with pytest.raises(SourceError, match=r"did not answer within 0\.3 s\.$"):
            collect(base, {"it": "@"}, timeout_s=0.3)
    assert time.monotonic() - began < 4


def test_where_the_source_may_not_connect_to_is_an_error(url: str) -> None:
    with limited(), pytest.raises(Forbidden):
        collect(url, {"it": "@"})


def test_a_key_in_the_address_is_not_told(url: str) -> None:
    with pytest.raises(SourceError) as failed:
        collect(f"{url}/page?key=hush", {"it": "@"})
    assert "hush" not in str(failed.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"values": {}},
        {"values": {"2xx": "@"}},
        {"values": {"it": "a["}},
        {"values": {"it": ""}},
        {"values": {"it": "@"}, "units": {"other": "x"}},
        {"values": {"it": "@"}, "units": {"it": "x" * 21}},
        {"values": {"it": "@"}, "body": "{}"},
        {"values": {"it": "@"}, "method": "PUT"},
    ],
)
def test_a_bad_config_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JsonHttpConfig(url="http://x.example/", **fields)
