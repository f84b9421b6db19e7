"""`manage.py createsuperuser`: Django's own, and an entry of the audit log.

The entry follows the change at once, and is not of its transaction: nobody else could write while somebody types.
"""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.contrib.auth.models import User
from django.db import transaction

from metrics.actions import account


class Command(createsuperuser.Command):
    """Makes an administrator."""

    def handle(self, *args: Any, **options: Any) -> None:
        before = set(User.objects.filter(is_superuser=True).values_list("pk", flat=True))
        super().handle(*args, **options)
        with transaction.atomic():
            for made in User.objects.filter(is_superuser=True).exclude(pk__in=before):
                account.made_by_command(made)
