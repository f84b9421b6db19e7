"""Errors that keep a backup from being made or restored."""


class BackupError(Exception):
    """Says in one sentence what is wrong; nothing was changed."""
