"""permessage-deflate without context takeover: a frame is compressed once, and a socket holds no state of zlib's."""

from collections.abc import Sequence
from typing import Any

from autobahn.websocket.compress import PerMessageDeflate, PerMessageDeflateOffer, PerMessageDeflateOfferAccept

from dashboard_project.daphne_extensions.frames import WINDOW_BITS


def extend(server: Any) -> None:
    server.ws_factory.setProtocolOptions(perMessageCompressionAccept=accept)


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


class Socket:
    """A socket whose frames are compressed by whoever prepares them, never by itself."""

    window_bits: int
    _perMessageCompress: Any

    def onOpen(self) -> None:
        if self._perMessageCompress is not None:
            self.window_bits = self._perMessageCompress.server_max_window_bits
            self._perMessageCompress = Inflater(self.window_bits)
        super().onOpen()  # type: ignore[misc]

    def sendMessage(self, payload: bytes, isBinary: bool = False, **options: Any) -> None:
        # Frames for a single socket are short, and autobahn would keep its compressor: 280 kB.
        super().sendMessage(payload, isBinary, **{**options, "doNotCompress": True})  # type: ignore[misc]
