"""Limits of a process in which code of others connects where a config says: addresses, programs and files.

Python tells an audit hook (PEP 578) of each connection, process and file before there is one, and it can't be taken
back: so this is only for a process that does nothing else and ends soon.
"""

import os
import socket
import sys
from ipaddress import ip_address
from typing import Any

from metrics.sources import network_policy
from metrics.sources.addresses import kind_of

RUNNING = {
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"),
    *("syslog.syslog", "syslog.openlog", "ctypes.dlopen"),
}
WRITING = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "shutil.rmtree"}
READABLE = tuple(
    f"{os.path.realpath(one)}{os.sep}"
    for one in {sys.prefix, sys.base_prefix, *sys.path[1:], "/etc/ssl", "/etc/pki", "/usr/share", "/usr/lib"}
    if one
)
FILES = {"/dev/null", "/dev/urandom", "/etc/mime.types", "/etc/hosts", "/etc/resolv.conf", "/etc/localtime"}


class Refused(OSError):
    """Something that the process may not do; the text is a sentence."""


def confine() -> list[str]:
    """Have this process connect only where `network_policy` lets it, and start and read nothing else.

    Return the list into which goes a sentence for all that is refused.
    """
    refusals: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        said = _why_not(event, arguments)
        if said:
            refusals.append(said)
            raise Refused(said)

    allowed = network_policy.allowed_kinds()

    def _why_not(event: str, arguments: tuple[Any, ...]) -> str:
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            return _address(arguments[0], arguments[1], allowed)
        if event in RUNNING:
            return "A channel that no administrator made may not use programs of this machine."
        if event in WRITING or (event == "open" and not _is_readable(arguments)):
            return "A channel that no administrator made may not use files of this machine."
        return ""

    sys.addaudithook(hook)
    return refusals


def _address(opened: Any, address: Any, allowed: frozenset[str]) -> str:
    """Return why nothing may be sent to `address`; a name can't be checked, and is never connected to."""
    if address is None:
        return ""
    if getattr(opened, "family", None) not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        return "A channel that no administrator made may not use sockets of this machine."
    host = str(address[0]).partition("%")[0]
    try:
        ip_address(host)
    except ValueError:
        return f"{host[:100]} is connected to without being looked up, which can't be checked."
    kind = kind_of(host)
    if kind in allowed:
        return ""
    return f"The address {host} is {kind}; only what an administrator set up may connect there."


def _is_readable(arguments: tuple[Any, ...]) -> bool:
    path, mode, flags = (*arguments, None, None, None)[:3]
    if isinstance(path, int):
        return True
    writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
    writes = writes or (isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)))
    real = os.path.realpath(os.fsdecode(path))
    return (not writes and (real.startswith(READABLE) or real in FILES)) or real == "/dev/null"
