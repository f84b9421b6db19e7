"""Packing columns of numbers into bytes and back, with pcodec (https://github.com/pcodec/pcodec) and a checksum.

A chunk is one byte for the version, CRC-32 of all that follows, how many columns there are, how many bytes each takes,
and the columns as pcodec packs them. Who needs the first columns alone unpacks no others.
"""

import struct
import zlib
from collections.abc import Sequence

from metrics.series import old_codec
from metrics.series.vectors import ChunkConfig, Column, np, standalone

VERSION = 3
_HEADER = struct.Struct("<BIB")
_CHECKED_FROM = 5
"""Where what the checksum is of begins."""
DECIMALS_MOST = 6
_EXACTLY_MOST = 2.0**53
ELEVEN_DIGITS = 2.0**-36
_ELEVEN_DIGITS_MASK = np.int64(-(2**16))
_CONFIG = ChunkConfig()


class DamagedError(ValueError):
    """Bytes that `encode` did not return."""


def encode(columns: Sequence[Column], *, exact: bool = True) -> bytes:
    """Return `columns` of as many numbers each, whole ones of 64 bits or floating ones, packed.

    Nothing is lost, unless it need not be `exact`: then eleven digits are kept of floating ones, and all that whole
    numbers, and those of few decimals, have.
    """
    plain = [column if exact else _shortened(column) for column in columns]
    packed = [standalone.simple_compress(np.ascontiguousarray(column), _CONFIG) for column in plain]
    sizes = struct.pack(f"<B{len(packed)}I", len(packed), *map(len, packed))
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
        _, checksum, count = _HEADER.unpack_from(data)
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
    return columns


def _shortened(column: Column) -> Column:
    """Return the numbers with as few decimals as give them back, but for a part that is no longer seen."""
    if column.dtype.kind == "i":
        return column
    numbers = column.astype(np.float64, copy=False)
    with np.errstate(all="ignore"):
        spare = np.abs(numbers) * ELEVEN_DIGITS
        for decimals in range(DECIMALS_MOST + 1):
            whole = np.round(numbers * 10.0**decimals)
            shorter: Column = whole / 10.0**decimals
            if np.all(np.abs(whole) < _EXACTLY_MOST) and np.all(np.abs(shorter - numbers) <= spare):
                return shorter
    return (numbers.view(np.int64) & _ELEVEN_DIGITS_MASK).view(np.float64)
