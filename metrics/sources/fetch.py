"""Requesting over HTTP what a config names; what the kinds that do so share.

Fetchers call `run` and, inside it, `fetch`, which turn everything that goes wrong into a SourceError. Checks, for
which that is a result, call `send` and `read`.
"""

import asyncio
import os
import re
import ssl
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self, TypeVar

import httpx
from pydantic import Field, SecretStr, field_validator, model_validator

from metrics.sources import reach
from metrics.sources.base import SourceConfig, SourceError

T = TypeVar("T")
Work = Callable[[httpx.AsyncClient], Awaitable[T]]
ERRORS = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError)
"""What requesting may raise beside SourceErrors."""
REDIRECTS_MOST = 10
HEADERS_MOST = 20
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
HEADER_VALUE = re.compile(r"[\x20-\x7e\t]{0,10000}")
OURS = {"connection", "content-length", "transfer-encoding", "accept-encoding"}
SECRET = {"authorization", "cookie", "proxy-authorization"}
PACKED = {"gzip", "x-gzip", "deflate"}
AGENT = "Watchfloor"


class HttpConfig(SourceConfig):
    """Where to ask, and as whom."""

    url: str = Field(max_length=500, description="Address to request; http:// or https://.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send along.")
    secret_headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Headers to send along whose values are credentials."
    )
    username: str = Field(default="", max_length=200, description="User to sign in as (Basic).")
    password: SecretStr = Field(default=SecretStr(""), max_length=1000, description="That user's password.")
    bearer_token: SecretStr = Field(default=SecretStr(""), max_length=10_000, description="Token to send (Bearer).")
    verify: bool = Field(default=True, description="Whether a certificate that can't be trusted is a failure.")
    timeout_s: float = Field(default=10, gt=0, le=25, description="Seconds for all of it.")

    @field_validator("url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        try:
            url = httpx.URL(value)
        except httpx.InvalidURL as error:
            raise ValueError(f"url can't be read: {error}") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("url must begin with http:// or https:// and name a host")
        if url.userinfo:
            raise ValueError("url must not hold a password; give username and password")
        return value

    @model_validator(mode="after")
    def _headers_can_be_sent(self) -> Self:
        secret = {name: value.get_secret_value() for name, value in self.secret_headers.items()}
        if len(self.headers) + len(secret) > HEADERS_MOST:
            raise ValueError(f"headers and secret_headers are more than {HEADERS_MOST}")
        for name, value in [*self.headers.items(), *secret.items()]:
            if not HEADER_NAME.fullmatch(name) or name.lower() in OURS:
                raise ValueError(f"header {name[:100]!r} can't be set")
            if not HEADER_VALUE.fullmatch(value):
                raise ValueError(f"header {name} has a value that can't be sent")
        for name in self.headers:
            if name.lower() in SECRET:
                raise ValueError(f"header {name} belongs into secret_headers")
        if (self.username or self.password.get_secret_value()) and self.bearer_token.get_secret_value():
            raise ValueError("give either username and password or bearer_token")
        if not HEADER_VALUE.fullmatch(self.bearer_token.get_secret_value()):
            raise ValueError("bearer_token has a character that can't be sent")
        return self

    @property
    def where(self) -> str:
        """The address as it may be shown and stored: without its query, which may hold a key."""
        return shown(self.url)


def shown(url: str | httpx.URL) -> str:
    """Return `url` without user, password, query and fragment."""
    return str(httpx.URL(url).copy_with(username=None, password=None, query=None, fragment=None))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the media `type` in lower case without its parameters, and the whole `body`, unpacked."""

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
        reach.client(config.timeout_s, verify=config.verify, on_lookup=on_lookup) as client,
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
    secret = _credentials(config)
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


def _credentials(config: HttpConfig) -> dict[str, str]:
    """Return the headers that say who asks."""
    secret = {name: value.get_secret_value() for name, value in config.secret_headers.items()}
    if token := config.bearer_token.get_secret_value():
        secret["Authorization"] = f"Bearer {token}"
    elif config.username or config.password.get_secret_value():
        basic = httpx.BasicAuth(config.username, config.password.get_secret_value())
        request = next(basic.auth_flow(httpx.Request("GET", config.url)))
        secret["Authorization"] = request.headers["Authorization"]
    return secret


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
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"has a certificate that can't be trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"does not speak TLS as we do ({cause.reason or 'no reason given'})"
        if isinstance(cause, OSError) and cause.errno:
            return f"can't be reached ({os.strerror(cause.errno)})"
        cause = cause.__cause__ or cause.__context__
    return f"can't be requested ({str(error) or type(error).__name__})"


def good(answer: Answer, config: HttpConfig) -> Answer:
    """Return `answer` if its status says that it is what was asked for. Raises SourceError."""
    if 200 <= answer.status < 300:
        return answer
    try:
        phrase = f" {HTTPStatus(answer.status).phrase}"
    except ValueError:
        phrase = ""
    raise SourceError(f"{config.where} answered {answer.status}{phrase}.")
