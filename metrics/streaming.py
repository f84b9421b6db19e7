"""Responses that are written while they are sent, so that what is large need not be in memory."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

AT_ONCE = 64 * 1024
"""Characters that are written before they are sent."""


def streamed(request: HttpRequest, parts: Iterator[str], content_type: str, name: str) -> StreamingHttpResponse:
    """Return the answer to `request` that a browser saves as `name`.

    Under ASGI Django would put a plain iterator together first.
    """
    return StreamingHttpResponse(
        _sent(parts) if isinstance(request, ASGIRequest) else parts,
        content_type=f"{content_type}; charset=utf-8",
        headers={
            "Content-Disposition": str(content_disposition_header(True, name)),
            # GZipMiddleware would make each part of an asynchronous answer a gzip of its own: clients read the first.
            "Content-Encoding": "identity",
        },
    )


async def _sent(parts: Iterator[str]) -> AsyncIterator[str]:
    while part := await sync_to_async(_next)(parts):
        yield part


def _next(parts: Iterator[str]) -> str:
    """Return what comes next of `parts`, "" at their end."""
    found, size = [], 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size >= AT_ONCE:
            break
    return "".join(found)
