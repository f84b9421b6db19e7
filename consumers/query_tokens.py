"""Tokens in the query of a socket's address are refused: addresses end up in logs."""

from typing import Any
from urllib.parse import parse_qsl

from consumers.codes import SIGN_IN
from consumers.frame import json_frame
from consumers.outlet import Send, close
from metrics.models import Token

NAMES = frozenset({"token", "access_token"})
INSTEAD = (
    "A token does not belong into an address, which ends up in logs: send it in the header Authorization, or ask for a"
    " ticket with POST /api/v1/ws-ticket and send that as ?ticket=."
)


def refused(inner: Any) -> Any:
    """Return the ASGI application `inner`, which sockets with a token in their query do not reach."""

    async def application(scope: dict[str, Any], receive: Any, send: Send) -> None:
        if not has_token(scope["query_string"]):
            await inner(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": json_frame("error", {"error": INSTEAD}).text})
        await close(send, SIGN_IN)

    return application


def has_token(query: bytes) -> bool:
    """Return whether a name in `query` is one for tokens, or a name or a value looks like one of ours."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return any(
        name in NAMES or name.startswith(Token.PREFIX) or value.startswith(Token.PREFIX) for name, value in pairs
    )
