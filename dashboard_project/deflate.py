"""permessage-deflate (RFC 7692) without context takeover: a frame is compressed once, however many sockets it goes to.

What one message was compressed with is never used for the next, so a socket holds no state of zlib's, and the same
bytes suit every socket whose client asked for a window of the same size. Browsers ask for none, which means 15 bits.
"""

import zlib
from collections.abc import Sequence

from autobahn.websocket.compress import PerMessageDeflate, PerMessageDeflateOffer, PerMessageDeflateOfferAccept

LEVEL = 3
"""As quick as level 1, and a tenth smaller; level 6 saves another tenth and takes twice as long."""
WINDOW_BITS = 15
FLUSHED = b"\x00\x00\xff\xff"
"""Last bytes of a flush; the protocol leaves them out."""
WHOLE_DEFLATED_TEXT = 0xC1


def accept(offers: Sequence[object]) -> PerMessageDeflateOfferAccept | None:
    """Return how to accept the first offer of permessage-deflate, None if there is none."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer, request_no_context_takeover=True, no_context_takeover=True)
    return None


class Inflater(PerMessageDeflate):
    """Inflates the parser's messages; between them it holds nothing."""

    def __init__(self, window_bits: int) -> None:
        super().__init__(True, True, True, window_bits, WINDOW_BITS, None)

    def end_decompress_message(self) -> None:
        super().end_decompress_message()
        self._decompressor = None


def frame(payload: bytes, window_bits: int) -> bytes:
    """Return a WebSocket frame with the text `payload`, compressed with a window of `window_bits` (9 to 15)."""
    compress = zlib.compressobj(LEVEL, zlib.DEFLATED, -window_bits)
    deflated = compress.compress(payload) + compress.flush(zlib.Z_SYNC_FLUSH)
    deflated = deflated.removesuffix(FLUSHED)
    return header(len(deflated)) + deflated


def header(length: int) -> bytes:
    """Return the header of a whole compressed text of `length` bytes from a server: RFC 6455, section 5.2."""
    if length < 126:
        return bytes((WHOLE_DEFLATED_TEXT, length))
    if length < 0x10000:
        return bytes((WHOLE_DEFLATED_TEXT, 126)) + length.to_bytes(2, "big")
    return bytes((WHOLE_DEFLATED_TEXT, 127)) + length.to_bytes(8, "big")


def inflated(deflated: bytes, most_bytes: int) -> bytes | None:
    """Return the payload of one compressed message; None if it is longer than `most_bytes`, or not compressed."""
    inflate = zlib.decompressobj(-WINDOW_BITS)
    try:
        payload = inflate.decompress(deflated + FLUSHED, most_bytes)
    except zlib.error:
        return None
    return None if inflate.unconsumed_tail else payload
