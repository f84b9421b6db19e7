"""Folders whose files are run: what is in them is power, so nobody but their owner may write there."""

import stat
from pathlib import Path

from metrics.sources.base import SourceError


def check_private(file: Path) -> None:
    """Raise SourceError if everybody on this machine may change `file`, or what is in its folder."""
    for path in (file, file.parent):
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise SourceError(f"{path} can't be read ({error.strerror}).") from None
        if mode & stat.S_IWOTH:
            raise SourceError(f"Everybody may write to {path}, so nothing is run from it; chmod o-w takes that away.")
