"""What every source kind is."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from metrics.sample import Sample


class SourceError(Exception):
    """A run that yields nothing; the message is one sentence for the source's owner."""


class SourceConfig(BaseModel):
    """What a source's config may hold; a subclass declares its fields."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


C = TypeVar("C", bound=SourceConfig)


class SourceKind(ABC, Generic[C]):
    """A way of collecting. A subclass in a module of its own in this package registers itself by being imported."""

    kind: ClassVar[str]
    config_class: type[C]
    timeout_s: ClassVar[float] = 30
    """No run takes longer; every wait inside one is bounded by less."""

    @abstractmethod
    def collect(self, config: C) -> list[Sample]:
        """Return the samples of one run. Raises SourceError if there are none to be had."""
