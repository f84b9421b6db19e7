"""Packing columns of numbers into bytes and back, with pcodec (https://github.com/pcodec/pcodec) and a checksum.

A chunk is one byte for the version, CRC-32 of all that follows, how many decimals its `residuals` have or -1 for
columns as they are, how many columns there are, how many bytes each takes, and the columns as pcodec packs them. Who
needs the first columns alone unpacks no others.
"""

import struct
import zlib
from collections.abc import Sequence

from metrics.series import old_codec, residuals
from metrics.series.vectors import ChunkConfig, Column, np, standalone

VERSION = 3
_HEADER = struct.Struct("<BIbB")
_CHECKED_FROM = 5
"""Where what the checksum is of begins."""
_AS_THEY_ARE = -1
DECIMALS_MOST = 6
_EXACTLY_MOST = 2.0**53
ELEVEN_DIGITS = 2.0**-36
_ELEVEN_DIGITS_MASK = np.int64(-(2**16))
_CONFIG = ChunkConfig()


class DamagedError(ValueError):
    """Bytes that `encode` did not return."""


def encode(columns: Sequence[Column]) -> bytes:
    """Return `columns` of as many numbers each, whole ones of 64 bits or floating ones, packed; nothing is lost."""
    return _packed(columns, _AS_THEY_ARE)


def encode_buckets(columns: Sequence[Column]) -> bytes:
    """Return `buckets.COLUMNS` packed: of floating numbers eleven digits, and all of whole ones and of few decimals."""
    shortened = [_shortened(column) for column in columns]
    shorter = [column for column, _ in shortened]
    decimals = max(places for _, places in shortened)
    small = residuals.of(shorter, decimals) if decimals <= DECIMALS_MOST else None
    return _packed(shorter, _AS_THEY_ARE) if small is None else _packed(small, decimals)


def _packed(columns: Sequence[Column], decimals: int) -> bytes:
    packed = [standalone.simple_compress(np.ascontiguousarray(column), _CONFIG) for column in columns]
    sizes = struct.pack(f"<bB{len(packed)}I", decimals, len(packed), *map(len, packed))
    checked = b"".join([sizes, *packed])
    return struct.pack("<BI", VERSION, zlib.crc32(checked)) + checked


def decode(data: bytes, most: int) -> list[Column]:
    """Return the columns that were packed into `data`, the first `most` of them. Raises DamagedError."""
    if data[:1] != bytes([VERSION]):
        try:
            return [np.asarray(column) for column in old_codec.decode(data, most)]
        except ValueError as error:
            raise DamagedError(str(error)) from None
    try:
        _, checksum, decimals, count = _HEADER.unpack_from(data)
        if zlib.crc32(data[_CHECKED_FROM:]) != checksum:
            raise DamagedError("its checksum is wrong")
        begin = _HEADER.size + 4 * count
        columns: list[Column] = []
        for size in struct.unpack_from(f"<{count}I", data, _HEADER.size)[:most]:
            column = standalone.simple_decompress(data[begin : begin + size])
            columns.append(np.empty(0) if column is None else column)
            begin += size
    except (struct.error, RuntimeError, TypeError) as error:
        raise DamagedError(f"it can't be unpacked: {error}") from None
    return columns if decimals == _AS_THEY_ARE else residuals.restored(columns, decimals)


def _shortened(column: Column) -> tuple[Column, int]:
    """Return the numbers with as few decimals as give them back, but for a part that is no longer seen; and how many.

    More than `DECIMALS_MOST` where that is too few.
    """
    if column.dtype.kind == "i":
        return column, 0
    numbers = column.astype(np.float64, copy=False)
    with np.errstate(all="ignore"):
        spare = np.abs(numbers) * ELEVEN_DIGITS
        for decimals in range(DECIMALS_MOST + 1):
            whole = np.round(numbers * 10.0**decimals)
            shorter: Column = whole / 10.0**decimals
            if np.all(np.abs(whole) < _EXACTLY_MOST) and np.all(np.abs(shorter - numbers) <= spare):
                return shorter, decimals
    return (numbers.view(np.int64) & _ELEVEN_DIGITS_MASK).view(np.float64), DECIMALS_MOST + 1
