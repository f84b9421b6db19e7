"""Names that lead where a test wants them to: what a name server that somebody else runs may answer."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

Answers = Callable[[], list[str]]


def lead(monkeypatch: pytest.MonkeyPatch, **names: Answers | list[str]) -> None:
    """Have `name.test` lead to the given addresses, and others of .test nowhere; the rest is looked up as ever."""
    ask = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(host, str) or not host.endswith(".test"):
            return ask(host, port, *args, **kwargs)
        name = host.removesuffix(".test")
        if name not in names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = names[name]
        addresses = answers() if callable(answers) else answers
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
