"""`manage.py token`: makes and revokes the credentials of programs."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from metrics.access.principal import SYSTEM
from metrics.actions import teams, tokens
from metrics.actions.errors import Invalid, Missing
from metrics.models import Token


class Command(BaseCommand):
    """Makes a token and prints it, and nothing else, on stdout."""

    help = "Make a token for a program and print it; it can't be shown again."
    requires_system_checks = ()  # they would import every page; `make check` runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The purpose of the token, such as backup-job.")
        parser.add_argument("--scope", choices=Token.Scope.values, default=Token.Scope.PUSH.value)
        parser.add_argument("--team", action="append", default=[], help="Act for this team only; repeatable.")
        parser.add_argument("--days", type=int, help="Expire after so many days; without it, never.")
        parser.add_argument("--face", default="", help="An emoji that stands before its name in rooms.")
        parser.add_argument("--revoke", action="store_true", help="Make the token of this name useless.")

    def handle(
        self,
        *args: Any,
        name: str,
        scope: str,
        team: list[str],
        days: int | None,
        face: str,
        revoke: bool,
        **options: Any,
    ) -> None:
        try:
            if revoke:
                tokens.revoke(SYSTEM, name)
                self.stderr.write(f"The token {name!r} is revoked.")
            else:
                expires_at = None if days is None else timezone.now() + timedelta(days=days)
                self.stdout.write(tokens.create(SYSTEM, name, scope, teams.named(team, "team"), expires_at, face))
        except (Invalid, Missing, OverflowError) as error:
            raise CommandError(str(error)) from None
