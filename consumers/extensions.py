"""Consumers of one's own: the `websocket_urlpatterns` of the modules that EXTENSIONS names.

Each gets `scope["user"]`, `scope["session"]` and `scope["principal"]`. They are read from the database before the
consumer runs, as Channels' own middleware does. Our own consumers do without, and ask for many sockets at once.
Access is looked at again as for these.
"""

from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

from channels.auth import AuthMiddlewareStack
from django.core.exceptions import ImproperlyConfigured
from redis import RedisError

from consumers.access import asking_from, credential, holder, origin_allowed, ticket_holder
from consumers.codes import NO_ACCESS, TRY_LATER
from consumers.extension_sockets import ExtensionSocket
from consumers.holders import Credential
from consumers.hub import hub
from consumers.outlet import Send, close

PATTERNS = "websocket_urlpatterns"


def routes(extensions: Iterable[str]) -> list[Any]:
    """Return the routes of `extensions`: dotted names of modules, and folders of Python files.

    Raises ImproperlyConfigured for one that can't be loaded, or has no `websocket_urlpatterns`.
    """
    return [_identified(route) for extension in extensions for module in _modules(extension) for route in _of(module)]


def _modules(extension: str) -> Iterator[ModuleType]:
    folder = Path(extension).expanduser()
    if "/" not in extension:
        yield _loaded(extension, lambda: import_module(extension))
    elif not folder.is_dir():
        raise ImproperlyConfigured(f"EXTENSIONS: there is no folder {folder}.")
    else:
        for file in sorted(folder.glob("[!_]*.py")):
            yield _loaded(str(file), lambda file=file: _from_file(file))


def _loaded(name: str, load: Any) -> ModuleType:
    try:
        module: ModuleType = load()
    except Exception as error:
        raise ImproperlyConfigured(f"EXTENSIONS: {name} can't be loaded ({error!r}).") from error
    return module


def _from_file(file: Path) -> ModuleType:
    spec = spec_from_file_location(f"watchfloor_extension_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _of(module: ModuleType) -> list[Any]:
    try:
        return list(getattr(module, PATTERNS))
    except (AttributeError, TypeError):
        raise ImproperlyConfigured(f"EXTENSIONS: {module.__file__} has no list {PATTERNS}.") from None


def _identified(route: Any) -> Any:
    route.callback = AuthMiddlewareStack(_with_principal(route.callback))
    return route


def _with_principal(inner: Any) -> Any:
    """Return the ASGI application `inner`, with the principal in its scope; pages of others do not reach it."""

    async def application(scope: dict[str, Any], receive: Any, send: Send) -> None:
        ticket = parse_qs(scope["query_string"].decode("latin-1")).get("ticket")
        try:
            if ticket is None and not origin_allowed(scope):
                await _refuse(receive, send, NO_ACCESS)
                return
            who = await _credential(scope, ticket)
        except RedisError:
            await _refuse(receive, send, TRY_LATER)
            return
        held = await holder(who)
        scope["principal"] = by = asking_from(scope, held.by)
        scope["access"] = socket = ExtensionSocket(send, who, held._replace(by=by))
        with hub().guarding(socket):
            await inner(scope, receive, socket.send)

    return application


async def _credential(scope: dict[str, Any], ticket: list[str] | None) -> Credential:
    return await ticket_holder(ticket[-1], scope["path"]) if ticket else credential(scope)


async def _refuse(receive: Any, send: Send, code: int) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await close(send, code)
