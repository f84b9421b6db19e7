"""Values as people read them."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.widgets import units

LONGEST = 16
SHOWN = [
    # value, word, text and unit
    (0, "percent", "0 %"),
    (42.345, "percent", "42.3 %"),
    (99.97, "percent", "99.97 %"),
    (99.9987, "percent", "99.9987 %"),
    (99.98765, "percent", "99.9877 %"),
    (99.5, "percent", "99.5 %"),
    (100, "percent", "100 %"),
    (100.03, "percent", "100.03 %"),
    (100 - 1e-14, "percent", "100 %"),  # a float's own error
    (-99.97, "percent", "\u221299.97 %"),
    (0.04, "percent", "0.04 %"),
    (0.5, "percent", "0.5 %"),
    (1e-9, "percent", "1\u00d710\u207b\u2079 %"),
    (0.9997, "ratio", "99.97 %"),
    (0.000123, "ratio", "0.0123 %"),
    (0.423, "ratio", "42.3 %"),
    (0, "bytes", "0 B"),
    (1023, "bytes", "1 023 B"),
    (1024, "bytes", "1 KiB"),
    (1536, "bytes", "1.50 KiB"),
    (1021 * 1024, "bytes", "1 021 KiB"),
    (1023.99 * 1024, "bytes", "1.00 MiB"),
    (1e40, "bytes", "1\u00d710\u2074\u2070 B"),
    (3.5 * 1024**3, "bytes", "3.50 GiB"),
    (250 * 1024**2, "bytes_per_second", "250 MiB/s"),
    (1_500_000, "bits_per_second", "1.50 Mbit/s"),
    (0.000_042, "seconds", "42.0 µs"),
    (0.0421, "seconds", "42.1 ms"),
    (0.9999, "seconds", "1.00 s"),
    (5e-8, "seconds", "50.0 ns"),
    (5e-15, "seconds", "5\u00d710\u207b\u00b9\u2075 s"),
    (59.94, "seconds", "59.9 s"),
    (59.99, "seconds", "59.99 s"),
    (60, "seconds", "1.00 min"),
    (3599.99, "seconds", "1.00 h"),
    (90, "seconds", "1.50 min"),
    (7_200, "seconds", "2.00 h"),
    (200_000, "seconds", "2.31 d"),
    (0, "milliseconds", "0 ms"),
    (4.2, "milliseconds", "4.20 ms"),
    (2_500, "milliseconds", "2.50 s"),
    (23, "days", "23 d"),
    (0.5, "days", "12 h"),
    (2_500, "ms", "2.50 s"),
    (90, "s", "1.50 min"),
    (42.5, "%", "42.5 %"),
    (1536, "B", "1.50 KiB"),
    (1536, "B/s", "1.50 KiB/s"),
    (1_500_000, "bit/s", "1.50 Mbit/s"),
    (0.5, "d", "12 h"),
    (-8.25, "celsius", "\N{MINUS SIGN}8.25 °C"),
    (21, "°C", "21 °C"),
    (7, "count", "7"),
    (1.084, "", "1.08"),
    (0.9997, "", "0.9997"),
    (0.42, "", "0.42"),
    (0.423, "", "0.423"),
    (0.0123, "", "0.0123"),
    (999.96, "", "1 000"),
    (9_999.6, "", "10.0 k"),
    (999_960, "", "1.00 M"),
    (9.9e149, "", "9.9\u00d710\u00b9\u2074\u2079"),
    (4_870, "", "4 870"),
    (12_345, "count", "12.3 k"),
    (5_400_000, "", "5.40 M"),
    (12, "orders", "12 orders"),
    (12_345, "req/s", "12.3 k req/s"),
]


def plain(shown: units.Shown) -> str:
    return str(shown).replace(units.NARROW_SPACE, " ")


@pytest.mark.parametrize(("value", "word", "expected"), SHOWN)
def test_a_value_is_shown_in_the_unit_that_fits(value: float, word: str, expected: str) -> None:
    assert plain(units.show(value, word)) == expected


@pytest.mark.parametrize("word", [*units.UNITS, "orders"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, -5e-324, 1e-9, -0.0, 1e18])
def test_no_number_breaks_a_unit(word: str, value: float) -> None:
    shown = units.show(value, word)
    assert 0 < len(shown.text) <= LONGEST
    assert "inf" not in shown.text
    assert "nan" not in shown.text


@pytest.mark.parametrize(("value", "expected"), [(-3.2, "\u22123.20"), (-12_345, "\u221212.3 k"), (-0.0, "0")])
def test_a_negative_value_has_a_minus_unless_it_is_zero(value: float, expected: str) -> None:
    assert plain(units.show(value, "")) == expected


NUMBERS = st.floats(-1e300, 1e300, allow_subnormal=False).filter(lambda value: not 0 < abs(value) < 1e-280)
SHARES = st.builds(
    lambda bound, gap, sign: bound + sign * gap,
    st.sampled_from([0.0, 1.0, 60.0, 100.0, 1000.0, 1024.0]),
    st.floats(1e-7, 50),
    st.sampled_from([-1.0, 1.0]),
)
NAMES = [*units.UNITS, "orders"]


def read_back(shown: units.Shown, word: str) -> tuple[Decimal, Decimal]:
    """Return the value that is shown, and a unit of its last digit, both in the unit `word`."""
    text = shown.text.replace(units.NARROW_SPACE, "").replace(units.MINUS, "-")
    mantissa, _, power = text.partition("\u00d710")
    digits = "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
    ten = Decimal(10) ** int(power.translate(str.maketrans(digits, "-0123456789")) or 0)
    unit = units.unit_of(word)
    rung = next(rung for rung in unit.rungs if rung.symbol == shown.unit)
    size = Decimal(rung.size) / Decimal(unit.factor)
    last = Decimal(1).scaleb(int(Decimal(mantissa).as_tuple().exponent))
    return Decimal(mantissa) * ten * size, last * ten * size


@given(st.one_of(NUMBERS, SHARES), st.sampled_from(NAMES), st.one_of(st.none(), st.integers(0, 6)))
def test_what_is_shown_is_the_value_to_half_a_unit_of_its_last_digit(
    value: float, word: str, decimals: int | None
) -> None:
    shown = units.show(value, word, decimals)
    said, last = read_back(shown, word)
    assert abs(said - Decimal(value)) <= last / 2 + abs(Decimal(value)) * Decimal(units.NOISE)
    assert len(shown.text) <= LONGEST


@given(st.one_of(NUMBERS, SHARES), st.sampled_from(NAMES), st.one_of(st.none(), st.integers(0, 6)))
def test_nothing_reads_zero_or_a_hundred_per_cent_or_a_minus_but_what_is(
    value: float, word: str, decimals: int | None
) -> None:
    shown = units.show(value, word, decimals)
    said, _ = read_back(shown, word)
    assert (said > 0, said < 0) == (value > 0, value < 0)
    full = {"percent": 100, "ratio": 1}.get(word, math.inf)
    assert abs(said) != full or math.isclose(abs(value), full, rel_tol=units.NOISE)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (0.6, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (89, "1 min 29 s"),
        (111, "1 min 51 s"),
        (120, "2 min"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h"),
        (3629, "1 h"),
        (3631, "1 h 1 min"),
        (7199, "2 h"),
        (86_369, "23 h 59 min"),
        (86_400 + 5400 + 1, "1 d 2 h"),
        (30 * 86_400, "30 d"),
    ],
)
def test_how_long_something_lasted_is_rounded_in_two_units(seconds: float, expected: str) -> None:
    assert units.lasted(seconds) == expected


def test_decimals_can_be_fixed() -> None:
    assert plain(units.show(3, "orders", 2)) == "3.00 orders"
    assert plain(units.show(0, "percent", 1)) == "0.0 %"


@pytest.mark.parametrize(
    ("value", "word", "decimals", "expected"),
    [
        (99.97, "percent", 0, "99.97 %"),
        (0.4, "", 0, "0.4"),
        (-0.001, "", 2, "\u22120.001"),
        (59.99, "seconds", 1, "59.99 s"),
    ],
)
def test_fixed_decimals_make_no_bound_of_what_is_none(value: float, word: str, decimals: int, expected: str) -> None:
    assert plain(units.show(value, word, decimals)) == expected


def test_values_side_by_side_share_one_scale() -> None:
    assert units.scale("bytes_per_second", 5 * 1024**2) == units.Scale(1024**2, "MiB/s")
    assert units.scale("ratio", 0.7) == units.Scale(0.01, "%")
    assert units.scale("count", 0) == units.Scale(1, "")
