"""Samples that came without a time get one, and never the same twice."""

from metrics.api import times
from metrics.sample import Sample
from tests.make import AT


def test_no_two_samples_of_a_metric_have_the_same() -> None:
    found = [times.given([Sample("times_a", 1), Sample("times_b", 1, at=AT - 5)], AT) for _ in range(3)]
    assert [(one[0].at, one[1].at) for one in found] == [(AT + i / 1000, AT - 5) for i in range(3)]


def test_the_samples_of_one_push_have_one_time() -> None:
    times.given([Sample("times_c", 1)], AT)
    assert {one.at for one in times.given([Sample("times_c", 1), Sample("times_d", 1)], AT)} == {AT + 0.001}


def test_of_very_many_metrics_only_those_are_remembered_that_matter() -> None:
    for number in range(times.TIMES_MOST + 2):
        times.given([Sample(f"times_{number}", 1)], AT + number)
    assert len(times._last_ms) < times.TIMES_MOST
