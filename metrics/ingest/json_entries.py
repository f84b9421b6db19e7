"""JSON arrays of entries, each of which is read alone, so that a bad one does not lose the others."""

from collections.abc import Iterator
from typing import TypeVar

from msgspec import MsgspecError, Raw
from msgspec.json import Decoder, decode

from metrics.ingest.json_samples import NotJson

T = TypeVar("T")


def entries(body: bytes, decoder: Decoder[T]) -> Iterator[tuple[int, T | str]]:
    """Yield each entry of the array in `body`, or of one that stands alone, with its number; or why it is none.

    Raises NotJson.
    """
    try:
        found = decode(body, type=list[Raw]) if body.lstrip()[:1] == b"[" else [decode(body, type=Raw)]
    except (MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotJson(f"The body is not JSON: {str(error).rstrip('.')}.") from None
    for number, raw in enumerate(found):
        try:
            yield number, decoder.decode(raw)
        except (MsgspecError, UnicodeDecodeError, RecursionError) as error:
            yield number, f"{str(error).rstrip('.')}."
