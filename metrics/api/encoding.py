"""Decoding of a request's `Content-Encoding` (RFC 9110, section 8.4), within a bound.

A few bytes can unpack to gigabytes, so nothing here ever makes more than one byte beyond the limit.
"""

import zlib
from collections.abc import Iterator
from gzip import GzipFile
from io import BytesIO

import cramjam
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja.errors import HttpError

KNOWN = "identity, gzip, deflate and snappy"
SNAPPY_FRAMES = b"\xff\x06\x00\x00sNaPpY"
ZLIB, RAW = zlib.MAX_WBITS, -zlib.MAX_WBITS


class TooLargeError(Exception):
    """A body that would be larger than the limit when it is unpacked."""


class BrokenError(Exception):
    """A body that is cut off, followed by other bytes, or not in the encoding that its header names."""


def decoded(request: HttpRequest, limit: int, usual: str = "") -> bytes:
    """Return the body of `request` as it was before it was encoded: at most `limit` bytes, nor may it arrive in more.

    `usual` is the encoding of a body whose header does not name one.
    Raises HttpError: 413 for a body that is larger, 415 for an encoding nobody knows here, 400 for a broken one.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower() or usual
    try:
        return unpacked(_sent(request, limit), encoding, limit)
    except TooLargeError:
        raise HttpError(413, f"The body is larger than {limit} bytes; split the batch.") from None
    except BrokenError:
        raise HttpError(400, f"The body is not what its Content-Encoding says: {encoding}.") from None


def unpacked(packed: bytes, encoding: str, limit: int) -> bytes:
    """Return what was encoded. Raises TooLargeError, BrokenError, or HttpError 415."""
    if encoding in ("", "identity"):
        return packed
    if encoding in ("gzip", "x-gzip"):
        return _gunzipped(packed, limit)
    if encoding == "deflate":
        try:
            return _inflated(packed, ZLIB, limit)
        except BrokenError:  # some clients leave zlib's header out
            return _inflated(packed, RAW, limit)
    if encoding == "snappy":
        return _unsnapped(packed, limit)
    raise HttpError(415, f"Content-Encoding is none of {KNOWN}.")


def _sent(request: HttpRequest, limit: int) -> bytes:
    try:
        body = request.body
    except RequestDataTooBig:
        raise TooLargeError from None
    if len(body) > limit:
        raise TooLargeError
    return body


def _gunzipped(packed: bytes, limit: int) -> bytes:
    """Undo gzip, which may be of several members, one after the other (RFC 1952, section 2.2)."""
    if not packed:
        raise BrokenError
    try:
        with GzipFile(fileobj=BytesIO(packed)) as members:
            plain = members.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise BrokenError from None
    if len(plain) > limit:
        raise TooLargeError
    return plain


def _inflated(packed: bytes, form: int, limit: int) -> bytes:
    inflating = zlib.decompressobj(form)
    try:
        plain = inflating.decompress(packed, limit + 1)
    except zlib.error:
        raise BrokenError from None
    if len(plain) > limit:
        raise TooLargeError
    if not inflating.eof or inflating.unused_data:
        raise BrokenError
    return plain


def _unsnapped(packed: bytes, limit: int) -> bytes:
    """Undo Snappy's block format, which begins with the size of what is in it, or its framing format.

    https://github.com/google/snappy/blob/main/format_description.txt and framing_format.txt
    """
    framed = not packed or packed.startswith(SNAPPY_FRAMES)
    try:
        sizes = _sizes_in_frames(packed) if framed else [cramjam.snappy.decompress_raw_len(packed)]
        if sum(sizes) > limit:
            raise TooLargeError
        return bytes((cramjam.snappy.decompress if framed else cramjam.snappy.decompress_raw)(packed))
    except cramjam.DecompressionError:
        raise BrokenError from None


def _sizes_in_frames(packed: bytes) -> Iterator[int]:
    """Yield how large each frame is when it is unpacked: what is not packed is itself behind 4 bytes of checksum."""
    at = 0
    while at < len(packed):
        kind, size = packed[at], int.from_bytes(packed[at + 1 : at + 4], "little")
        if kind == 0x00:
            yield cramjam.snappy.decompress_raw_len(packed[at + 8 : at + 4 + size])
        elif kind == 0x01:
            yield size - 4
        at += 4 + size
