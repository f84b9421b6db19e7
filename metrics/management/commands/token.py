"""`manage.py token`: make or revoke a token for a program."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metrics.actions import access
from metrics.models import Token


class Command(BaseCommand):
    """Makes a token and prints it, and nothing else, on stdout."""

    help = "Make a token for a program and print it; it can't be shown again."
    requires_system_checks = ()  # they would import every page; `make check` runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="What the token is for, such as backup-job.")
        parser.add_argument("--scope", choices=Token.Scope.values, default=Token.Scope.PUSH.value)
        parser.add_argument("--revoke", action="store_true", help="Make the token of this name useless.")

    def handle(self, *args: Any, name: str, scope: str, revoke: bool, **options: Any) -> None:
        try:
            if revoke:
                access.revoke_token(name)
                self.stderr.write(f"The token {name!r} is revoked.")
            else:
                self.stdout.write(access.create_token(name, scope))
        except access.AccessError as error:
            raise CommandError(str(error)) from None
