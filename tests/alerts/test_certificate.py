"""Certificates near their end."""

from metrics.alerts.registry import kinds
from tests.alerts import make


def test_so_many_days_before_it_is_bad() -> None:
    assert make.bad("certificate", [14.5, 14, 13.9, -1], days=14) == [False, False, True, True]
    assert kinds()["certificate"].lines(make.config("certificate", days=7)) == {"days": 7}
