"""`python -m dashboard_project.prepare`: brings database and static files up to date, and ends.

It answers on a socket that it inherits, one JSON object a line: what the settings say of running, and once it is told
to go on, how to sign in. An obstacle to the start is an answer too, in one sentence. `dashboard_project.preparation`
asks.
"""

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

import django
from django.conf import settings
from django.core.checks import Tags
from django.core.checks.registry import registry
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DatabaseError, connections

from dashboard_project import addresses, database, local_redis, static
from dashboard_project.preparation import FD, GO, CannotStartError, Facts

REDIS_STARTS_S = 10.0
REDIS_ANSWERS_S = 5.0


def main(line: socket.socket) -> None:
    """Answer until everything is prepared, or something prevents it."""
    with line, line.makefile("r") as words:
        for answer in answers():
            line.sendall(f"{json.dumps(answer)}\n".encode())
            if "sign_in" in answer or words.readline().strip() != GO:
                return


def answers() -> Iterator[dict[str, object]]:
    """Yield what there is to say, each when it is asked for."""
    try:
        django.setup()
        yield asdict(facts())
        local_redis.wait_for(settings.REDIS_URL, REDIS_STARTS_S if settings.REDIS_IS_LOCAL else REDIS_ANSWERS_S)
        yield {"sign_in": prepare()}
    except (CannotStartError, ImproperlyConfigured, CommandError, local_redis.NoRedisError) as error:
        yield {"refused": str(error)}


def facts() -> Facts:
    return Facts(
        data_dir=str(settings.DATA_DIR),
        host=settings.HOST,
        port=settings.PORT,
        base_url=settings.PUBLIC_URL.rstrip("/") or addresses.show(settings.HOST, settings.PORT),
        asked_url=addresses.url_of(settings.HOST, settings.PORT),
        local_redis=str(settings.LOCAL_REDIS_SOCKET) if settings.REDIS_IS_LOCAL else "",
        statsd=bool(settings.STATSD_PORT),
    )


def prepare() -> str:
    """Check what Django can check, bring the database and the static files up to date; return how to sign in."""
    from metrics.actions.bootstrap import bootstrap

    try:
        database.ask()
        # Those of URLs and of the admin import every page, which takes longer than all else here. They look at nothing
        # that differs between installations, and `make check` runs them.
        BaseCommand().check(tags=sorted(registry.tags_available() - {Tags.admin, Tags.urls}))  # the workers do not
        if database.unapplied():  # or else it takes a second to find that there is nothing to do
            call_command("migrate", interactive=False, verbosity=0)
        static.collect()
        if settings.PLUGINS_DIR.parent == settings.DATA_DIR:  # one that was chosen is there, or comes later
            settings.PLUGINS_DIR.mkdir(exist_ok=True)
        return bootstrap()
    except (DatabaseError, database.driver_error()) as error:  # called only if there is one
        raise CannotStartError(database.refusal(error)) from None
    except OSError as error:
        raise CannotStartError(f"{error.filename} can't be written ({error.strerror or error}).") from None
    finally:
        connections.close_all()


if __name__ == "__main__":
    main(socket.socket(fileno=int(os.environ.pop(FD))))
