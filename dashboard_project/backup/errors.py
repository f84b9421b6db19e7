"""Errors that keep a backup from being made or restored."""

from dashboard_project import local_redis


class BackupError(Exception):
    """Says in one sentence what is wrong; nothing was changed, unless it says so."""


def reason(error: Exception) -> str:
    """Return what the disk or the database refused, without a full stop."""
    if isinstance(error, OSError):
        said = error.strerror or str(error)
        return f"{error.filename}: {said}" if error.filename else said
    return local_redis.reason(error)
