"""Configs that outlive releases: each has a version, and knows what becomes of an older one.

A release stores configs with the version of their class. A release that can't take what an earlier one stored, or takes
it for something else, counts `version` up and says in `upgrade` what becomes of it.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel


class NewerVersionError(ValueError):
    """A config that a later release stored; the text is one sentence."""


class Versioned(BaseModel):
    """A config. `version` is the one of this release."""

    version: ClassVar[int] = 1

    @classmethod
    def upgrade(cls, old: dict[str, Any], from_version: int) -> dict[str, Any]:
        """Return `old`, which was stored with the version `from_version`, as this release has it."""
        return old


def upgraded(config_class: type[Versioned], config: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return `config`, which was stored with `version`, in the present form. Raises ValueError."""
    if not isinstance(config, Mapping):
        raise ValueError("it is no object")
    if version > config_class.version:
        raise NewerVersionError(f"this release knows version {config_class.version}, not {version}")
    return config_class.upgrade(dict(config), version) if version < config_class.version else dict(config)
