"""Where the web process listens, and how to reach it from this machine."""

import socket

ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def bare(host: str) -> str:
    """Return `host` without the brackets that an IPv6 address may be written with."""
    return host.strip("[]")


def url_of(host: str, port: int) -> str:
    """Return the base URL that reaches, from this machine, what listens on `host`."""
    address = ANY.get(bare(host), bare(host))
    return f"http://{f'[{address}]' if ':' in address else address}:{port}"


def show(host: str, port: int) -> str:
    """Return the base URL to show to someone who sits at this machine."""
    nearby = bare(host) in ANY or bare(host) in LOOPBACK
    return f"http://localhost:{port}" if nearby else url_of(host, port)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that has `host`:`port` and may listen there. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        bare(host) or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
