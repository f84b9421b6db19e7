"""`manage.py changepassword`: Django's own, and an entry of the audit log.

The entry follows the change at once, and is not of its transaction: nobody else could write while somebody types.
"""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.models import User
from django.db import transaction

from metrics.access.principal import SYSTEM
from metrics.actions import account


class Command(changepassword.Command):
    """Sets the password of a user."""

    def handle(self, *args: Any, **options: Any) -> Any:
        name = options["username"] or getpass.getuser()  # as Django has it
        said = super().handle(*args, **{**options, "username": name})
        with transaction.atomic():
            account.password_changed(SYSTEM, User.objects.get(username=name))
        return said
