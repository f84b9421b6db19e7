"""Collecting static files, when there is something to collect."""

import hashlib
from importlib import metadata
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from dashboard_project import storage

MADE_OF = ".made-of"
NOT_SERVED = ["*.map", "redoc*"]
"""Of libraries: what is for their authors, and a page of the API that we don't have. Both are large."""


def collect() -> bool:
    """Bring STATIC_ROOT up to date; return whether anything had to be done. Raises OSError if it can't be written.

    Hashing and compressing takes longer than everything else in a start, so what was made of the same files
    by the same program is left as it is.
    """
    root = Path(settings.STATIC_ROOT)
    stamp, made_of = root / MADE_OF, digest()
    if stamp.is_file() and stamp.read_text() == made_of:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=NOT_SERVED)
    stamp.write_text(made_of)
    return True


def digest() -> str:
    """Return a digest of every file that is collected, and of what makes it into what is served."""
    found = hashlib.sha256(Path(storage.__file__).read_bytes())
    for library in ("django", "whitenoise"):
        found.update(metadata.version(library).encode())
    for finder in get_finders():
        for path, files in finder.list(NOT_SERVED):
            with files.open(path) as file:
                found.update(path.encode() + b"\0" + file.read())
    return found.hexdigest()
