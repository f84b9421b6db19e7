"""Looking a name up with a time limit.

The system's own way (getaddrinfo: `/etc/hosts`, the name servers, whatever else is configured) can't be interrupted
and may take half a minute. So each lookup has a thread that nobody has to wait for, not even the end of the process;
and whoever asks for a name that is being looked up waits for the lookup that is under way.
"""

import socket
import threading
from concurrent.futures import Future

UNDER_WAY_MOST = 64

_lock = threading.Lock()
_under_way: dict[str, Future[list[str]]] = {}


class TooMany(OSError):
    """Too many lookups hang."""


def start(host: str) -> Future[list[str]]:
    """Return what will be the addresses of `host`, best first, or OSError or UnicodeError. Raises TooMany."""
    with _lock:
        if host in _under_way:
            return _under_way[host]
        if len(_under_way) >= UNDER_WAY_MOST:
            raise TooMany("too many names are being looked up")
        future: Future[list[str]] = Future()
        future.set_running_or_notify_cancel()  # who gives up must not take it from the others
        _under_way[host] = future
    threading.Thread(target=_look_up, args=(host, future), name=f"lookup {host}", daemon=True).start()
    return future


def _look_up(host: str, future: Future[list[str]]) -> None:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        outcome, problem = list(dict.fromkeys(str(entry[4][0]) for entry in found)), None
    except Exception as error:
        outcome, problem = [], error
    with _lock:
        del _under_way[host]
    if problem:
        future.set_exception(problem)
    else:
        future.set_result(outcome)
