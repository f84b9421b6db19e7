"""Packing columns of numbers into bytes and back.

Times are kept as differences of differences, which are zero for whatever comes at an even pace. Numbers of few
decimals are kept as whole ones, in differences as well. The bytes of all numbers are sorted by their place in the
number, so that those that hardly change lie side by side, and zlib finds them. The same ideas are in
https://www.vldb.org/pvldb/vol8/p1816-teller.pdf (differences), https://dl.acm.org/doi/10.1145/3626717 (decimals) and
in Blosc (sorting).
"""

import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

VERSION = 2
_FIRST_VERSION = 1
_HEADER = struct.Struct("<BI")
"""The version, and how many numbers a column has."""
WIDTH = 8
DECIMALS_MOST = 6
_WHOLE, _ANY = 254, 255
"""What a column is: whole numbers, any numbers, or else numbers of so many decimals."""
_EXACTLY_MOST = 2**53
ELEVEN_DIGITS = 2.0**-36
_ELEVEN_DIGITS_MASK = -(2**16)

Column = Sequence[int] | Sequence[float]


def encode(times_ms: Sequence[int], *columns: Column, exact: bool = True) -> bytes:
    """Return `times_ms`, in any order and of 62 bits at most, and as many numbers in each of `columns`, packed.

    Nothing is lost, unless it need not be `exact`: then eleven digits are kept, and all in columns of whole numbers.
    """
    speeds = _sorted(array("q", _differences(_differences(times_ms))))
    plain = b"".join([speeds, *(_packed(column, exact=exact) for column in columns)])
    return _HEADER.pack(VERSION, len(times_ms)) + zlib.compress(plain, 6)


def decode(data: bytes, columns: int = 1) -> list[list[int] | list[float]]:
    """Return the times and the first so many `columns` of those that were packed into `data`.

    Raises ValueError for what `encode` did not return, or has not as many.
    """
    try:
        if data[:1] == bytes([_FIRST_VERSION]):
            return _decode_first(data)
        version, count = _HEADER.unpack_from(data)
        if version != VERSION:
            raise ValueError(f"a chunk of version {version} is not one this program knows")
        size = WIDTH * count + columns * (1 + WIDTH * count)
        plain = zlib.decompressobj().decompress(data[_HEADER.size :], size) if size else b""
    except (zlib.error, struct.error) as error:
        raise ValueError(f"a chunk can't be unpacked ({error})") from None
    if len(plain) < size:
        raise ValueError("a chunk can't be unpacked (it is cut off)")
    begins = range(WIDTH * count, size, 1 + WIDTH * count)
    return [_times(plain[: WIDTH * count]), *(_unpacked(plain[begin : begin + 1 + WIDTH * count]) for begin in begins)]


def _decode_first(data: bytes) -> list[list[int] | list[float]]:
    """Unpack what the first version packed: times, and one column of any numbers."""
    plain = zlib.decompress(data[1:])
    half = len(plain) // 2
    return [_times(plain[:half]), _unsorted("d", plain[half:]).tolist()]


def _times(packed: bytes) -> list[int]:
    speeds = _unsorted("q", packed)
    pace = sum(speeds[:2])
    if pace and not any(speeds[2:]):
        return list(range(speeds[0], speeds[0] + pace * len(speeds), pace))
    return list(accumulate(accumulate(speeds)))


def _packed(numbers: Column, *, exact: bool) -> bytes:
    if all(type(number) is int for number in numbers):
        return bytes([_WHOLE]) + _sorted(array("q", _differences(numbers)))
    for decimals in range(DECIMALS_MOST + 1):
        whole = _of_decimals(numbers, 10**decimals, 0.0 if exact else ELEVEN_DIGITS)
        if whole:
            return bytes([decimals]) + _sorted(array("q", _differences(whole)))
    kept = array("d", numbers)
    if not exact:
        kept = array("d", array("q", [bits & _ELEVEN_DIGITS_MASK for bits in array("q", kept.tobytes())]).tobytes())
    return bytes([_ANY]) + _sorted(kept)


def _of_decimals(numbers: Column, scale: int, spare: float) -> list[int] | None:
    """Return `numbers` times `scale`, if those are whole numbers that give them back, but for a part of `spare`."""
    try:
        if not all(abs(round(number * scale) / scale - number) <= abs(number) * spare for number in numbers):
            return None
    except (ValueError, OverflowError):
        return None
    whole = [round(number * scale) for number in numbers]
    if max(map(abs, whole)) >= _EXACTLY_MOST:
        return None
    if not spare and array("d", [one / scale for one in whole]).tobytes() != array("d", numbers).tobytes():
        return None  # zeros below zero
    return whole


def _unpacked(packed: bytes) -> list[int] | list[float]:
    kind = packed[0]
    if kind == _ANY:
        return _unsorted("d", packed[1:]).tolist()
    whole = accumulate(_unsorted("q", packed[1:]))
    if kind == _WHOLE:
        return list(whole)
    scale = 10**kind
    return [one / scale for one in whole] if kind else list(map(float, whole))


def _differences(numbers: Sequence[float]) -> list[int]:
    return [after - before for before, after in zip([0, *numbers], numbers, strict=False)]  # type: ignore[misc]


def _sorted(numbers: "array[int] | array[float]") -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    plain = numbers.tobytes()
    return b"".join(plain[place::WIDTH] for place in range(WIDTH))


def _unsorted(form: str, planes: bytes) -> "array[Any]":
    count = len(planes) // WIDTH
    plain = bytearray(len(planes))
    for place in range(WIDTH):
        plain[place::WIDTH] = planes[place * count : (place + 1) * count]
    numbers = array(form, bytes(plain))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
