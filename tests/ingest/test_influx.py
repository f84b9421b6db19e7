"""Line protocol: what each line becomes, which line is refused, and that nothing else can happen."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client import Point, WritePrecision

from metrics.ingest.influx import BadPrecision, parse
from metrics.sample import Sample

NS = 1_795_176_000_250_000_000
AT = 1_795_176_000.25


def read(text: str, precision: str = "") -> list[Sample]:
    return parse(text.encode(), precision).samples


def refused(body: bytes | str) -> list[tuple[int | None, str]]:
    """The lines that are refused, and why."""
    parsed = parse(body.encode() if isinstance(body, str) else body, "")
    assert parsed.refused.places == {one.index for one in parsed.refused.problems}
    return [(one.index, one.message) for one in parsed.refused.problems]


@pytest.mark.parametrize(
    ("line", "samples"),
    [
        ("cpu,host=a usage=1.5", [Sample("cpu_usage", 1.5, {"host": "a"})]),
        (f"cpu usage=1.5 {NS}", [Sample("cpu_usage", 1.5, {}, AT)]),
        ("cpu idle=1,user=2", [Sample("cpu_idle", 1.0), Sample("cpu_user", 2.0)]),
        ("orders value=3i", [Sample("orders", 3.0)]),
        (
            "m i=-3i,u=3u,e=1e3,n=-.5",
            [Sample("m_e", 1000.0), Sample("m_i", -3.0), Sample("m_n", -0.5), Sample("m_u", 3.0)],
        ),
        (
            "m a=t,b=True,c=FALSE,d=f",
            [Sample(f"m_{n}", v) for n, v in (("a", 1.0), ("b", 1.0), ("c", 0.0), ("d", 0.0))],
        ),
        ('m text="a, b=\\"c\\"",v=1', [Sample("m_v", 1.0)]),
        ('m text="only"', []),
        (r"disk\ io,my\ tag=a\,b\=c read\ bytes=1", [Sample("disk_io_read_bytes", 1.0, {"my_tag": "a,b=c"})]),
        ("cpu-total,host.name=a usage%=1", [Sample("cpu_total_usage_", 1.0, {"host_name": "a"})]),
        ("2xx,2nd=a,__x=b value=1", [Sample("_2xx", 1.0, {"key_2nd": "a"})]),
        ("m,a-b=1,a.b=2 v=1", [Sample("m_v", 1.0, {"a_b": "1;2"})]),
        ("grüße,ort=Zürich v=1", [Sample("gr_e_v", 1.0, {"ort": "Zürich"})]),
        ('m,t=a"b v=1', [Sample("m_v", 1.0, {"t": 'a"b'})]),
        ("# a comment", []),
        ("  \t", []),
        ("", []),
    ],
)
def test_each_field_of_a_line_is_a_sample(line: str, samples: list[Sample]) -> None:
    assert read(line) == samples


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_counted(end: str) -> None:
    written = parse(end.join(["a v=1,w=2", "", "# b", "c v=3", ""]).encode(), "")
    assert [one.metric for one in written.samples] == ["a_v", "a_w", "c_v"]
    assert written.places == [1, 1, 4]


def test_a_text_may_go_on_over_several_lines() -> None:
    written = parse(b'a text="one\ntwo, \\"2\\"\nthree",v=1\nb v=2\nc,t=x"y v=3', "")
    assert ([one.metric for one in written.samples], written.places) == (["a_v", "b_v", "c_v"], [1, 4, 5])


@pytest.mark.parametrize(
    ("precision", "time"),
    [
        *(
            ("", NS),
            ("ns", NS),
            ("n", NS),
            ("us", NS // 1000),
            ("u", NS // 1000),
            ("µ", NS // 1000),
            ("ms", NS // 10**6),
        ),
        *(("s", 1_795_176_000), ("m", 29_919_600), ("h", 498_660)),
    ],
)
def test_times_are_in_the_precision(precision: str, time: int) -> None:
    (sample,) = read(f"m v=1 {time}", precision)
    assert sample.at == (1_795_176_000 if precision in ("s", "m", "h") else AT)


def test_what_the_client_writes_is_read() -> None:
    point = (
        Point("disk, io")
        .tag("ho st", "a=b,c\\")
        .field("te xt", 'say "hi"\\\nbye')
        .field("n", 3)
        .field("ok", True)
        .field("load", 0.1)
        .time(NS, WritePrecision.NS)
    )
    labels = {"ho_st": "a=b,c "}  # the client appends a space to a backslash at the end, which escapes it
    assert read(point.to_line_protocol()) == [
        Sample("disk_io_load", 0.1, labels, AT),
        Sample("disk_io_n", 3.0, labels, AT),
        Sample("disk_io_ok", 1.0, labels, AT),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("b", "unable to parse 'b': Failed to parse"),
        ("b v", "unable to parse 'b v': Failed to parse"),
        ("b v=", "unable to parse 'b v=': Failed to parse"),
        ("b v=x", "unable to parse 'b v=x': Failed to parse type of field value"),
        ("b v=nan", "unable to parse 'b v=nan': Failed to parse type of field value"),
        ("b v=1e999", "unable to parse 'b v=1e999': Failed to parse"),
        ("b v=99999999999999999999i", "unable to parse 'b v=99999999999999999999i': Failed to parse"),
        ("b v=1 soon", "unable to parse 'b v=1 soon': Failed to parse"),
        ("b,t= v=1", "unable to parse 'b,t= v=1': Failed to parse value of tag"),
        ('b v="open', "unable to parse 'b v=\"open': Failed to parse"),
        ("b" * 200, f"unable to parse '{'b' * 100}…': Failed to parse"),
    ],
)
def test_a_line_that_is_none_is_refused_by_its_number_and_the_others_are_samples(line: str, reason: str) -> None:
    body = f"a v=1\n{line}\nc v=1"
    ((number, message),) = refused(body)
    assert number == 2
    assert message.startswith(reason)
    assert [one.metric for one in read(body)] == ["a_v", "c_v"]


def test_a_quote_that_nothing_closes_spoils_no_other_line() -> None:
    body = 'a v="open\nb v=1\nc t="two\nlines",v=2\nd v="open'
    assert [number for number, _ in refused(body)] == [1, 5]
    assert [one.metric for one in read(body)] == ["b_v", "c_v"]


def test_what_is_not_utf_8_is_refused_by_its_line() -> None:
    assert refused(b"a v=1\n\xff v=1\nb v=1") == [(2, "it is not UTF-8")]


def test_more_tags_than_there_may_be_refuse_their_line() -> None:
    tags = ",".join(f"t{n}=x" for n in range(21))
    assert refused(f"a v=1\nb,{tags} v=1,w=2") == [(2, "labels has 21 entries, more than 20.")]


@pytest.mark.parametrize("precision", ["d", "NS", "x" * 1000])
def test_a_precision_that_is_none_is_refused(precision: str) -> None:
    with pytest.raises(BadPrecision, match=r"^invalid precision "):
        parse(b"a v=1", precision)


PARTS = [
    "a",
    ",",
    "=",
    " ",
    "\\",
    '"',
    "1",
    "i",
    "u",
    "t",
    "e",
    "-",
    ".",
    "#",
    "\n",
    "\r",
    "\t",
    "\x00",
    "ü",
    "9" * 25,
    "a v=1",
]


@given(st.binary() | st.lists(st.sampled_from(PARTS), max_size=30).map(lambda parts: "".join(parts).encode()))
def test_any_bytes_are_samples_or_refused(body: bytes) -> None:
    written = parse(body, "")
    assert all(1 <= where <= body.count(b"\n") + 1 for where in written.refused.places)
    assert len(written.samples) == len(written.places)
    assert all(type(one.value) is float and math.isfinite(one.value) for one in written.samples)
