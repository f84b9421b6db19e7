"""Packing into bytes: nothing is lost, whatever the numbers are, and what is damaged is noticed."""

import base64
import math
import random
import struct
import zlib
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metrics.series import residuals
from metrics.series.codec import DamagedError, decode, encode, encode_buckets
from metrics.series.vectors import Column, np

TIMES = st.integers(0, 2**45)
VALUES = st.floats(width=64)
SAMPLES = "AgMAAAB4nHvB8IKZgZkBAzBN63zN8I+B4T86AgDToQrb"
MINUTES = (
    "AgUAAAB4nGNIYGBgeAXEDJd1gcQPdiCxMA5IMP4DCf6HEf/YGIgD/xHMhwyhDAxVIEIERKwDERqaVx/IODjY73dgkiTSRAZGEHEK"
    "RMwCEdZEWB0augdEzAIRn0DEdQaGq0+rhETs7e0cHP5VgNQ8I2wzAPKfHw0="
)
"""A chunk that release 0.1 packed."""
HOURS_3 = (
    "A6EPAvkCCi8AAAAcAAAALAAAACUAAAAoAAAAKAAAAB8AAAAlAAAAHwAAACgAAABwY28hAwCCAQQBBAUAAAAQAABQn8YPDQAAzAAAAAAA3W0AdLcBXCYF"
    "oLsNEFUiAHBjbyEDAIIBBAEEBQAAABAAQAsAAAAAAAAEAABwY28hAwCCAQQBBAUAAAAQAACb+///////qwASCwYkceUdRNBCCwAACBoBAHBjbyEDAIIB"
    "BAEEBQAAABAAgI////////9jAL6KcIQDAID8uQBwY28hAwCCAQQBBAUAAAAQAGj3////////ewAboS3g/3f0DwDwCgAAcGNvIQMAggEEAQQFAAAAEAAA"
    "GPz//////3sAeGkoI8oIAHDOR9UDAHBjbyEDAIIBBAEEBQAAABAAgDu2AQAAAAAkABAykABwY28hAwCCAQQBBAUAAAAQAIAMAAAAAAAAZADCgVf8CMgA"
    "EA4AcGNvIQMAggEEAQQFAAAAEAAAAAAAAAAAABwAiMYCAHBjbyEDAIIBBAEEBQAAABAAIIb///////+DANybAABkAMgAaBDMEAA="
)
SAMPLES_3 = (
    "A8EabrP/AiAAAAAvAAAAcGNvIQMAwQQBBAIAAAAQAEAfAAAAAAAAZAAAgD64CwBwY28hAwDBBAEGAgAAADIA6P//////v/8HgGZmZmZmZu4vAAAAAAAA"
    "APxfACEAAA=="
)
"""Chunks of the form before the present one, in which pcodec packed every column."""


def whole(numbers: list[int] | range) -> Column:
    return np.array(numbers, np.int64)


def real(numbers: list[float]) -> Column:
    return np.array(numbers, np.float64)


def bits(column: Column) -> list[int]:
    found: list[int] = column.view(np.int64).tolist()
    return found


@given(st.lists(st.tuples(TIMES, st.integers(-(2**63), 2**63 - 1), VALUES), min_size=1, max_size=200))
def test_what_is_packed_comes_back_to_the_bit_and_the_first_columns_alone(rows: list[tuple[int, int, float]]) -> None:
    times, integers, values = (list(column) for column in zip(*rows, strict=True))
    columns = [whole(times), whole(integers), real(values)]
    data = encode(columns)
    for most in (3, 2, 1):
        found = decode(data, most)
        assert [column.dtype for column in found] == [column.dtype for column in columns[:most]]
        assert [bits(column) for column in found] == [bits(column) for column in columns[:most]]


def test_an_even_pace_and_a_value_that_hardly_changes_take_next_to_nothing() -> None:
    data = encode([whole(range(10**12, 10**12 + 720 * 10_000, 10_000)), real([42.0] * 720)])
    assert len(data) < 120


def test_two_hours_of_a_measured_value_take_less_than_eight_bytes_a_sample() -> None:
    values = [50 + 20 * math.sin(i / 50) + (i * 7919 % 101) / 1000 for i in range(720)]
    data = encode([whole([10**12 + i * 10_000 + i * 31 % 17 for i in range(720)]), real(values)])
    assert len(data) < 8 * 720


def test_numbers_of_two_decimals_take_less_than_two_bytes() -> None:
    values = [round(50 + 20 * math.sin(i / 50) + (i * 7919 % 101) / 100, 2) for i in range(720)]
    assert len(encode([whole(range(0, 7_200_000, 10_000)), real(values)])) < 1.8 * 720


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1))
def test_eleven_digits_are_kept_where_not_all_are_needed(values: list[float]) -> None:
    *_, found = decode(encode_buckets([whole([0] * len(values)), whole([1] * len(values)), real(values)]), 3)
    assert found.tolist() == pytest.approx(values, rel=2e-11, abs=1e-305)


