"""Recorded requests of collectd 5.12 and netdata 1.37; and refusals, entry by entry."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import Decoder

from metrics.ingest import collectd, opentsdb
from metrics.ingest.json_entries import entries
from metrics.ingest.json_samples import NotJson
from metrics.sample import Sample, check

RECORDED = Path(__file__).parent / "recorded"
AT = 1_795_865_126.0


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def test_what_collectd_sends_has_the_names_of_its_own_exporter() -> None:
    found = collectd.parse(recorded("collectd.json"))
    check(found.samples, AT)
    assert not found.refused
    values = {(one.metric, *sorted(one.labels.items())): one for one in found.samples}
    load = values["collectd_load_shortterm", ("instance", "db1")]
    assert (load.type, load.expected_every_s, load.unit) == ("gauge", 2.0, None)
    assert load.at == pytest.approx(AT, abs=600)
    names = {(one.metric, *sorted(one.labels)) for one in found.samples}
    assert {
        ("collectd_cpu_total", "cpu", "instance", "type"),
        ("collectd_memory", "instance", "memory"),
        ("collectd_df_df_complex", "df", "instance", "type"),
        ("collectd_interface_if_octets_rx_total", "instance", "interface"),
    } <= names
    assert {one.type for one in found.samples if one.metric.endswith("_total")} == {"counter"}


def test_what_netdata_sends_has_the_chart_and_its_dimension_as_labels() -> None:
    found = opentsdb.parse(recorded("netdata.json"))
    check(found.samples, AT)
    assert not found.refused
    assert found.samples[2] == Sample(
        "netdata_system.cpu",
        2.955665,
        {"instance": "db1", "chart": "system.cpu", "family": "cpu", "dimension": "steal"},
        AT,
        "percent",
    )


def test_it_may_send_as_to_opentsdb() -> None:
    found = opentsdb.parse(recorded("netdata_opentsdb.json"))
    check(found.samples, AT)
    assert not found.refused
    assert found.samples[2].metric == "netdata.system.cpu.steal"
    assert found.samples[2].labels["host"] == "db1"


@pytest.mark.parametrize(
    ("point", "sample"),
    [
        ({"metric": "a", "value": 1, "timestamp": 1795865126, "tags": {"b": "c"}}, Sample("a", 1.0, {"b": "c"}, AT)),
        ({"metric": "a", "value": "1.5", "timestamp": 1795865126000}, Sample("a", 1.5, {}, AT)),
        ({"metric": "a", "value": 1}, Sample("a", 1.0)),
    ],
)
def test_a_point_may_stand_alone(point: dict[str, object], sample: Sample) -> None:
    assert opentsdb.parse(json.dumps(point).encode()).samples == [sample]
    assert opentsdb.parse(json.dumps([point, point]).encode()).samples == [sample, sample]


@pytest.mark.parametrize("bad", [5, None, [], {"value": {}}, {"metric": "b"}, {"metric": "b", "value": "x"}])
def test_a_bad_point_is_refused_by_its_number_and_loses_no_other(bad: object) -> None:
    good = {"metric": "a", "value": 1, "timestamp": 1}
    found = opentsdb.parse(json.dumps([good, bad, good]).encode())
    assert (found.places, found.refused.places) == ([0, 2], {1})
    assert all(one.message.endswith(".") for one in found.refused.problems)


def test_a_bad_value_list_loses_no_other_and_nothing_is_no_value() -> None:
    good = {"values": [1, None], "dsnames": ["a", "b"], "dstypes": ["gauge", "gauge"], "plugin": "x", "type": "y"}
    entries = [good, {**good, "dsnames": ["a"]}, {"message": "a notification"}, 7, good]
    found = collectd.parse(json.dumps(entries).encode())
    assert [one.metric for one in found.samples] == ["collectd_x_y_a"] * 2
    assert (found.places, found.refused.places) == ([0, 4], {1, 3})


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["values", "dsnames", "dstypes", "metric", "value", "tags", "timestamp", "time"]), inner
            )
        ),
    ).map(lambda document: json.dumps(document).encode())
)
def test_any_bytes_are_samples_or_refused(body: bytes) -> None:
    with suppress(NotJson):
        found = list(entries(body, Decoder(dict)))
        assert [number for number, _ in found] == [*range(len(found))]
    for parse in (collectd.parse, opentsdb.parse):
        with suppress(NotJson):
            parsed = parse(body)
            assert len(parsed.samples) == len(parsed.places)
