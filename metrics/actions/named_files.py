"""Files that say by what stands in them which thing they are: rules, channels, schedules, escalations."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from metrics import yaml
from metrics.actions.dashboard_files import ENDING
from metrics.actions.errors import Errors, Invalid, sentences

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
M = TypeVar("M", bound=BaseModel)
WHOLE_MOST = 1e15


@dataclass(frozen=True, slots=True)
class File(Generic[M]):
    """A file as it was read: what it says (`document`), and the thing that this is (`spec`)."""

    document: yaml.Document
    spec: M


def path(folder: str, name: str) -> str:
    """Return how the file `name` is called in sentences."""
    return f"{folder}/{name}{ENDING}"


def read(path: str, text: str, parse: Callable[[Any], T]) -> tuple[yaml.Document, T]:
    """Return the file at `path` as a document, and what `parse` makes of that.

    Raises Invalid with all that is wrong, each with its line.
    """
    try:
        document = yaml.read(text)
    except yaml.BadYaml as problem:
        said = f"line {problem.line}: {problem}" if problem.line else str(problem)
        raise Invalid("", f"{path}: {said}") from None
    with located(path, document):
        return document, parse(document.value)


def file(folder: str, name: str, text: str, parse: Callable[[Any], M]) -> File[M]:
    """Return the file `name` of a folder, of which `parse` makes the thing. Raises Invalid, as `read` does."""
    document, spec = read(path(folder, name), text, parse)
    return File(document, spec)


def parsed(model: type[M], value: Any, noun: str, names: str) -> M:
    """Return the `model` that the value of a file is, a `noun` that has `names`. Raises Invalid."""
    if not isinstance(value, dict):
        raise Invalid("", f"It is no {noun}: that begins with names, such as {names}.")
    try:
        return model.model_validate(value)
    except ValidationError as problem:
        first, *others = sentences(problem, "")
        raise Invalid(*first, *others) from None


@contextmanager
def prefixed(path: str) -> Iterator[None]:
    """Have sentences of Invalid begin with the file that they are about, of which no line is known any more."""
    try:
        yield
    except Invalid as problem:
        first, *others = ((where, f"{path}: {said}") for where, said in problem.all)
        raise Invalid(*first, *others) from None


@contextmanager
def located(path: str, document: yaml.Document) -> Iterator[None]:
    """Have sentences of Invalid begin with the file and the line that they are about."""
    try:
        yield
    except Invalid as problem:
        first, *others = (
            (where, f"{path}: line {document.line(where.split('.'))}: {said}") for where, said in problem.all
        )
        raise Invalid(*first, *others) from None


def by_thing(
    folder: str, files: Mapping[str, str], read: Callable[[str, str], T], thing: Callable[[T], K]
) -> dict[K, tuple[str, T]]:
    """Return name and content of each of `files` by the thing that it is of. Raises Invalid with all that is wrong."""
    errors, found = Errors(), dict[K, tuple[str, T]]()
    for name, text in sorted(files.items()):
        with errors:
            file = read(name, text)
            of = thing(file)
            if of in found:
                said = f"{path(folder, name)}: {path(folder, found[of][0])} is of {str(of)!r}, too."
                raise Invalid("name", said)
            found[of] = name, file
    errors.check()
    return found


def text_after(
    document: yaml.Document, was: Mapping[str, Any], now: Mapping[str, Any], short: Mapping[str, Any]
) -> str:
    """Return the text of `document`, changed so that what `was` is `now`; comments and what did not change stay.

    `short` is `now` without what has its default.
    """
    if was == now:
        return document.text
    raw: Mapping[str, Any] = document.value
    return document.changed(
        {
            name: raw[name] if name in raw and was.get(name) == now[name] else short[name]
            for name in now
            if name in short or (name in raw and was.get(name) == now[name])
        }
    )


def as_written(value: Any) -> Any:
    """Return `value` with numbers as people write them: 90, and not 90.0."""
    if isinstance(value, Mapping):
        return {name: as_written(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_written(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE_MOST else value
