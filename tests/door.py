"""A source kind for tests: behind a door that takes a password. It is registered while a test asks for it."""

from typing import Any

import pytest
from pydantic import Field, SecretStr

from metrics.sample import Sample
from metrics.sources import network_policy
from metrics.sources.base import SourceConfig, SourceError, SourceKind
from metrics.sources.registry import kinds

BUILT_IN = kinds()
"""Found before there is a kind below, which must not be among them."""

PASSWORD = "open sesame & co"


class DoorConfig(SourceConfig):
    """Which door."""

    url: str = Field(max_length=100, pattern="^door:", description="Where the door is.")
    password: SecretStr = Field(description="The password that opens it.", min_length=4)
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="Other headers that are said.")
    fails: str = Field(default="", description="How it fails: says, breaks, quotes.")


class Door(SourceKind[DoorConfig]):
    """Opens to those who know."""

    kind = "door"
    config_class = DoorConfig
    timeout_s = 5

    def collect(self, config: DoorConfig) -> list[Sample]:
        password = config.password.get_secret_value()
        if config.fails == "says":
            raise SourceError(f"The door does not take {password!r}.")
        if config.fails == "breaks":
            raise RuntimeError(f"door:{password}@3")
        if config.fails == "quotes":
            return [Sample(password, float("inf"))]
        said = "".join(value.get_secret_value() for value in config.headers.values())
        return [
            Sample("door_open", float(password == PASSWORD), {"said": said[:3]}, unit="doors"),
            Sample("door_limited", float(network_policy.is_limited())),
        ]


def register(monkeypatch: pytest.MonkeyPatch, **attributes: Any) -> None:
    """Have the kind `door` for the length of a test, with other class attributes if they are given."""
    made = type("Door", (Door,), attributes)() if attributes else Door()
    monkeypatch.setitem(BUILT_IN._known, "door", made)
