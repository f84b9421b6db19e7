"""Credentials that a file names instead of having them: a variable of the environment, or another file.

`{env: NAME}` and `{file: PATH}` stand for a text; `{kept: true}` for the credential that is stored already.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metrics.actions.errors import Invalid

KEPT = {"kept": True}
FORMS = "{env: NAME}, {file: PATH} or {kept: true}"
INNER_FORMS = "{env: NAME} or {file: PATH}"
"""Those of one value of several, which are kept together, or not at all."""
SIZE_MOST = 64 * 1024


def resolved(value: Any, where: str, forms: str = FORMS) -> Any:
    """Return `value` of the field `where` with the texts that its references, of these `forms`, stand for.

    Raises Invalid for a reference to what can't be read, and for a credential that is written itself.
    """
    if isinstance(value, Mapping) and len(value) == 1:
        ((kind, name),) = value.items()
        if kind == "env" and isinstance(name, str):
            return _of_environment(name, where)
        if kind == "file" and isinstance(name, str):
            return _of_file(name, where)
    if isinstance(value, Mapping) and value != KEPT:
        return {name: resolved(one, f"{where}.{name}", INNER_FORMS) for name, one in value.items()}
    raise Invalid(where, f"{where}: a credential is not written here, but named: {forms}.")


def _of_environment(name: str, where: str) -> str:
    found = os.environ.get(name, "").strip()
    if not found:
        raise Invalid(where, f"{where}: the environment has no variable {name[:100]!r}.")
    return found


def _of_file(name: str, where: str) -> str:
    try:
        with Path(name).open("rb") as file:
            found = file.read(SIZE_MOST).decode().strip()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "it is no text"
        raise Invalid(where, f"{where}: {name[:200]} can't be read ({said}).") from None
    if not found:
        raise Invalid(where, f"{where}: {name[:200]} is empty.")
    return found
