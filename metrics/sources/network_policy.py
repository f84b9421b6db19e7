"""Where a collector may connect to. Every connection that a config can direct somewhere is made through this module.

Inside `limited()`, which is put around sources of people who are not administrators, a name is refused if any of its
addresses is not public, unless it is private and the setting ALLOW_PRIVATE_ADDRESSES says so. The connection then goes
to the address that was checked, never to the name once more: a second lookup could answer otherwise.
"""

import asyncio
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from typing import Any

import httpcore
import httpx
from django.conf import settings

from metrics.sources import lookup, tls
from metrics.sources.addresses import PRIVATE, kind_of
from metrics.sources.base import SourceError

if "sniffio" not in sys.modules and find_spec("sniffio") is None:
    # httpcore looks for it up to six times a request, and Python then in every folder: an eighth of the request's time.
    sys.modules["sniffio"] = None  # type: ignore[assignment]  # Python's own way to say that there is none

_allowed: ContextVar[frozenset[str] | None] = ContextVar("kinds of addresses that are allowed", default=None)


class Forbidden(SourceError):
    """The source may not connect there, whoever may be there."""


class Unreachable(SourceError):
    """Nobody was found, or nobody opened."""


@contextmanager
def limited() -> Iterator[None]:
    """Allow only addresses that people who are not administrators may have requested. Threads do not inherit it."""
    token = _allowed.set(allowed_kinds())
    try:
        yield
    finally:
        _allowed.reset(token)


def is_limited() -> bool:
    """Return whether this runs inside `limited()`: files, sockets and commands of this machine are out of bounds."""
    return _allowed.get() is not None


def allowed_kinds() -> frozenset[str]:
    """Return the kinds of addresses (`metrics.sources.addresses`) that `limited()` allows; "" are public ones."""
    return frozenset({"", PRIVATE} if settings.ALLOW_PRIVATE_ADDRESSES else {""})


def resolve(host: str, timeout_s: float) -> list[str]:
    """Return the addresses of `host`, best first, at least one. Raises Forbidden and Unreachable."""
    with _errors_as_sentences(host, timeout_s):
        return _checked(host, lookup.start(host).result(timeout_s))


async def resolve_async(host: str, timeout_s: float) -> list[str]:
    """Do what `resolve` does without blocking the event loop."""
    with _errors_as_sentences(host, timeout_s):
        async with asyncio.timeout(timeout_s):
            return _checked(host, await asyncio.wrap_future(lookup.start(host)))


@contextmanager
def _errors_as_sentences(host: str, timeout_s: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Unreachable(f"The name {host} could not be looked up within {timeout_s:g} s.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Unreachable(f"The name {host} can't be looked up ({reason}).") from None


def _checked(host: str, addresses: list[str]) -> list[str]:
    allowed = _allowed.get()
    if allowed is None:
        return addresses
    for kind in map(kind_of, addresses):
        if kind not in allowed:
            raise Forbidden(f"The address of {host} is {kind}; only what an administrator set up may connect there.")
    return addresses


def connect(host: str, port: int, timeout_s: float) -> socket.socket:
    """Return a TCP connection whose reads and writes wait for what is left of `timeout_s`, each.

    Raises Forbidden and Unreachable.
    """
    until = time.monotonic() + timeout_s
    problem: OSError | None = None
    addresses = resolve(host, timeout_s)
    for position, address in enumerate(addresses):
        try:
            opened = socket.create_connection((address, port), _share(until, len(addresses) - position))
        except OSError as error:
            problem = error
        else:
            opened.settimeout(_share(until, 1))
            return opened
    reason = "it took too long" if isinstance(problem, TimeoutError) else getattr(problem, "strerror", "") or problem
    raise Unreachable(f"{host} port {port} does not open ({reason}).")


def _share(until: float, among: int) -> float:
    """Return the seconds that the first of `among` attempts may take, so that the others get their turn."""
    return max(0.001, until - time.monotonic()) / among


class _Network(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses; says through `on_lookup` how many seconds each lookup took."""

    def __init__(self, timeout_s: float, on_lookup: Callable[[float], None]) -> None:
        self._timeout_s, self._on_lookup = timeout_s, on_lookup
        self._system = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if not 0 < port < 65536:  # what the system says of that is no error of connecting
            raise httpcore.ConnectError(f"there is no port {port}")
        began = time.monotonic()
        until = began + min(timeout or self._timeout_s, self._timeout_s)
        try:
            addresses = await resolve_async(host, until - began)
        finally:
            self._on_lookup(time.monotonic() - began)
        problem: Exception = httpcore.ConnectError("no address")
        for position, address in enumerate(addresses):
            share_s = _share(until, len(addresses) - position)
            try:
                return await self._system.connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("no sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's own, on a pool that opens its connections through `_Network`."""

    def __init__(self, verify: bool, network: _Network) -> None:
        context = tls.context(verify)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(ssl_context=context, network_backend=network)


def client(
    timeout_s: float, *, verify: bool = True, on_lookup: Callable[[float], None] = lambda _: None, **kwargs: Any
) -> httpx.AsyncClient:
    """Return a client whose connections, redirected ones too, go to checked addresses only, and through no proxy.

    `timeout_s` bounds each lookup, connect, read and write; for all of them together, put asyncio.timeout around.
    Beside httpx's own exceptions it raises Forbidden and Unreachable. The other arguments are httpx.AsyncClient's.
    """
    transport = _Transport(verify, _Network(timeout_s, on_lookup))
    return httpx.AsyncClient(transport=transport, timeout=timeout_s, trust_env=False, **kwargs)
