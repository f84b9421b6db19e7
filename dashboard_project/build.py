"""The files that a page is made of: their digest is the name of the build, so that open pages notice an upgrade."""

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = tuple(ROOT / name for name in ("templates", "static", "metrics", "consumers"))
SUFFIXES = (".html", ".css", ".js", ".py")


def files() -> list[str]:
    """Return the paths of all of them, in order."""
    return sorted(
        os.path.join(folder, name)
        for top in FOLDERS
        for folder, _, names in os.walk(top)
        for name in names
        if name.endswith(SUFFIXES)
    )


def name() -> str:
    """Return the name of this build."""
    digest = hashlib.sha256()
    for file in files():
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:12]


def stamp() -> str:
    """Return a digest of which files there are, and when they changed: cheaper than to read them."""
    digest = hashlib.sha256()
    for file in files():
        digest.update(f"{file}\0{changed_ns(file)}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def changed_ns(path: str) -> int:
    """Return when a file changed, 0 if there is none."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
