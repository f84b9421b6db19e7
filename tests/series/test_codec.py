"""Packing into bytes: nothing is lost, whatever the numbers are."""

import math
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.series.codec import decode, encode

TIMES = st.integers(0, 2**45)
VALUES = st.floats(width=64)


@given(st.lists(st.tuples(TIMES, VALUES), max_size=200))
def test_what_is_packed_comes_back_to_the_bit(samples: list[tuple[int, float]]) -> None:
    times, values = decode(encode([at for at, _ in samples], [value for _, value in samples]))
    assert times == [at for at, _ in samples]
    assert [struct.pack("d", value) for value in values] == [struct.pack("d", value) for _, value in samples]


def test_an_even_pace_and_a_value_that_hardly_changes_take_next_to_nothing() -> None:
    data = encode(range(10**12, 10**12 + 720 * 10_000, 10_000), [42.0] * 720)
    assert len(data) < 100


def test_two_hours_of_a_measured_value_take_less_than_nine_bytes_a_sample() -> None:
    values = [50 + 20 * math.sin(i / 50) + (i * 7919 % 101) / 1000 for i in range(720)]
    data = encode([10**12 + i * 10_000 + i * 31 % 17 for i in range(720)], values)
    assert len(data) < 9 * 720


@given(st.lists(st.tuples(TIMES, st.integers(-(2**53), 2**53), VALUES), max_size=50), st.integers(0, 9))
def test_columns_of_any_kind_come_back_and_the_first_of_them_alone(
    rows: list[tuple[int, int, float]], decimals: int
) -> None:
    times, whole = [row[0] for row in rows], [row[1] for row in rows]
    few = [round(row[1] / 10**12, decimals) for row in rows]
    data = encode(times, whole, few, [row[2] for row in rows])
    assert decode(data, 2) == [times, whole, few]
    assert decode(data, 1) == decode(data, 3)[:2] == [times, whole]
    assert all(type(number) is int for number in decode(data, 1)[1])
    assert all(type(number) is float for number in decode(data, 2)[2])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64)))
def test_eleven_digits_are_kept_where_not_all_are_needed(values: list[float]) -> None:
    _, found = decode(encode(range(len(values)), values, exact=False))
    assert found == pytest.approx(values, rel=2e-11, abs=1e-305)


def test_numbers_of_two_decimals_take_two_bytes() -> None:
    values = [round(50 + 20 * math.sin(i / 50) + (i * 7919 % 101) / 100, 2) for i in range(720)]
    assert len(encode(range(0, 7_200_000, 10_000), values)) < 2 * 720


def test_chunks_of_the_first_version_are_read() -> None:
    times, values = [1000, 2000, 4000], [1.5, -2.0, 0.1]
    speeds = struct.pack("<3q", 1000, 0, 1000)
    planes = b"".join(part[place::8] for part in (speeds, struct.pack("<3d", *values)) for place in range(8))
    assert decode(b"\x01" + zlib.compress(planes)) == [times, values]


def test_a_chunk_that_is_cut_off_is_refused() -> None:
    with pytest.raises(ValueError, match="cut off"):
        decode(encode(range(100), [math.sqrt(i) for i in range(100)])[:-100])


def test_more_columns_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="chunk"):
        decode(encode(range(100), [1.0] * 100), 2)


@pytest.mark.parametrize("data", [b"", b"\x02abc", b"\x02abcdefgh", b"\x03abcdefgh", b"\x01abc"])
def test_what_is_no_chunk_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="chunk"):
        decode(data)
