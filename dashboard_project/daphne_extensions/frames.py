"""WebSocket frames as bytes: whole texts, plain (RFC 6455) or compressed without context takeover (RFC 7692).

Nothing that one message was compressed with is used for the next. So the same bytes suit every socket whose client
asked for a window of the same size. Browsers ask for none, which means 15 bits.
"""

import zlib

from consumers.limits import MESSAGE_BYTES

LEVEL = 3
"""As quick as level 1, and a tenth smaller; level 6 saves another tenth and takes twice as long."""
WINDOW_BITS = 15
FLUSHED = b"\x00\x00\xff\xff"
"""Last bytes of a flush; the protocol leaves them out."""
TEXT = 0x81
DEFLATED_TEXT = 0xC1
MASKED = 0x80
SHORT_HEADER_BYTES = 6  # of a short frame as clients send it: two bytes and the mask
SHORT_BYTES = 125


def text_frame(payload: bytes, window_bits: int = 0) -> bytes:
    """Return a frame with the text `payload`, compressed with a window of `window_bits` (9 to 15; 0: plain)."""
    if not window_bits:
        return _header(TEXT, len(payload)) + payload
    compress = zlib.compressobj(LEVEL, zlib.DEFLATED, -window_bits)
    deflated = compress.compress(payload) + compress.flush(zlib.Z_SYNC_FLUSH)
    deflated = deflated.removesuffix(FLUSHED)
    return _header(DEFLATED_TEXT, len(deflated)) + deflated


def _header(first: int, length: int) -> bytes:
    """Return the header of a frame of `length` bytes from a server: RFC 6455, section 5.2."""
    if length < 126:
        return bytes((first, length))
    if length < 0x10000:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")


def short_text(data: bytes, may_be_deflated: bool = False) -> str | None:
    """Return the text, if `data` is just one short frame of text as clients send it; None for anything else.

    See RFC 6455, section 5.2: an unfragmented text has the first byte 0x81, or 0xC1 if it is compressed, then come
    length, mask and payload.
    """
    length = len(data) - SHORT_HEADER_BYTES
    if not 0 <= length <= SHORT_BYTES or data[1] != MASKED | length:
        return None
    deflated = may_be_deflated and data[0] == DEFLATED_TEXT
    if data[0] != TEXT and not deflated:
        return None
    mask = (data[2:SHORT_HEADER_BYTES] * (length // 4 + 1))[:length]
    number = int.from_bytes(data[SHORT_HEADER_BYTES:], "big") ^ int.from_bytes(mask, "big")
    payload: bytes | None = number.to_bytes(length, "big")
    if deflated and payload is not None:
        payload = inflated(payload, MESSAGE_BYTES)
    try:
        return None if payload is None else payload.decode()
    except UnicodeDecodeError:
        return None


def inflated(deflated: bytes, most_bytes: int) -> bytes | None:
    """Return the payload of one compressed message; None if it is longer than `most_bytes`, or not compressed."""
    inflate = zlib.decompressobj(-WINDOW_BITS)
    try:
        payload = inflate.decompress(deflated + FLUSHED, most_bytes)
    except zlib.error:
        return None
    return None if inflate.unconsumed_tail else payload
