"""Unpacking what releases before 0.2 packed: differences of whole numbers, bytes sorted by their place, and zlib."""

import struct
import sys
import zlib
from array import array
from itertools import accumulate
from typing import Any

_FIRST_VERSION, _VERSION = 1, 2
_HEADER = struct.Struct("<BI")
"""The version, and how many numbers a column has."""
_WIDTH = 8
_WHOLE, _ANY = 254, 255
"""Codes of a column's form: whole numbers, any numbers; another code is a number of decimals."""


def decode(data: bytes, most: int) -> list[list[int] | list[float]]:
    """Return the columns that were packed into `data`, the first `most` of them. Raises ValueError."""
    try:
        if data[:1] == bytes([_FIRST_VERSION]):
            plain = zlib.decompress(data[1:])
            half = len(plain) // 2
            return [_times(plain[:half]), _unsorted("d", plain[half:]).tolist()][:most]
        version, count = _HEADER.unpack_from(data)
        if version != _VERSION:
            raise ValueError(f"version {version} is not one that this program knows")
        plain = zlib.decompress(data[_HEADER.size :])
    except (zlib.error, struct.error) as error:
        raise ValueError(f"it can't be unpacked: {error}") from None
    times, column = _WIDTH * count, 1 + _WIDTH * count
    if len(plain) < times or (len(plain) - times) % column:
        raise ValueError("it is cut off")
    begins = range(times, len(plain), column)[: most - 1]
    return [_times(plain[:times]), *(_unpacked(plain[begin : begin + column]) for begin in begins)]


def _times(packed: bytes) -> list[int]:
    return list(accumulate(accumulate(_unsorted("q", packed))))


def _unpacked(packed: bytes) -> list[int] | list[float]:
    kind = packed[0]
    if kind == _ANY:
        return _unsorted("d", packed[1:]).tolist()
    whole = accumulate(_unsorted("q", packed[1:]))
    if kind == _WHOLE:
        return list(whole)
    return [one / 10**kind for one in whole]


def _unsorted(form: str, planes: bytes) -> "array[Any]":
    count = len(planes) // _WIDTH
    plain = bytearray(len(planes))
    for place in range(_WIDTH):
        plain[place::_WIDTH] = planes[place * count : (place + 1) * count]
    numbers = array(form, bytes(plain))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
