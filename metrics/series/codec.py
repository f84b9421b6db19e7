"""Packing samples into bytes and back, without loss.

Times are kept as differences of differences, which are zero for whatever comes at an even pace. The bytes of all
numbers are sorted by their place in the number, so that those that hardly change lie side by side, and zlib finds them.
The same idea is in https://www.vldb.org/pvldb/vol8/p1816-teller.pdf (differences) and in Blosc (sorting).
"""

import sys
import zlib
from array import array
from collections.abc import Sequence
from itertools import accumulate

VERSION = 1
WIDTH = 8


def encode(times_ms: Sequence[int], values: Sequence[float]) -> bytes:
    """Return `times_ms`, in any order and of 62 bits at most, and as many `values`, packed."""
    speeds = _differences(_differences(list(times_ms)))
    return bytes([VERSION]) + zlib.compress(_sorted(array("q", speeds)) + _sorted(array("d", values)), 6)


def decode(data: bytes) -> tuple[list[int], list[float]]:
    """Return the times and values that were packed into `data`. Raises ValueError for what `encode` did not return."""
    try:
        if data[:1] != bytes([VERSION]):
            raise ValueError(f"a chunk of version {data[:1].hex()} is not one this program knows")
        plain = zlib.decompress(data[1:])
    except zlib.error as error:
        raise ValueError(f"a chunk can't be unpacked ({error})") from None
    half = len(plain) // 2
    speeds, values = array("q", _unsorted(plain[:half])), array("d", _unsorted(plain[half:]))
    if sys.byteorder == "big":
        speeds.byteswap()
        values.byteswap()
    return list(accumulate(accumulate(speeds))), values.tolist()


def _differences(numbers: list[int]) -> list[int]:
    return [after - before for before, after in zip([0, *numbers], numbers, strict=False)]


def _sorted(numbers: "array[int] | array[float]") -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    plain = numbers.tobytes()
    return b"".join(plain[place::WIDTH] for place in range(WIDTH))


def _unsorted(planes: bytes) -> bytes:
    count = len(planes) // WIDTH
    plain = bytearray(len(planes))
    for place in range(WIDTH):
        plain[place::WIDTH] = planes[place * count : (place + 1) * count]
    return bytes(plain)
