"""`manage.py runserver`: pages, sockets and static files from one process that starts anew when code changes.

Django's own command speaks WSGI, which has no sockets; this one is Daphne's. It takes precedence by the order of
INSTALLED_APPS. Daphne itself is not among them: every worker would import Twisted then. `dashboard_project.server`
serves production.
"""

from typing import Any

from daphne.management.commands.runserver import Command as DaphneCommand
from django.conf import settings

from dashboard_project import static


class Command(DaphneCommand):
    help = "Serves pages and sockets while you develop, and starts anew when code changes."
    default_addr = settings.HOST
    default_port = str(settings.PORT)

    def inner_run(self, *args: Any, **options: Any) -> None:
        static.collect()  # without DEBUG, pages name static files as they are collected
        super().inner_run(*args, **options)
