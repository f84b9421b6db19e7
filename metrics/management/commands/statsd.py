"""`manage.py statsd`: listen for StatsD's readings over UDP."""

import signal
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from metrics.actions.statsd import store
from metrics.management.statsd import Receiver, Writer, listening

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Takes StatsD's readings over UDP until SIGTERM or SIGINT, and stores what they amount to every 10 s."""

    help = "Listen on STATSD_PORT for StatsD's readings, until it is stopped."
    requires_system_checks = ()  # they would import every page; `make check` runs them

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = settings.STATSD_HOST, settings.STATSD_PORT
        if not port:
            raise CommandError("STATSD_PORT is not set, so there is nothing to listen on.")
        try:
            receiving = listening(host, port)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise CommandError(f"UDP port {port} on {host} can't be listened on ({reason}).") from None
        with receiving:
            writer = Writer(store)
            receiver = Receiver(receiving, writer.put)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: receiver.stop())
            log.info("listening for StatsD", host=host, port=port)
            receiver.run()
            writer.close()