@given(st.lists(st.tuples(*[st.integers(-(10**9), 10**9)] * 10), min_size=1), st.integers(0, 6))
def test_buckets_of_few_decimals_come_back_to_the_bit(rows: list[tuple[int, ...]], decimals: int) -> None:
    """Columns need not agree with each other."""
    columns = [
        whole([abs(number) + 1 for number in column])
        if place in residuals.WHOLE
        else real([number / 10**decimals for number in column])
        for place, column in enumerate(zip(*rows, strict=True))
    ]
    data = encode_buckets(columns)
    for most in (10, 6, 5, 3, 2, 1):
        assert [column.tolist() for column in decode(data, most)] == [column.tolist() for column in columns[:most]]


@pytest.mark.parametrize(
    "column", [whole([7] * 50), whole(range(10**12, 10**12 + 50 * 3600, 3600)), whole(range(50, 0, -1)), whole([-5])]
)
def test_whole_numbers_that_are_evenly_apart_take_16_bytes(column: Column) -> None:
    data = encode([column, column])
    assert len(data) == len(encode([column])) + 16 + 4
    assert [one.tolist() for one in decode(data, 2)] == [column.tolist()] * 2
    assert decode(data, 1)[0].dtype == np.int64


def test_a_column_packs_to_more_than_16_bytes_if_it_is_not_evenly_apart() -> None:
    """By its size it is told from one that is."""
    for column in (
        real([]),
        whole([]),
        real([0.0]),
        real([0.0] * 9),
        whole([0, 0, 1]),
        whole([2**62, 2**62, -(2**62)]),
    ):
        (found,) = decode(encode([column]), 1)
        assert bits(found) == bits(column)


BUCKET = st.tuples(TIMES, st.integers(1, 360), VALUES, *[VALUES] * 3, TIMES, VALUES, TIMES, VALUES)


@given(st.lists(BUCKET, min_size=1, max_size=30))
@example([(0, 1, 0.5, 0.0, 0.0, 0.0, 0, 0.0, 0, math.inf)])
@example([(0, 1, 1e-9, 0.1, 1.5, 1.5, 0, 0.1, 0, math.nan)])
def test_what_growth_is_counted_from_comes_back_to_the_bit(rows: list[tuple[float, ...]]) -> None:
    columns = [
        (whole if place in residuals.WHOLE else real)(list(one)) for place, one in enumerate(zip(*rows, strict=True))
    ]
    with np.errstate(all="ignore"):
        data = encode_buckets(columns)
        for most in (10, 8, 6, 3):
            for place, found in enumerate(decode(data, most)):
                expected = columns[place]
                if place in residuals.WHOLE or place in residuals.ENDS:
                    assert np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f"), place
                else:
                    assert found.tolist() == pytest.approx(expected.tolist(), rel=2e-11, abs=1e-305, nan_ok=True)


def test_numbers_near_the_largest_that_decimals_tell_come_back_to_the_bit() -> None:
    """In as many decimals as another has, they would be rounded twice."""
    ends = [8.7e9 + place / 10 for place in range(50)]
    times, zeros = whole(range(50)), whole([0] * 50)
    ones, last = whole([1] * 50), real(ends)
    columns = [times, ones, last, real([0.000001] * 50), last, last, zeros, last, zeros, real([0.0] * 50)]
    for found, column in zip(decode(encode_buckets(columns), 10), columns, strict=True):
        assert found.tolist() == column.tolist()


def test_hours_of_a_counter_of_many_digits_take_less_than_twenty_bytes() -> None:
    """Its greatest value is its last, and its least the first: each is packed once, with all its digits."""
    dice, value, rows = random.Random(1), 0.0, []
    for hour in range(384):
        values = list(accumulate((dice.expovariate(1) for _ in range(60)), initial=value))[1:]
        value = values[-1]
        ends = (value, 3_590_000 + dice.randrange(30), values[0], dice.randrange(30), value - values[0])
        rows.append((hour * 3_600_000, 60, sum(values), values[0], value, *ends))
    columns = [
        (whole if place in residuals.WHOLE else real)(list(one)) for place, one in enumerate(zip(*rows, strict=True))
    ]
    assert len(encode_buckets(columns)) < 20 * len(rows)


