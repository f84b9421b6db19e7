"""Web Push (RFC 8030): a message to a browser, encrypted for it (RFC 8291) and signed by us (RFC 8292)."""

import asyncio
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from metrics.sources import network_policy
from metrics.sources.base import SourceError

CURVE = ec.SECP256R1()
ENDPOINT_MOST = 1000
AUTH_BYTES = 16
TTL_S = 86_400
"""For how long a push service keeps a message for a browser that is not running."""
SENDS_WITHIN_S = 10.0
AT_ONCE = 20
TEXT_MOST = 500
"""A message has at most 4096 bytes (RFC 8030, section 7.2), the encryption's own among them."""


class Outcome(StrEnum):
    """Outcome of a message: `sent`; the browser is `gone`; it may be sent `later`; or it is `refused` for good."""

    SENT = "sent"
    GONE = "gone"
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Key:
    """A key to sign with: both halves in base64url, the private one as 32 bytes, the public one as a point of 65."""

    private: str
    public: str


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that subscribed: where to send to, and the keys to encrypt with, in base64url."""

    endpoint: str
    p256dh: str
    auth: str

    def __post_init__(self) -> None:
        """Raise ValueError, with a sentence, for what no browser sends."""
        if not _is_address(self.endpoint):
            raise ValueError("endpoint: it is no address of a push service.")
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decoded(self.p256dh))
        except ValueError:
            raise ValueError("p256dh: it is no point of the curve P-256.") from None
        try:
            right = len(decoded(self.auth)) == AUTH_BYTES
        except ValueError:
            right = False
        if not right:
            raise ValueError(f"auth: it is not {AUTH_BYTES} bytes.")


@dataclass(frozen=True, slots=True)
class Message:
    """A message for a browser: `tag` is a name of it, so that it shows once; `path` is where a click leads."""

    title: str
    text: str
    path: str
    tag: str

    def json(self) -> bytes:
        text = self.text if len(self.text) <= TEXT_MOST else f"{self.text[: TEXT_MOST - 1]}…"
        body = {"title": self.title, "text": text, "path": self.path, "tag": self.tag}
        return json.dumps(body, ensure_ascii=False).encode()


def new_key() -> Key:
    """Return a new key."""
    key = ec.generate_private_key(CURVE)
    private = key.private_numbers().private_value.to_bytes(32, "big")
    return Key(encoded(private), encoded(_point(key.public_key())))


def send(jobs: Sequence[tuple[Browser, Message]], key: Key, contact: str) -> list[Outcome]:
    """Send each message to its browser; return what came of each. `contact` is a mailto: of whoever runs this.

    Only addresses that any source may connect to are connected to: a browser says of itself where that is.
    """
    with network_policy.limited():
        return asyncio.run(_send_all(jobs, key, contact))


async def _send_all(jobs: Sequence[tuple[Browser, Message]], key: Key, contact: str) -> list[Outcome]:
    turn = asyncio.Semaphore(AT_ONCE)
    async with network_policy.client(SENDS_WITHIN_S) as client:

        async def in_turn(browser: Browser, message: Message) -> Outcome:
            async with turn:
                return await _send(client, browser, message, key, contact)

        return await asyncio.gather(*(in_turn(*job) for job in jobs))


async def _send(client: httpx.AsyncClient, browser: Browser, message: Message, key: Key, contact: str) -> Outcome:
    signature = _signature(browser.endpoint, key, contact)
    if signature is None:
        return Outcome.REFUSED
    headers = {
        **signature,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(TTL_S),
    }
    request = client.build_request("POST", browser.endpoint, content=encrypt(message.json(), browser), headers=headers)
    try:
        async with asyncio.timeout(SENDS_WITHIN_S):
            answer = await client.send(request, stream=True)
            await answer.aclose()
    except network_policy.Forbidden:
        return Outcome.REFUSED
    except (httpx.HTTPError, httpx.InvalidURL, SourceError, TimeoutError, OSError):
        return Outcome.LATER
    if answer.is_success:
        return Outcome.SENT
    if answer.status_code in (404, 410):
        return Outcome.GONE
    return Outcome.LATER if answer.status_code == 429 or answer.status_code >= 500 else Outcome.REFUSED


def encrypt(content: bytes, browser: Browser) -> bytes:
    """Return `content` so that `browser` alone can read it."""
    import http_ece  # only where somebody is pushed to

    encrypted: bytes = http_ece.encrypt(
        content,
        salt=os.urandom(16),
        private_key=ec.generate_private_key(CURVE),
        dh=decoded(browser.p256dh),
        auth_secret=decoded(browser.auth),
        version="aes128gcm",
    )
    return encrypted


def _signature(endpoint: str, key: Key, contact: str) -> dict[str, str] | None:
    """Return the headers that sign a message; None for an origin that has no name, which can't be signed for."""
    import py_vapid  # only where somebody is pushed to

    signer = py_vapid.Vapid02.from_raw(key.private.encode())
    signer.conf = {"no-strict": True}  # a host in a private network has a name without a dot
    url = urlsplit(endpoint)
    try:
        signed: dict[str, str] = signer.sign({"aud": f"{url.scheme}://{url.netloc}", "sub": contact})
    except py_vapid.VapidException:
        return None
    return signed


def _is_address(endpoint: str) -> bool:
    try:
        url = urlsplit(endpoint)
        named = bool(url.hostname) and not url.username and (url.port is None or url.port > 0)
    except ValueError:
        return False
    return (
        url.scheme in ("https", "http")
        and named
        and len(endpoint) <= ENDPOINT_MOST
        and endpoint.isascii()
        and endpoint.isprintable()
    )


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encoded(raw: bytes) -> str:
    """Return `raw` in base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return what `text` is in base64url, with or without padding. Raises ValueError."""
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
