"""Source kinds: descriptions of them, for forms and the API."""

import sys
from typing import Any

from metrics.actions import credentials
from metrics.actions.errors import Invalid
from metrics.sources.base import SourceKind
from metrics.sources.registry import kinds


def about(kind: SourceKind[Any]) -> dict[str, Any]:
    """Return what there is to know before one makes a source of `kind`; `config_schema` is a JSON schema."""
    return {
        "kind": kind.kind,
        "group": kind.group,
        "description": _first_sentence(sys.modules[type(kind).__module__].__doc__ or ""),
        "timeout": kind.timeout_s,
        "administrators_only": kind.administrators_only,
        "comes_from": kind.comes_from,
        "credentials": sorted(credentials.names(kind.config_class)),
        "config_schema": kind.config_class.model_json_schema(),
    }


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


def check(kind: str) -> None:
    """Raise Invalid if there is no kind `kind` that collects."""
    if kind not in kinds():
        raise Invalid("kind", f"There is no source kind {kind!r}; there are {', '.join(sorted(kinds()))}.")


def comes_from(kind: str) -> str:
    """Return what makes and changes sources of `kind` by itself; an empty text if people do."""
    return kinds()[kind].comes_from if kind in kinds() else ""
