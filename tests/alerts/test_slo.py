"""Burn rates, as the SRE workbook has them."""

import pytest

from metrics.alerts.registry import kinds
from metrics.alerts.slo import FAST, MEDIUM, SLOW
from tests.alerts import make

NOW = 4 * 86_400.0


@pytest.mark.parametrize(("pair", "expected"), [(FAST, 14.4), (MEDIUM, 6), (SLOW, 1)])
def test_the_limits_are_those_of_the_workbook(pair: object, expected: float) -> None:
    assert pair.most(30) == pytest.approx(expected)  # type: ignore[attr-defined]


def shares(bad: float, since_s: float, step_s: int = 10, *, until_s: float = 0) -> list[tuple[float, float]]:
    """Return six hours of steps, of which those from `since_s` to `until_s` before now have a share that is `bad`."""
    return [
        (at, 1 - bad if NOW - since_s <= at < NOW - until_s else 1.0)
        for at in range(int(NOW) - 6 * 3600, int(NOW), step_s)
    ]


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        pytest.param(shares(0, 0), 0.0, id="nothing is bad"),
        pytest.param(shares(0.0144, 3600), 1.0, id="an hour at the limit"),
        pytest.param(shares(0.0144, 1800), 0.5, id="half an hour at the limit"),
        pytest.param(shares(0.5, 5400, until_s=1860), 0.0, id="it is over: the short windows are good again"),
        pytest.param(shares(0.012, 6 * 3600), 2.0, id="six hours: twice the lower limit"),
    ],
)
def test_both_windows_have_to_burn(past: list[tuple[float, float]], expected: float) -> None:
    coarse = [(at, value) for at, value in past if at % 60 == 0]
    (value,) = make.compared("slo", [(NOW, 1.0)], [past, coarse], objective=99.9)
    assert value == pytest.approx(expected, abs=1e-3)
    assert make.bad("slo", [1.0, 0.999], objective=99.9) == [True, False]


def test_shares_of_what_is_bad() -> None:
    past = [(at, 1 - value) for at, value in shares(0.0144, 3600)]
    (value,) = make.compared("slo", [(NOW, 0.0)], [past, past[::6]], objective=99.9, of="bad")
    assert value == pytest.approx(1.0)


def test_without_samples_nobody_knows() -> None:
    assert make.compared("slo", [(NOW, 1.0)], [[], []]) == [None]


def test_it_says_how_fast() -> None:
    says = kinds()["slo"].says(make.config("slo", windows="ticket"))
    assert says == "burning the budget of 99.9 % in 30 days at 1\N{MULTIPLICATION SIGN} in 3d"
