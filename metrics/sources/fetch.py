"""Requesting over HTTP what a config names; what the kinds that do so share.

Fetchers call `run` and, inside it, `fetch`, which turn everything that goes wrong into a SourceError. Checks, for
which that is a result, call `send` and `read`.
"""

import asyncio
import os
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from metrics.sources import network_policy
from metrics.sources.base import SourceError
from metrics.sources.http_config import HttpConfig, credentials

T = TypeVar("T")
Work = Callable[[httpx.AsyncClient], Awaitable[T]]
ERRORS = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError)
"""Exceptions of a request, beside SourceErrors."""
REDIRECTS_MOST = 10
PACKED = {"gzip", "x-gzip", "deflate"}
AGENT = "Watchfloor"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: the media `type` in lower case without its parameters, and the whole `body`, unpacked."""

    status: int
    type: str
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


def run(config: HttpConfig, work: Work[T]) -> T:
    """Return what `work` returns, given a client; within the config's time. Raises SourceError."""
    try:
        return asyncio.run(bounded(config, work))
    except ERRORS as error:
        raise SourceError(f"{config.where} {reason(error, config.timeout_s)}.") from None


async def bounded(config: HttpConfig, work: Work[T], on_lookup: Callable[[float], None] = lambda _: None) -> T:
    """Return what `work` returns, given a client. Raises what it raises, and TimeoutError after the config's time."""
    # httpx limits each read; this limits all of them, for a server that sends a byte a second.
    async with (
        asyncio.timeout(config.timeout_s),
        network_policy.client(config.timeout_s, verify=config.verify, on_lookup=on_lookup) as client,
    ):
        return await work(client)


async def fetch(
    client: httpx.AsyncClient, config: HttpConfig, most_bytes: int, url: str = "", **request: Any
) -> Answer:
    """Return the answer to one request, of whatever status; its body may have `most_bytes`. Raises SourceError.

    `url` is another address than the config's; the other arguments are those of `send`.
    """
    response = await send(client, config, url or config.url, **request)
    try:
        body = await read(response, most_bytes)
    except ValueError as error:
        raise SourceError(f"{config.where} answered something that {error}.") from None
    finally:
        await response.aclose()
    return Answer(response.status_code, response.headers.get("Content-Type", "").split(";")[0].strip().lower(), body)


async def send(
    client: httpx.AsyncClient,
    config: HttpConfig,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    data: Mapping[str, str] | None = None,
    extensions: Mapping[str, Any] | None = None,
    follow: bool = True,
) -> httpx.Response:
    """Return the answer with its body unread, to be closed by the caller; after at most `REDIRECTS_MOST` redirects.

    Credentials go to the host that the config names, and to no other that it redirects to.
    """
    sent = httpx.Headers({"User-Agent": AGENT, "Accept-Encoding": "gzip"})
    sent.update(headers)
    sent.update(config.headers)
    secret = credentials(config)
    sent.update(secret)
    request = client.build_request(method, url, content=content, data=data, headers=sent, extensions=extensions)
    home = request.url
    for _ in range(REDIRECTS_MOST + 1):
        response = await client.send(request, stream=True)
        if not follow or response.next_request is None:
            return response
        await response.aclose()
        request = response.next_request
        if not _is_home(request.url, home):
            for name in secret:
                request.headers.pop(name, None)
    raise httpx.TooManyRedirects("it redirects too often", request=request)


def _is_home(url: httpx.URL, home: httpx.URL) -> bool:
    """Return whether `url` is of the same place as `home`, or of the same with TLS."""
    if url.host != home.host:
        return False
    upgraded = (home.scheme, url.scheme) == ("http", "https") and home.port is None and url.port is None
    return upgraded or (url.scheme, url.port) == (home.scheme, home.port)


async def read(response: httpx.Response, most_bytes: int) -> bytes:
    """Return the body, unpacked. Raises ValueError, whose text completes a sentence, for one that is broken or larger.

    A few bytes can unpack to gigabytes, so nothing here makes more than one byte beyond the limit.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity", *PACKED}:
        raise ValueError(f"is packed as {encoding[:40]!r}, which nobody asked for")
    unpack = zlib.decompressobj(32 + zlib.MAX_WBITS) if encoding in PACKED else None
    body, is_whole = bytearray(), True
    async for chunk in response.aiter_raw():
        try:
            body += unpack.decompress(chunk, most_bytes + 1 - len(body)) if unpack else chunk
        except zlib.error:
            raise ValueError(f"is not {encoding}, as it says") from None
        if len(body) > most_bytes:
            raise ValueError(f"is longer than {most_bytes // 1024} KiB")
        is_whole = unpack is None or unpack.eof
    if not is_whole:
        raise ValueError("is cut off")
    return bytes(body)


def reason(error: BaseException, timeout_s: float) -> str:
    """Return why there is no answer, to be put behind the address: "did not answer within 10 s"."""
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"did not answer within {timeout_s:g} s"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"has a certificate that can't be trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"does not speak TLS as we do ({cause.reason or 'no reason given'})"
        if isinstance(cause, OSError) and cause.errno:
            return f"can't be reached ({os.strerror(cause.errno)})"
    return f"can't be requested ({str(error) or type(error).__name__})"


def distrusted(error: BaseException) -> httpx.URL | None:
    """Return the address whose certificate can't be trusted, if that is what is wrong."""
    if isinstance(error, httpx.RequestError) and any(
        isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)
    ):
        return error.request.url
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def good(answer: Answer, config: HttpConfig) -> Answer:
    """Return `answer` if its status says that it is what was asked for. Raises SourceError."""
    if 200 <= answer.status < 300:
        return answer
    try:
        phrase = f" {HTTPStatus(answer.status).phrase}"
    except ValueError:
        phrase = ""
    raise SourceError(f"{config.where} answered {answer.status}{phrase}.")
