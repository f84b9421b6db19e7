"""The files in PLUGINS_DIR: which count, and how to tell that one was changed."""

from pathlib import Path

Version = tuple[tuple[str, int, int, int], ...]
"""Of a file and of all it may import from its folder: name, inode, time of the last change in nanoseconds, size."""


def files(folder: Path) -> list[Path]:
    """Return the files that may declare metrics. Those that begin with an underscore are for others to import."""
    try:
        return sorted(file for file in folder.glob("[!_.]*.py") if file.stem.isidentifier() and file.is_file())
    except OSError:
        return []


def version(file: Path) -> Version:
    """Return what changes when `file`, or one beside it that begins with an underscore, does. Raises OSError."""
    beside = (helper for helper in sorted(file.parent.glob("_*.py")) if helper.is_file())
    return tuple(
        (one.name, status.st_ino, status.st_mtime_ns, status.st_size)
        for one in (file, *beside)
        if (status := one.stat())
    )
