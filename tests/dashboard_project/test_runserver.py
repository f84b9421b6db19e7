"""`manage.py runserver` is ours, and what it needs weighs on no other process."""

import subprocess
import sys

from django.conf import settings
from django.core.management import get_commands


def test_the_command_is_the_one_that_serves_sockets() -> None:
    assert get_commands()["runserver"] == "dashboard_project"


def test_a_worker_does_not_import_the_web_server() -> None:
    code = "import sys, dashboard_project.celery, django; django.setup(); print('daphne' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
