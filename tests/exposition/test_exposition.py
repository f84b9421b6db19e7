"""Expositions: what Prometheus' own client writes is read, and any other bytes are read or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_exposition

from metrics.exposition import LINE_MOST, BadExposition, Exposition, parse
from metrics.sample import Sample


@pytest.fixture
def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    Counter("jobs", "Jobs.", ["shop"], registry=made).labels('a "quote"\n\\').inc(3)
    Gauge("disk", "Disk.", unit="bytes", registry=made).set(5)
    Histogram("wait", "Wait.", unit="seconds", buckets=[1], registry=made).observe(0.25)
    Summary("size", "Size.", registry=made).observe(2)
    Info("build", "Build.", registry=made).info({"version": "1"})
    Enum("state", "State.", states=["on", "off"], registry=made).state("off")
    return made


def found(read: Exposition) -> dict[tuple[str, tuple[str, ...]], tuple[float, str | None]]:
    """Samples that were read, except times of creation: name and label values -> value and type."""
    return {
        (one.metric, tuple(one.labels.values())): (one.value, one.type)
        for one in read.samples
        if not one.metric.endswith("_created")
    }


EVERYTHING = {
    ("jobs_total", ('a "quote"\n\\',)): (3.0, "counter"),
    ("disk_bytes", ()): (5.0, "gauge"),
    ("wait_seconds_bucket", ("1.0",)): (1.0, "counter"),
    ("wait_seconds_bucket", ("+Inf",)): (1.0, "counter"),
    ("wait_seconds_count", ()): (1.0, "counter"),
    ("wait_seconds_sum", ()): (0.25, "counter"),
    ("size_count", ()): (1.0, "counter"),
    ("size_sum", ()): (2.0, "counter"),
    ("build_info", ("1",)): (1.0, "gauge"),
    ("state", ("on",)): (0.0, "gauge"),
    ("state", ("off",)): (1.0, "gauge"),
}


def test_everything_that_a_client_has_is_read_from_text(registry: CollectorRegistry) -> None:
    assert found(parse(generate_latest(registry))) == EVERYTHING


def test_everything_that_a_client_has_is_read_from_openmetrics(registry: CollectorRegistry) -> None:
    text: bytes = openmetrics_exposition.generate_latest(registry)  # type: ignore[no-untyped-call]
    read = parse(text, openmetrics=True)
    assert found(read) == EVERYTHING
    assert {one.metric: one.unit for one in read.samples if one.unit} == {
        "disk_bytes": "bytes",
        "wait_seconds_sum": "seconds",
    }


def test_names_are_all_that_a_family_may_have() -> None:
    text = b'# TYPE wait histogram\n# TYPE size summary\nsize{quantile="0.5"} NaN\norders 1\n'
    assert parse(text).names == {
        *("wait_bucket", "wait_count", "wait_sum", "wait_created"),
        *("size", "size_count", "size_sum", "size_created"),
        "orders",
    }


@pytest.mark.parametrize(
    ("text", "sample"),
    [
        ("orders 1", Sample("orders", 1.0)),
        ("orders_total 1", Sample("orders_total", 1.0)),
        ("# TYPE orders counter\norders 1", Sample("orders", 1.0, type="counter")),
        ("# TYPE orders_total counter\norders_total 1", Sample("orders_total", 1.0, type="counter")),
        ("# TYPE orders untyped\norders 1", Sample("orders", 1.0)),
        ('# TYPE size summary\nsize{quantile="0.5"} 2', Sample("size", 2.0, {"quantile": "0.5"}, type="gauge")),
        ("orders 1e3 1795176000250", Sample("orders", 1000.0, {}, 1795176000.25)),
        ("orders +Inf", Sample("orders", float("inf"))),
        (' \torders {shop = "n\xf6rd" , } 1 \r\n', Sample("orders", 1.0, {"shop": "nörd"})),
        ('{"orders.open"} 1', Sample("orders.open", 1.0)),
    ],
)
def test_a_line_is_a_sample(text: str, sample: Sample) -> None:
    assert parse(text.encode()).samples == [sample]


def test_openmetrics_times_are_seconds() -> None:
    text = b"# TYPE orders gauge\norders 1 1795176000.25\n# EOF\n"
    (sample,) = parse(text, openmetrics=True).samples
    assert structs.replace(sample, type=None) == Sample("orders", 1.0, {}, 1795176000.25)


@pytest.mark.parametrize("text", [b"", b"\n", b"# a comment\n", b"# HELP orders Orders.\n", b"orders NaN\n"])
def test_there_may_be_no_samples(text: bytes) -> None:
    assert parse(text).samples == []


@pytest.mark.parametrize("buckets", ["", "count:1,sum:1,schema:0,zero_threshold:0.1,zero_count:1"])
def test_native_histograms_are_left_out(buckets: str) -> None:
    text = f"# TYPE wait histogram\nwait {{{buckets}}}\n# EOF\n" if buckets else "# TYPE wait histogram\n# EOF\n"
    assert parse(text.encode(), openmetrics=True).samples == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"orders 1\norders open", "Line 2 can't be read: could not convert string to float: 'open'."),
        (b"orders", "Line 1 can't be read"),
        (b"2xx 1", "Line 1 can't be read: invalid metric name:2xx 1."),
        (b'orders{shop="north" 1', "Line 1 can't be read"),
        (b"orders 1\n\xff 1", "Line 2 can't be read: it is not UTF-8."),
        (b"# TYPE orders number\norders 1\n\n", "Line 3 can't be read: Invalid metric type: number."),
        (b"orders " + b"9" * 400, "Line 1 can't be read."),
        (b"orders 1\n" + b"a" * (LINE_MOST + 1), f"Line 2 can't be read: it is longer than {LINE_MOST} bytes."),
    ],
)
def test_what_can_not_be_read_is_refused_by_its_line(text: bytes, words: str) -> None:
    with pytest.raises(BadExposition) as refused:
        parse(text)
    assert str(refused.value).startswith(words)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def test_openmetrics_has_to_end() -> None:
    with pytest.raises(BadExposition, match="Missing # EOF at end"):
        parse(b"orders 1\n", openmetrics=True)


WORDS = [
    *("a", "a_total", "_count", "{", "}", '"', "=", ",", " ", "\t", "\n", "\\", "\\n", "# ", "TYPE ", "HELP ", "UNIT "),
    *(
        "counter",
        "summary",
        "histogram",
        "gaugehistogram",
        "stateset",
        "info",
        "le",
        "quantile",
        "1",
        "-1",
        "NaN",
        "+Inf",
    ),
    *("EOF", "{count:1,sum:1,schema:0,zero_threshold:0,zero_count:0}", "9" * 400, "\udfff", "\x00", "ü", " # {} 1"),
]
ALMOST = st.lists(st.sampled_from(WORDS), max_size=30).map(lambda words: "".join(words).encode(errors="surrogatepass"))


@given(st.binary() | ALMOST, st.booleans())
def test_any_bytes_are_read_or_refused(body: bytes, openmetrics: bool) -> None:
    try:
        read = parse(body, openmetrics)
    except BadExposition:
        return
    assert all(type(one.value) is float and one.metric in read.names for one in read.samples)


def test_what_takes_too_long_is_given_up() -> None:
    with pytest.raises(BadExposition, match=r"^Line \d+ can't be read: there is more than can be read in time\.$"):
        parse(b"a 1\n" * 100_000, within_s=0.01)


def test_a_gauge_has_the_unit_that_its_name_ends_with() -> None:
    text = (
        b"# TYPE a_bytes gauge\na_bytes 1\n# TYPE b_seconds_total counter\nb_seconds_total 1\nc_parsecs 1\nd_ratio 1\n"
    )
    found = {one.metric: one.unit for one in parse(text).samples}
    assert found == {"a_bytes": "bytes", "b_seconds_total": None, "c_parsecs": None, "d_ratio": "ratio"}
