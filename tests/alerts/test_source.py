"""Sources that fail."""

from metrics.alerts.registry import kinds
from tests.alerts import make


def test_it_is_bad_from_so_many_on_until_one_succeeds() -> None:
    assert make.bad("source", [0, 1, 2, 3], runs=3) == [False, False, False, True]
    source, given = kinds()["source"], make.config("source", runs=3)
    assert [source.is_bad(given, value, True) for value in (4, 1, 0)] == [True, True, False]
