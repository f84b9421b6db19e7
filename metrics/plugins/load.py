"""Loading a file of somebody's own, and saying in which line of it something went wrong."""

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from metrics.plugins import declare
from metrics.plugins.declare import Declared

MESSAGE_MOST = 200


class TooLong(BaseException):
    """It took longer than it may. No Exception, because what catches those would go on."""


def load(file: Path) -> list[Declared]:
    """Run `file` and return what it declares. Raises whatever it raises."""
    sys.path.append(str(file.parent))  # last: a file that is called like a library must not take its place
    declare.declared.clear()
    module = ModuleType(f"plugin_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module
    exec(compile(file.read_bytes(), str(file), "exec"), module.__dict__)  # noqa: S102 -- its whole purpose
    return list(declare.declared)


def explain(error: BaseException, file: Path, line: int | None = None) -> str:
    """Return what went wrong and where: the last line in the folder of `file` that took part, else `line`."""
    kind = "" if isinstance(error, TooLong) else f"{type(error).__name__}: "
    said = (_text(error).splitlines() or [""])[0][:MESSAGE_MOST]
    if isinstance(error, SyntaxError):
        said = error.msg
    name, at = next(_places(error, file.parent), (file.name, line))
    where = f" ({name}, line {at})" if at else ""
    return f"{kind}{said}".rstrip(": ") + where


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # it may be anybody's class
        return ""


def _places(error: BaseException | None, folder: Path) -> Iterator[tuple[str, int | None]]:
    """Yield files and lines of `folder`, innermost first, of `error` and then of what led to it."""
    if error is None:
        return
    if isinstance(error, SyntaxError) and _is_in(error.filename, folder):
        yield os.path.basename(error.filename or ""), error.lineno
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if _is_in(frame.filename, folder):
            yield os.path.basename(frame.filename), frame.lineno
    yield from _places(error.__cause__ or error.__context__, folder)


def _is_in(filename: str | None, folder: Path) -> bool:
    return bool(filename) and Path(str(filename)).is_relative_to(folder)
