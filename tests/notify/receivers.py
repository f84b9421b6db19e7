"""Receivers of messages for the tests: web servers and mail servers that keep what arrives."""

import email
import email.policy
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from tests.sources.web import Handler, answering, serving


@dataclass
class Hook:
    """A web server at `url`, with the paths, headers and bodies that it was sent."""

    url: str = ""
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def hook(
    status: int = 200,
    tls: ssl.SSLContext | None = None,
    before: Callable[[], object] = lambda: None,
    **headers: str,
) -> Iterator[Hook]:
    """Answer each request with `status`, or hang (/hang), drip (/drip), or whatever the path names (/503).

    `before` runs before each answer.
    """
    found = Hook()

    def answer(handler: Handler) -> None:
        sent = {name.lower(): value for name, value in handler.headers.items()}
        found.got.append((handler.path, sent, handler.sent()))
        before()
        if handler.path == "/hang":
            handler.over.wait(60)
        elif handler.path == "/drip":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not handler.over.wait(0.2):
                handler.wfile.write(b"X-Drop: 1\r\n")
        elif handler.path[1:].isdigit():
            handler.answer(int(handler.path[1:]), b"", **headers)
        else:
            handler.answer(status, b"", **headers)

    with serving(answering(answer), tls) as url:
        found.url = url
        yield found


@dataclass
class Letters:
    """A mail server at `port`, with the mails that it took; it refuses the addresses in `refused` with their codes."""

    port: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    said: str = "250 taken"
    got: list[EmailMessage] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.said.startswith("250"):
            assert isinstance(envelope.content, bytes)
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.got.append(mail)
            self.to.append(list(envelope.rcpt_tos))
        return self.said

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.users.append(data.login.decode())
        return AuthResult(success=data.password == b"right", handled=False)


class _Controller(Controller):
    """One that finds a free port, and speaks TLS where it is to."""

    def __init__(self, letters: Letters, starttls: ssl.SSLContext | None, tls: ssl.SSLContext | None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        super().__init__(letters, hostname="127.0.0.1", port=port, ssl_context=tls)
        self._starttls = starttls
        self._letters = letters

    def factory(self) -> SMTP:
        return SMTP(
            self.handler,
            tls_context=self._starttls,
            require_starttls=self._starttls is not None,
            authenticator=self._letters.authenticate,
            auth_require_tls=self._starttls is not None,
        )


@contextmanager
def letters(starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Letters]:
    """Take mail until the end of the block."""
    found = Letters()
    controller = _Controller(found, starttls, tls)
    found.port = controller.port
    controller.start()
    try:
        yield found
    finally:
        controller.stop()
