"""Packing columns of numbers into bytes and back, with pcodec (https://github.com/pcodec/pcodec) and a checksum.

A chunk is one byte for the version, CRC-32 of all that follows, how many decimals its `residuals` have, or -1 for
columns as they are and -2 for residuals of bits, which of them are estimated by means, how many columns there are and
how many numbers each has, how many bytes each takes, and the columns as pcodec packs them. Whole numbers that are
evenly apart, as times and counts often are, take 16 bytes: the first of them, and how far apart they are. A reader of
the first columns alone unpacks no others.
"""

import struct
import zlib
from collections.abc import Sequence

from metrics.series import old_codec, residuals
from metrics.series.vectors import ChunkConfig, Column, np, standalone

VERSION = 4
_HEADER = struct.Struct("<BIbHBI")
_VERSION_3, _HEADER_3 = 3, struct.Struct("<BIbB")
"""The form before this one: nothing is estimated by means, and pcodec packed every column."""
_CHECKED_FROM = 5
"""Where what the checksum is of begins."""
_AS_THEY_ARE, _BY_BITS = -1, -2
DECIMALS_MOST = 6
_EXACTLY_MOST = 2.0**53
ELEVEN_DIGITS = 2.0**-36
_ELEVEN_DIGITS_MASK = np.int64(-(2**16))
_CONFIG = ChunkConfig()
_LENGTH_MOST = 1_000_000
"""Far more than a chunk has."""
_EVEN = struct.Struct("<qq")
"""The first number and the step; pcodec packs nothing into so few bytes."""


class DamagedError(ValueError):
    """Bytes that `encode` did not return."""


def encode(columns: Sequence[Column]) -> bytes:
    """Return `columns` of as many numbers each, whole ones of 64 bits or floating ones, packed; nothing is lost."""
    return _packed([_column(column) for column in columns], _AS_THEY_ARE, len(columns[0]))


def encode_buckets(columns: Sequence[Column]) -> bytes:
    """Return `buckets.COLUMNS` packed: of floating numbers eleven digits, and all of whole ones and of few decimals.

    If all columns are there, nothing is lost of what growth is counted from: a counter that stays as it is must seem
    neither to have begun again nor to have grown.
    """
    exact = residuals.ENDS if len(columns) == residuals.ALL else frozenset()
    shortened = [_shortened(column, 0.0 if place in exact else ELEVEN_DIGITS) for place, column in enumerate(columns)]
    shorter = [column for column, _ in shortened]
    decimals = max(places for _, places in shortened)
    small = residuals.of(shorter, decimals) if decimals <= DECIMALS_MOST else None
    if small is None and exact:
        whole = [columns[place] if place in exact else column for place, column in enumerate(shorter)]
        by_bits = residuals.of_bits(whole, ELEVEN_DIGITS)
        return _packed([_column(column) for column in by_bits], _BY_BITS, len(shorter[0]))
    if small is None:
        return _packed([_column(column) for column in shorter], _AS_THEY_ARE, len(shorter[0]))
    packed = [[_column(column) for column in either] for either in small]
    by_mean = sum(1 << place for place, either in enumerate(packed) if len(either[-1]) < len(either[0]))
    return _packed([min(either, key=len) for either in packed], decimals, len(shorter[0]), by_mean)


def _packed(columns: Sequence[bytes], decimals: int, length: int, by_mean: int = 0) -> bytes:
    count = len(columns)
    facts = struct.pack(f"<bHBI{count}I", decimals, by_mean, count, length, *map(len, columns))
    checked = b"".join([facts, *columns])
    return struct.pack("<BI", VERSION, zlib.crc32(checked)) + checked


def _column(column: Column) -> bytes:
    if column.dtype.kind == "i" and len(column):
        first = int(column[0])
        step = int(column[1]) - first if len(column) > 1 else 0
        if abs(step) < 2**31 and abs(first) < 2**53 and np.array_equal(_even(first, step, len(column)), column):
            return _EVEN.pack(first, step)
    packed: bytes = standalone.simple_compress(np.ascontiguousarray(column), _CONFIG)
    return packed


def _even(first: int, step: int, count: int) -> Column:
    if step:
        return np.arange(first, first + step * count, step, dtype=np.int64)
    column = np.empty(count, np.int64)
    column.fill(first)  # in half the time of `full`
    return column


def decode(data: bytes, most: int) -> list[Column]:
    """Return the columns that were packed into `data`, the first `most` of them. Raises DamagedError."""
    if data[:1] not in (bytes([VERSION]), bytes([_VERSION_3])):
        try:
            return [np.asarray(column) for column in old_codec.decode(data, most)]
        except ValueError as error:
            raise DamagedError(str(error)) from None
    try:
        if data[0] == VERSION:
            header = _HEADER
            _, checksum, decimals, by_mean, count, length = header.unpack_from(data)
        else:
            header, by_mean, length = _HEADER_3, 0, 0
            _, checksum, decimals, count = header.unpack_from(data)
        if zlib.crc32(data[_CHECKED_FROM:]) != checksum:
            raise DamagedError("its checksum is wrong")
        if not count or length > _LENGTH_MOST:
            raise DamagedError("it has no columns, or ones that are too long")
        begin = header.size + 4 * count
        columns: list[Column] = []
        for size in struct.unpack_from(f"<{count}I", data, header.size)[:most]:
            columns.append(_unpacked(data[begin : begin + size], length))
            begin += size
        if decimals == _AS_THEY_ARE:
            return columns
        if decimals == _BY_BITS:
            return residuals.restored_bits(columns)
        return residuals.restored(columns, decimals, by_mean)
    except (struct.error, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise DamagedError(f"it can't be unpacked: {error}") from None


def _unpacked(packed: bytes, count: int) -> Column:
    if len(packed) == _EVEN.size:
        first, step = _EVEN.unpack(packed)
        return _even(first, step, count)
    column = standalone.simple_decompress(packed)
    return np.empty(0) if column is None else column


def _shortened(column: Column, share: float) -> tuple[Column, int]:
    """Return the numbers with as few decimals as give them back, but for a `share` of each; and how many.

    More than `DECIMALS_MOST` where that is too few: then eleven digits are left.
    """
    if column.dtype.kind == "i":
        return column, 0
    numbers = column.astype(np.float64, copy=False)
    with np.errstate(all="ignore"):
        spare = np.abs(numbers) * share
        for decimals in range(DECIMALS_MOST + 1):
            whole = np.round(numbers * 10.0**decimals)
            shorter: Column = whole / 10.0**decimals
            if np.all(np.abs(whole) < _EXACTLY_MOST) and np.all(np.abs(shorter - numbers) <= spare):
                return shorter, decimals
    return (numbers.view(np.int64) & _ELEVEN_DIGITS_MASK).view(np.float64), DECIMALS_MOST + 1
