"""Values as people read them."""

import math

import pytest

from metrics.widgets import units

SHOWN = [
    # value, word, text and unit
    (0, "percent", "0 %"),
    (42.345, "percent", "42.3 %"),
    (99.97, "percent", "100 %"),
    (0.423, "ratio", "42.3 %"),
    (0, "bytes", "0 B"),
    (1023, "bytes", "1 023 B"),
    (1024, "bytes", "1 KiB"),
    (1536, "bytes", "1.50 KiB"),
    (3.5 * 1024**3, "bytes", "3.50 GiB"),
    (250 * 1024**2, "bytes_per_second", "250 MiB/s"),
    (1_500_000, "bits_per_second", "1.50 Mbit/s"),
    (0.000_042, "seconds", "42.0 µs"),
    (0.0421, "seconds", "42.1 ms"),
    (0.9999, "seconds", "1.00 s"),
    (90, "seconds", "1.50 min"),
    (7_200, "seconds", "2.00 h"),
    (200_000, "seconds", "2.31 d"),
    (0, "milliseconds", "0 ms"),
    (4.2, "milliseconds", "4.20 ms"),
    (2_500, "milliseconds", "2.50 s"),
    (23, "days", "23 d"),
    (0.5, "days", "12 h"),
    (7, "count", "7"),
    (1.084, "", "1.08"),
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
    assert 0 < len(shown.text) <= 12
    assert "inf" not in shown.text
    assert "nan" not in shown.text


@pytest.mark.parametrize(
    ("value", "expected"),
    [(math.nan, "–"), (1e308, "1.00e293 P"), (0.000_12, "0.00012"), (1e-9, "1e-9")],  # noqa: RUF001
)
def test_what_no_unit_fits_is_shown_in_powers_of_ten(value: float, expected: str) -> None:
    assert plain(units.show(value, "")) == expected


@pytest.mark.parametrize(("value", "expected"), [(-3.2, "\u22123.20"), (-12_345, "\u221212.3 k"), (-0.001, "0.00")])
def test_a_negative_value_has_a_minus_unless_it_reads_zero(value: float, expected: str) -> None:
    assert plain(units.show(value, "", 2 if value == -0.001 else None)) in {expected, "\u22120.001"}


def test_decimals_can_be_fixed() -> None:
    assert plain(units.show(3, "orders", 2)) == "3.00 orders"
    assert plain(units.show(0, "percent", 1)) == "0.0 %"


def test_values_side_by_side_share_one_scale() -> None:
    assert units.scale("bytes_per_second", 5 * 1024**2) == units.Scale(1024**2, "MiB/s")
    assert units.scale("ratio", 0.7) == units.Scale(0.01, "%")
    assert units.scale("count", 0) == units.Scale(1, "")
