"""System checks of this installation, which `manage.py check --deploy` reports before an operator finds out."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from dashboard_project import addresses


@register(Tags.security, deploy=True)
def debug_pages(**_: Any) -> list[CheckMessage]:
    """Django's debug pages show settings and source to whoever causes an error."""
    if not settings.DEBUG or addresses.bare(settings.HOST) in addresses.LOOPBACK:
        return []
    hint = "Unset DEBUG."
    return [Error("DEBUG is on while the web process listens on a network.", hint=hint, id="watchfloor.E001")]


@register(Tags.security, deploy=True)
def unencrypted(**_: Any) -> list[CheckMessage]:
    """On a network, passwords should travel through a proxy that speaks TLS."""
    if addresses.bare(settings.HOST) in addresses.LOOPBACK or settings.BEHIND_TLS:
        return []
    return [
        Warning(
            f"HOST {settings.HOST} is open to a network and PUBLIC_URL is not https://: passwords can be overheard.",
            hint="Put a proxy that speaks TLS in front, and set PUBLIC_URL to its address.",
            id="watchfloor.W001",
        )
    ]


@register(Tags.database, deploy=True)
def database_is_shared(**_: Any) -> list[CheckMessage]:
    """A Redis elsewhere means more than one machine, and an SQLite file belongs to one."""
    on_sqlite = settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
    if not on_sqlite or settings.REDIS_URL.startswith("unix:"):
        return []
    return [
        Warning(
            "The database is an SQLite file, which other machines can't share, while Redis is on a network.",
            hint="Set DATABASE_URL to a PostgreSQL server, unless everything runs on this machine.",
            id="watchfloor.W003",
        )
    ]
