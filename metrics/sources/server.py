"""Config that all kinds share that talk to a server: its address, and the credentials."""

import socket
from typing import Literal

from pydantic import Field, SecretStr

from metrics.sample import LABEL_VALUE_MOST
from metrics.sources import network_policy, tls
from metrics.sources.base import SourceConfig, SourceError
from metrics.sources.deadline import Deadline
from metrics.sources.network_policy import Forbidden, Unreachable

HOST = r"^[^\s,\x00]*$"
TIMEOUT_MOST_S = 25


class ServerConfig(SourceConfig):
    """A server, and how to sign in to it."""

    host: str = Field(
        min_length=1,
        max_length=255,
        pattern=HOST,
        description="Name or address of the server; or the path of its socket, for administrators.",
    )
    port: int | None = Field(default=None, ge=1, le=65535, description="Port of the server; else the usual one.")
    user: str = Field(default="", max_length=100, description="User to sign in as.")
    password: SecretStr = Field(default=SecretStr(""), max_length=500, description="Password of the user.")
    tls: Literal["off", "on", "verify"] = Field(
        default="off", description="Whether to encrypt, and whether the certificate has to be valid for the host."
    )
    timeout_s: float = Field(default=10, gt=0, le=TIMEOUT_MOST_S, description="Seconds for a whole run.")

    @property
    def is_socket(self) -> bool:
        return self.host.startswith("/")


class NamedServerConfig(ServerConfig):
    """A server whose samples say which one it is."""

    name: str = Field(default="", max_length=100, description="Value of the label server; else host and port.")

    def label(self, usual_port: int) -> str:
        """Return what tells this server from others, as the value of a label."""
        address = self.host if self.is_socket else f"{self.host}:{self.port or usual_port}"
        return self.name or address[-LABEL_VALUE_MOST:]


def require_freedom(what: str) -> None:
    """Raise Forbidden in a run for somebody who is not an administrator; `what` begins the sentence."""
    if network_policy.is_limited():
        raise Forbidden(f"{what} of this machine are only for sources made by administrators.")


def open_socket(config: ServerConfig, usual_port: int, deadline: Deadline) -> socket.socket:
    """Return a connection to the server, watched by `deadline`; not encrypted yet. Raises SourceError."""
    if deadline.passed:  # libraries try again, and again
        raise SourceError("There was no time left to connect.")
    if config.is_socket:
        opened = _open_unix(config.host, deadline)
    else:
        opened = network_policy.connect(config.host, config.port or usual_port, deadline.left_s)
    deadline.watch(opened.fileno())
    return opened


def encrypt(opened: socket.socket, config: ServerConfig) -> socket.socket:
    """Return `opened`, encrypted if the config says so. Raises OSError."""
    if config.tls == "off" or config.is_socket:
        return opened
    return tls.context(config.tls == "verify").wrap_socket(opened, server_hostname=config.host)


def sentence(who: str, error: Exception) -> str:
    """Return what `who` said, its first line, as a sentence."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return f"{who}: {said.rstrip('.')}."


def _open_unix(path: str, deadline: Deadline) -> socket.socket:
    require_freedom("Sockets")
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    opened.settimeout(deadline.left_s)
    try:
        opened.connect(path)
    except OSError as error:
        opened.close()
        raise Unreachable(f"{path} does not open ({error.strerror or error}).") from None
    return opened
