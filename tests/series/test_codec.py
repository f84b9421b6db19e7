"""Packing into bytes: nothing is lost, whatever the numbers are."""

import math
import struct

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


@pytest.mark.parametrize("data", [b"", b"\x02abc", b"\x01abc"])
def test_what_is_no_chunk_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="chunk"):
        decode(data)
