"""Files that are at their place once they are whole, and never before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def part_of(path: Path) -> Path:
    """Return where the file that belongs at `path` is written."""
    return path.with_name(f".{path.name}.part")


@contextmanager
def part(path: Path) -> Iterator[IO[bytes]]:
    """Give a file for its owner alone, `part_of(path)`, which is on the disk in the end. Raises OSError."""
    with open(os.open(part_of(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        yield file
        file.flush()
        os.fsync(file.fileno())


def remove_part(path: Path) -> None:
    with suppress(OSError):
        part_of(path).unlink(missing_ok=True)


@contextmanager
def whole_or_none(path: Path) -> Iterator[IO[bytes]]:
    """Give a file for its owner alone, which is at `path` once all is written, and never before. Raises OSError."""
    try:
        with part(path) as file:
            yield file
        os.replace(part_of(path), path)
    finally:
        remove_part(path)
