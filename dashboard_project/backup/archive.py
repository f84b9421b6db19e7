"""The file of a backup: a zip archive with a manifest, a member for each table, and the files of DATA_DIR.

| member | what |
|---|---|
| `manifest.json` | `Manifest`; written last, so that a file which has one is whole |
| `tables/<name>` | its rows, as `copytext` has them |
| `files/<path>` | a file of DATA_DIR |

Each member has a checksum of its own, a CRC-32, as the format prescribes.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self

from pydantic import BaseModel, ValidationError

from dashboard_project.backup.errors import BackupError
from dashboard_project.backup.schema import Migration

FORMAT = 1
BLOCK_BYTES = 1 << 20
LEVEL = 1
"""Of the compression: what is packed hardly shrinks, and rows shrink by most of it at once."""
MANIFEST, TABLES, FILES = "manifest.json", "tables/", "files/"


class Held(BaseModel):
    """A table in a backup: its columns, in the order in which rows have them, and how many rows there are."""

    columns: list[str]
    rows: int


class Manifest(BaseModel):
    """Description of a backup, stored in it.

    `version` of Watchfloor and `database` (postgresql or sqlite) are where it comes from, `at` is when it was made
    (ISO 8601), `key` a digest of SECRET_KEY, and `migrations` are those that its tables have had.
    """

    format: int
    version: str
    database: str
    at: str
    key: str
    migrations: list[Migration]
    tables: dict[str, Held]


class Writer:
    """Writes an archive to `file`, which need not be able to seek; `with Writer(file) as writer: …`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
        self.tables: dict[str, Held] = {}

    def table(self, name: str, columns: Iterable[str], lines: Iterable[bytes | memoryview]) -> None:
        """Write the rows of a table, a line each."""
        rows, waiting, size = 0, [], 0
        with self._zip.open(TABLES + name, "w", force_zip64=True) as member:
            for line in lines:
                rows += 1
                waiting.append(bytes(line))
                size += len(line)
                if size >= BLOCK_BYTES:
                    member.write(b"".join(waiting))
                    waiting, size = [], 0
            member.write(b"".join(waiting))
        self.tables[name] = Held(columns=list(columns), rows=rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError, ValueError) if error else nullcontext():
            self._zip.close()

    def file(self, path: PurePosixPath, content: bytes) -> None:
        self._zip.writestr(f"{FILES}{path}", content)

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, which makes the archive whole."""
        self._zip.writestr(MANIFEST, manifest.model_dump_json(indent=1))


class Reader:
    """An archive that is read. Raises BackupError if `path` is none, or of a later format."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
            self.manifest = Manifest.model_validate_json(self._zip.read(MANIFEST))
        except OSError as error:
            raise BackupError(f"{path} can't be read ({error.strerror}).") from None
        except (zipfile.BadZipFile, KeyError, ValidationError, zlib.error):
            raise BackupError(f"{path} is not a backup of Watchfloor, or was cut off.") from None
        if self.manifest.format > FORMAT:
            raise BackupError(f"{path} is from a newer version of Watchfloor ({self.manifest.version}).")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def check(self) -> None:
        """Read all of it. Raises BackupError if anything differs from what was written."""
        try:
            damaged = self._zip.testzip()
        except (zipfile.BadZipFile, zlib.error, EOFError):
            damaged = "its contents"
        missing = [name for name in self.manifest.tables if TABLES + name not in self._zip.namelist()]
        if damaged or missing:
            raise BackupError(f"{self._path} is damaged ({damaged or missing[0]}).")
        if any(path.is_absolute() or ".." in path.parts for path, _ in self.files()):
            raise BackupError(f"{self._path} is damaged (a file outside of DATA_DIR).")

    def table(self, name: str) -> IO[bytes]:
        """Return the lines of a table."""
        return self._zip.open(TABLES + name)

    def files(self) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield each file, with its path in DATA_DIR."""
        for name in self._zip.namelist():
            if name.startswith(FILES):
                yield PurePosixPath(name.removeprefix(FILES)), self._zip.read(name)


def text(member: IO[bytes]) -> Iterable[str]:
    """Return the lines of a member as text."""
    return io.TextIOWrapper(member, encoding="utf-8", newline="\n")
