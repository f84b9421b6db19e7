"""StatsD's datagrams: what each line says, and that no bytes are too strange."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.ingest.statsd import TYPES, BadReading, Reading, parse


def one(line: str) -> Reading | BadReading:
    (found,) = parse(line.encode())
    return found


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        ("orders:1|c", Reading("orders", (), "c", (1.0,))),
        ("orders:-2.5|c|@0.1", Reading("orders", (), "c", (-2.5,), 0.1)),
        ("shop.orders-open:3|g", Reading("shop_orders_open", (), "g", (3.0,))),
        ("load:+1.5|g", Reading("load", (), "g", (1.5,), relative=True)),
        ("load:-1.5|g", Reading("load", (), "g", (-1.5,), relative=True)),
        ("wait:320|ms|@0.5", Reading("wait", (), "ms", (320.0,), 0.5)),
        ("size:1:2:3|h", Reading("size", (), "h", (1.0, 2.0, 3.0))),
        ("size:1e3|d", Reading("size", (), "d", (1000.0,))),
        ("users:ann:b|s", Reading("users", (), "s", ("ann:b",))),
        ("a:1|c|#shop:north,env:a:b", Reading("a", (("env", "a:b"), ("shop", "north")), "c", (1.0,))),
        (
            "a:1|c|#:x",
            Reading("a", (), "c", (1.0,)),
        ),  # a value of no name, as some clients send for an empty tag
        ("a:1|c|#canary,,x:", Reading("a", (("canary", "true"), ("x", "true")), "c", (1.0,))),
        ("a:1|c|#host.name:x,__b:y", Reading("a", (("host_name", "x"),), "c", (1.0,))),
        ("a:1|c|#b:1|@0.5|c:ci-12|T1795176000|e:it-false|card:low", Reading("a", (("b", "1"),), "c", (1.0,), 0.5)),
        ("  a:1|c \r", Reading("a", (), "c", (1.0,))),
        ("grüße:1|c", Reading("gr_e", (), "c", (1.0,))),
        ("2xx:1|c", Reading("_2xx", (), "c", (1.0,))),
    ],
)
def test_a_line_is_a_reading(line: str, reading: Reading) -> None:
    assert one(line) == reading


def test_a_datagram_may_have_many_lines_and_one_that_is_bad_spoils_no_other() -> None:
    found = list(parse(b"a:1|c\nnonsense\n\nb:2|g\n"))
    assert [type(each) for each in found] == [Reading, BadReading, Reading]


@pytest.mark.parametrize("datagram", [b"", b"\n", b"_e{5,4}:title|text|#a:b", b"_sc|redis|0\n"])
def test_what_is_not_about_metrics_is_passed_over(datagram: bytes) -> None:
    assert list(parse(datagram)) == []


@pytest.mark.parametrize(
    "line",
    [
        *(
            "a",
            "a:1",
            "a|c",
            ":1|c",
            "a:|c",
            "a:|s",
            "a:|g",
            "a:1|x",
            "a:1|",
            "a:one|c",
            "a:1:two|c",
            "a:nan|g",
            "a:inf|g",
        ),
        *(
            "a:1e400|c",
            "a:1e31|c",
            "a:0x10|c",
            "a:1_0|c",
            "a:\u0661|c",
            "a:1|c|@",
            "a:1|c|@0",
            "a:1|c|@2",
            "a:1|c|@1e-9",
        ),
        *("a:1|c|@nan", "a:1|c|z", f"{'a' * 200}:1|c", f"a:1|c|#b:{'x' * 201}", "a:1|c|#b:\x00"),
        *(f"a:{'1' * 9000}|c", "a:1|c|#" + ",".join(f"t{n}:1" for n in range(21))),
    ],
)
def test_a_line_that_is_none_says_why(line: str) -> None:
    found = one(line)
    assert isinstance(found, BadReading)
    assert str(found).startswith(("'", '"'))
    assert not str(found).endswith(".")


PARTS = [
    "a",
    ":",
    "|",
    "@",
    "#",
    ",",
    "c",
    "g",
    "ms",
    "h",
    "d",
    "s",
    "1",
    "-",
    "+",
    ".",
    "e",
    "\n",
    "_e{",
    "\xff",
    "٣",
    "9" * 30,
]


@given(
    st.binary()
    | st.lists(st.sampled_from(PARTS), max_size=25).map(lambda parts: "".join(parts).encode("latin-1", "replace"))
)
def test_any_bytes_are_readings_or_say_why_not(datagram: bytes) -> None:
    for found in parse(datagram):
        if isinstance(found, Reading):
            assert found.type in TYPES
            assert 0 < found.rate <= 1
            assert found.values
            assert all(math.isfinite(value) for value in found.values if isinstance(value, float))
