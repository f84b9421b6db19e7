"""Aggregation of StatsD's readings, flush by flush."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.ingest import aggregate
from metrics.ingest.aggregate import FORGOTTEN_AFTER_S, Aggregate
from metrics.ingest.statsd import Reading, parse
from metrics.sample import Sample, check
from tests.make import AT


@pytest.fixture
def gathered() -> Aggregate:
    return Aggregate(AT - 10)


def add(to: Aggregate, *lines: str, now: float = AT - 5) -> list[bool]:
    return [to.add(one, now) for line in lines for one in parse(line.encode()) if isinstance(one, Reading)]


def values(samples: list[Sample]) -> dict[str, float]:
    return {one.metric: one.value for one in samples}


def test_a_counter_is_an_increase_since_the_last_flush(gathered: Aggregate) -> None:
    add(gathered, "orders:1|c", "orders:2|c|@0.1", "orders:3:4|c|#shop:north")
    shop, all_of_it = {"shop": "north"}, {"type": "counter", "expected_every_s": 10, "adds": True, "since": AT - 10}
    assert gathered.flush(AT) == [
        Sample("orders_total", 21.0, {}, AT, **all_of_it),  # type: ignore[arg-type]
        Sample("orders_total", 7.0, shop, AT, **all_of_it),  # type: ignore[arg-type]
    ]


def test_a_counter_goes_on_without_readings(gathered: Aggregate) -> None:
    add(gathered, "orders:1|c")
    gathered.flush(AT)
    (sample,) = gathered.flush(AT + 10)
    assert (sample.value, sample.since, sample.at) == (0.0, AT, AT + 10)


def test_what_falls_is_a_gauge(gathered: Aggregate) -> None:
    add(gathered, "open:5|c", "open:-2|c")
    (sample,) = gathered.flush(AT)
    assert (sample.metric, sample.value, sample.type, sample.adds) == ("open_total", 3.0, "gauge", True)


def test_a_name_that_says_total_keeps_it(gathered: Aggregate) -> None:
    add(gathered, "orders_total:1|c")
    assert values(gathered.flush(AT)) == {"orders_total": 1.0}


def test_a_gauge_is_its_last_value_and_may_be_moved(gathered: Aggregate) -> None:
    add(gathered, "load:3|g", "load:5|g", "load:+2|g", "load:-4|g")
    assert gathered.flush(AT) == [Sample("load", 3.0, {}, AT, type="gauge")]
    add(gathered, "load:+1|g")
    assert values(gathered.flush(AT)) == {"load": 4.0}


def test_a_gauge_that_nobody_sets_is_not_said_again(gathered: Aggregate) -> None:
    add(gathered, "load:3|g")
    gathered.flush(AT)
    assert gathered.flush(AT + 10) == []


def test_a_timer_is_counted_and_described(gathered: Aggregate) -> None:
    add(gathered, *(f"wait:{n}|ms" for n in range(1, 101)))
    samples = gathered.flush(AT)
    assert values(samples) == {
        **{"wait_count": 100.0, "wait_mean": 50.5, "wait_max": 100.0},
        **{"wait_p50": 50.0, "wait_p95": 95.0, "wait_p99": 99.0},
    }
    assert {
        one.metric: (one.unit, one.type, one.adds) for one in samples if one.metric in ("wait_count", "wait_p50")
    } == {
        "wait_count": (None, "counter", True),
        "wait_p50": ("milliseconds", "gauge", False),
    }
    assert values(gathered.flush(AT + 10)) == {"wait_count": 0.0}


def test_one_value_is_every_quantile(gathered: Aggregate) -> None:
    add(gathered, "size:7|h")
    assert set(values(gathered.flush(AT)).items()) == {
        ("size_count", 1.0),
        *((f"size_{word}", 7.0) for word in ("mean", "max", "p50", "p95", "p99")),
    }


def test_a_rate_counts_for_how_many_and_for_the_mean(gathered: Aggregate) -> None:
    add(gathered, "size:10|d|@0.5", "size:40|d")
    found = values(gathered.flush(AT))
    assert (found["size_count"], found["size_mean"]) == (3.0, 20.0)


def test_timers_histograms_and_distributions_of_a_name_are_one(gathered: Aggregate) -> None:
    add(gathered, "wait:1|ms", "wait:2|h", "wait:3|d")
    assert values(gathered.flush(AT))["wait_count"] == 3.0


def test_of_very_many_values_some_are_kept_and_all_counted(gathered: Aggregate) -> None:
    for start in range(0, 20_000, 100):
        gathered.add(Reading("wait", (), "ms", tuple(float(n) for n in range(start, start + 100))), AT)
    found = values(gathered.flush(AT))
    assert (found["wait_count"], found["wait_max"], found["wait_mean"]) == (20_000, 19_999, 9_999.5)
    assert found["wait_p50"] == pytest.approx(10_000, rel=0.2)
    assert found["wait_p99"] == pytest.approx(19_800, rel=0.02)


def test_a_set_is_how_many_there_were(gathered: Aggregate) -> None:
    add(gathered, "users:ann|s", "users:bob|s", "users:ann|s")
    assert gathered.flush(AT) == [Sample("users", 2.0, {}, AT, type="gauge")]
    add(gathered, "users:ann|s")
    assert values(gathered.flush(AT)) == {"users": 1.0}


def test_the_members_of_all_sets_are_bounded(gathered: Aggregate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregate, "MEMBERS_MOST", 3)
    small = Aggregate(AT)
    for _ in range(2):  # after a flush there is room again
        add(small, "a:1|s", "a:2|s", "b:1|s", "b:2|s")
        assert values(small.flush(AT)) == {"a": 2.0, "b": 1.0}


def test_there_are_only_so_many_series_until_some_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregate, "SERIES_MOST", 2)
    small = Aggregate(AT)
    assert add(small, "a:1|c", "b:1|g", "c:1|c", "a:1|c", now=AT) == [True, True, False, True]
    small.flush(AT + FORGOTTEN_AFTER_S)
    assert add(small, "c:1|c", now=AT + FORGOTTEN_AFTER_S) == [False]
    small.flush(AT + FORGOTTEN_AFTER_S + 10)
    assert add(small, "c:1|c", now=AT + FORGOTTEN_AFTER_S + 10) == [True]
    assert values(small.flush(AT + FORGOTTEN_AFTER_S + 20)) == {"c_total": 1.0}


NAMES = st.sampled_from(["a", "a.b", "c-d", "x" * 190])
VALUES = st.integers() | st.floats() | st.sampled_from(["1e30", "-1e30", "x", ""])


@given(
    st.lists(
        st.tuples(
            NAMES,
            VALUES,
            st.sampled_from(["c", "g", "ms", "h", "d", "s"]),
            st.sampled_from(["", "|@0.000001", "|#a:b"]),
        )
    )
)
def test_whatever_was_read_can_be_stored(lines: list[tuple[str, object, str, str]]) -> None:
    gathered = Aggregate(AT - 10)
    add(gathered, *(f"{name}:{value}|{kind}{rest}" for name, value, kind, rest in lines))
    check(gathered.flush(AT), AT)
