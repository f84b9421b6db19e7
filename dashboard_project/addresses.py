"""Where the web process listens, and how to reach it from this machine."""

import socket

ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def bare(host: str) -> str:
    """Return `host` without the brackets that an IPv6 address may be written with."""
    return host.strip("[]")


def reach(host: str, port: int) -> str:
    """Return the base URL that reaches, from this machine, what listens on `host`."""
    address = ANY.get(bare(host), bare(host))
    return f"http://{f'[{address}]' if ':' in address else address}:{port}"


def show(host: str, port: int) -> str:
    """Return the base URL to show to someone who sits at this machine."""
    nearby = bare(host) in ANY or bare(host) in LOOPBACK
    return f"http://localhost:{port}" if nearby else reach(host, port)


def endpoint(host: str, port: int, backlog: int) -> str:
    """Return Twisted's description of the listener, in which colons are escaped."""
    interface = bare(host).replace(":", r"\:")
    return f"tcp:port={port}:interface={interface}:backlog={backlog}"


def why_not_free(host: str, port: int) -> str | None:
    """Return why `host`:`port` can't be listened on, or None when it can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            bare(host) or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None
