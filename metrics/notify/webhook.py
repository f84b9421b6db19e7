"""A webhook: the message as JSON to an address of yours, signed so that you can tell that it came from here."""

import base64
import binascii
import email.utils
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import anyio
import httpx
from pydantic import Field, SecretStr, field_validator

from metrics.notify import rendering
from metrics.notify.base import ChannelError, ChannelKind, Receipt
from metrics.notify.message import Message
from metrics.sources import fetch, tls
from metrics.sources.base import SourceError
from metrics.sources.http_config import HttpConfig
from metrics.sources.network_policy import Forbidden

SECRET_LEAST = 16
ENCODED = "whsec_"
LATER = {408, 425, 429}
"""Statuses below 500 that may be another one a little later."""


class WebhookConfig(HttpConfig):
    """Where to, and the secret that signs."""

    secret: SecretStr = Field(
        title="Signing secret",
        description=f"Signs each message; {SECRET_LEAST} characters at least, or whsec_ and base64.",
    )
    timeout_s: float = Field(default=10, gt=0, le=15, description="Seconds for all of it.")

    @property
    def where(self) -> str:
        """The address as it may be shown: without its path, which often holds a key."""
        return str(httpx.URL(self.url).copy_with(username=None, password=None, raw_path=b"/"))

    @field_validator("secret")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        if len(key_of(value.get_secret_value())) < SECRET_LEAST:
            raise ValueError(f"it needs at least {SECRET_LEAST} characters")
        return value


class Webhook(ChannelKind[WebhookConfig]):
    """JSON to an address of yours, signed."""

    kind = "webhook"
    config_class = WebhookConfig
    group = "programs"

    def where(self, config: WebhookConfig) -> str:
        return config.where

    def load(self) -> None:
        tls.context(verify=True)  # kept for the thread, which is the same in a copy of the process
        anyio.run(anyio.sleep, 0)  # it loads what httpcore connects with

    def send(self, config: WebhookConfig, message: Message, deadline: float, earlier: Sequence[str] = ()) -> Receipt:
        body, id = rendering.as_json(message), id_of(message)
        headers = {
            "Content-Type": "application/json",
            **signed(key_of(config.secret.get_secret_value()), id, int(time.time()), body),
        }
        bounded = config.model_copy(
            update={"timeout_s": min(config.timeout_s, max(0.1, round(deadline - time.monotonic(), 1)))}
        )

        async def work(client: httpx.AsyncClient) -> httpx.Response:
            sent = await fetch.send(
                client, bounded, bounded.url, method="POST", headers=headers, content=body, follow=False
            )
            await sent.aclose()  # the status says it all
            return sent

        try:
            response = fetch.run(bounded, work)
        except Forbidden as problem:
            raise ChannelError(str(problem), permanent=True) from None
        except SourceError as problem:
            raise ChannelError(str(problem)) from None
        check(config.where, response.status_code, response.headers)
        return Receipt(f"{config.where} answered {phrase(response.status_code)}.", id)


def id_of(message: Message) -> str:
    """Return the id of `message`: the same however often it is sent, and at most 32 characters."""
    return hashlib.sha256(message.key.encode()).hexdigest()[:32]


def key_of(secret: str) -> bytes:
    """Return the bytes that `secret` signs with, as https://www.standardwebhooks.com has it; a plain text is itself."""
    if secret.startswith(ENCODED):
        try:
            return base64.b64decode(secret.removeprefix(ENCODED), validate=True)
        except binascii.Error:
            raise ValueError("behind whsec_ it is base64") from None
    return secret.encode()


def signed(key: bytes, id: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers that sign `body`: HMAC-SHA256 of the id, the time (Unix seconds), and the body."""
    digest = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": signature}


def check(where: str, status: int, headers: Mapping[str, str]) -> None:
    """Raise ChannelError unless `status` says that the message was taken."""
    if 200 <= status < 300:
        return
    said = f"{where} answered {phrase(status)}"
    if 300 <= status < 400:
        raise ChannelError(f"{said}; redirects are not followed.", permanent=True)
    is_permanent = status < 500 and status not in LATER
    raise ChannelError(f"{said}.", permanent=is_permanent, wait_s=wait_of(headers.get("Retry-After", "")))


def phrase(status: int) -> str:
    """Return `status` with its name."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def wait_of(header: str) -> float | None:
    """Return the seconds of a Retry-After (RFC 9110, section 10.2.3); None for none, or one that can't be read."""
    if header.isdecimal():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