def test_the_estimate_counts_that_makes_a_column_smaller() -> None:
    """The last value of a counter is its greatest; that of a gauge lies around the mean, far from its greatest."""
    dice, count = random.Random(1), 200
    means = [50 + dice.random() for _ in range(count)]
    lows, highs = ([one + way * dice.expovariate(0.1) for one in means] for way in (-1, 1))

    def size(lasts: list[float]) -> int:
        told = [[10 * one for one in means], lows, highs, lasts]
        columns = [whole(range(count)), whole([10] * count), *(real([round(one, 1) for one in some]) for some in told)]
        data = encode_buckets(columns)
        assert [one.tolist() for one in decode(data, 6)] == [one.tolist() for one in columns]
        return len(data)

    far = [dice.uniform(*ends) for ends in zip(lows, highs, strict=True)]
    assert size(highs) < size(means) < size(far) - 100


def test_what_is_not_known_stays_so() -> None:
    *_, found = decode(encode_buckets([whole([0] * 3), whole([1] * 3), real([1 / 3, math.nan, 1e300])]), 3)
    assert [math.isnan(number) for number in found] == [False, True, False]


class TestOlderReleases:
    """Bytes that they packed."""

    def test_samples_of_the_first_version(self) -> None:
        times, values = [1000, 2000, 4000], [1.5, -2.0, 0.1]
        speeds = struct.pack("<3q", 1000, 0, 1000)
        planes = b"".join(part[place::8] for part in (speeds, struct.pack("<3d", *values)) for place in range(8))
        found = decode(b"\x01" + zlib.compress(planes), 2)
        assert [column.tolist() for column in found] == [times, values]

    def test_samples(self) -> None:
        found = decode(base64.b64decode(SAMPLES), 2)
        assert [column.tolist() for column in found] == [[1000, 2000, 4000], [1.5, -2.25, 0.1]]

    def test_minutes_and_no_more_columns_than_there_are(self) -> None:
        times, counts, sums, *_, lasts, after = decode(base64.b64decode(MINUTES), 10)
        assert times.tolist() == [1_795_176_000_000 + i * 60_000 for i in range(5)]
        assert (counts.tolist(), after.tolist()) == ([6] * 5, [59_000] * 5)
        assert sums.tolist() == pytest.approx([12.34, 12.5, 1 / 3, -0.5, 7], rel=2e-11)
        assert lasts.tolist() == pytest.approx([1 / 3, 2 / 3, 1e-7, 4.5, 5], rel=2e-11)
        assert len(decode(base64.b64decode(MINUTES), 3)) == 3

    def test_the_form_before_this_one(self) -> None:
        found = decode(base64.b64decode(HOURS_3), 10)
        assert found[0].tolist() == [1_795_176_000_000 + hour * 3_600_000 for hour in range(6)]
        assert [column.tolist() for column in found[1:6]] == [
            [360] * 6,
            [3600.5, 7200, 10800.25, 14400, -360, 1],
            [1.5, 2, 3, 4, -5, -6.25],
            [100.5, 200, 300, 400, 0.25, 7],
            [50.5, 60, 70, 80, 0, 1],
        ]
        assert [column.tolist() for column in found[6:]] == [
            [3_590_000, 3_590_001, 3_590_002, 3_590_003, 3_590_000, 3_590_009],
            [10, 20, 30, 40, -1, 0],
            [0, 1, 2, 3, 4, 5],
            [400.5, 1, 2, 3, 4, 5],
        ]
        assert [column.tolist() for column in decode(base64.b64decode(SAMPLES_3), 2)] == [
            [1000, 2000, 4000],
            [1.5, -2.25, 0.1],
        ]

    @pytest.mark.parametrize(
        "data", [b"", b"\x03abc", b"\x04abc", b"\x02abc", b"\x02abcdefgh", b"\x01abc", b"\x07abcdefgh"]
    )
    def test_what_is_no_chunk_is_refused(self, data: bytes) -> None:
        with pytest.raises(DamagedError):
            decode(data, 2)

    def test_nor_is_one_that_says_what_can_not_be_though_its_checksum_is_right(self) -> None:
        even = struct.pack("<qq", 2**62, 2**62)
        for facts, columns in (
            (struct.pack("<bHBI", -1, 0, 0, 3), b""),
            (struct.pack("<bHBI", 2, 0, 0, 3), b""),
            (struct.pack("<bHBII", -1, 0, 1, 3, len(even)), even),
            (struct.pack("<bHBII", -1, 0, 1, 2**32 - 1, 16), struct.pack("<qq", 1, 0)),
        ):
            checked = facts + columns
            with pytest.raises(DamagedError):
                decode(struct.pack("<BI", 4, zlib.crc32(checked)) + checked, 2)


def test_any_damage_is_noticed() -> None:
    data = encode([whole(range(100)), real([math.sqrt(i) for i in range(100)])])
    for cut in range(1, len(data)):
        with pytest.raises(DamagedError):
            decode(data[:cut], 2)
    for place in range(len(data)):
        for flipped in (0x01, 0x80):
            damaged = bytearray(data)
            damaged[place] ^= flipped
            with pytest.raises(DamagedError):
                decode(bytes(damaged), 2)
