#!/usr/bin/env python3
"""Watchfloor's command line. `manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"watchfloor: {error}")
    except DatabaseError:
        from dashboard_project import database

        if not (obstacle := database.obstacle()):
            raise
        sys.exit(f"watchfloor: {obstacle}")


if __name__ == "__main__":
    main()
