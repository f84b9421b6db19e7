"""Daphne's server with the parts replaced that fit."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from daphne.server import Server

from consumers.outlet import EXTENSION
from dashboard_project.daphne_extensions import parts
from dashboard_project.daphne_extensions.parts import Part

FORWARDED = {"address": "X-Forwarded-For", "port": "X-Forwarded-Port", "proto": "X-Forwarded-Proto"}


class ExtendedServer(Server):
    """Daphne's server. Requests have `request_seconds` to arrive, and `request_bytes` for their bodies.

    A file for a room has `upload_bytes`. `behind_proxy` is whether to believe what trusted proxies say of addresses.
    `ready` is called before it accepts connections. All other options are Daphne's.
    """

    def __init__(
        self,
        *,
        request_seconds: float,
        request_bytes: int,
        upload_bytes: int,
        behind_proxy: bool,
        ready: Callable[[], None],
        **options: Any,
    ) -> None:
        super().__init__(ready_callable=self._extend_and_go_on, **options)
        self.request_seconds = request_seconds
        self.request_bytes = request_bytes
        self.upload_bytes = upload_bytes
        self._behind_proxy = behind_proxy
        self._ready = ready
        self._modules: dict[str, ModuleType] = {}

    def _extend_and_go_on(self) -> None:
        self.extend(parts.usable(_failure))
        self._ready()

    def extend(self, chosen: Sequence[Part]) -> None:
        """Replace these parts, in what the server has made its factories."""
        self._modules = {part.name: part.module() for part in chosen}
        bases = [module.Socket for module in reversed(self._modules.values()) if hasattr(module, "Socket")]
        if bases:
            self.ws_factory.protocol = type("Socket", (*bases, self.ws_factory.protocol), {})
        for module in self._modules.values():
            if hasattr(module, "extend"):
                module.extend(self)
        if self._behind_proxy and "http_limits" in self._modules:  # which tells proxies from whoever says to be one
            for name, header in FORWARDED.items():
                setattr(self, f"proxy_forwarded_{name}_header", header)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Do as Daphne does; for a socket, with prepared frames on offer, and a queue that weighs less."""
        if scope["type"] != "websocket":
            return super().create_application(protocol, scope)
        if prepared_frames := self._modules.get("prepared_frames"):
            scope["extensions"] = {EXTENSION: prepared_frames.PreparedWriter(protocol)}
        if socket_memory := self._modules.get("socket_memory"):
            return socket_memory.create_application(self, protocol, scope)
        return super().create_application(protocol, scope)


def _failure(chosen: Sequence[Part]) -> str:
    """Return in what these parts fail; nothing if all is well."""
    try:
        from dashboard_project.daphne_extensions import self_test  # not above: it is a client of this server

        self_test.run(chosen)
    except Exception as error:  # whatever comes of a release of a library that is not as the last one
        return f"{type(error).__name__}: {error}"
    return ""
