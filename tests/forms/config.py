"""A config with a field of every type, the configs of all kinds, and what a form makes of one."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr

from metrics.forms.fields import fields_of
from metrics.forms.typed import parse, write
from metrics.sources import registry as sources
from metrics.sources.base import SourceConfig
from metrics.times import LOCAL_TIME
from metrics.widgets import registry as widgets


class Pick(BaseModel):
    path: str
    key: SecretStr = SecretStr("")


class Step(BaseModel):
    path: str


class Config(SourceConfig):
    url: str = Field(description="Where.", max_length=500)
    query: str = Field("", max_length=5000)
    name: str | None = None
    method: Literal["GET", "HEAD"] = "GET"
    colour: Literal["red", "blue"] | None = None
    port: int = Field(443, ge=1, le=65535)
    ratio: float = Field(0.5, gt=0, lt=1)
    limit: int | None = None
    verify: bool = True
    deep: bool = False
    hosts: list[str] = Field(default_factory=list)
    ports: list[int] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    either: int | str = ""
    steps: list[Step] = Field(default_factory=list)
    step: Step | None = None
    anything: dict[str, Any] = Field(default_factory=dict)
    expected: str = "2xx"
    password: SecretStr = SecretStr("")
    perhaps: SecretStr | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    picks: list[Pick] = Field(default_factory=list)
    begins: Annotated[str, Field(json_schema_extra={"format": LOCAL_TIME})] | None = None
    short: Annotated[str, Field(max_length=5)] = "x"


CLASSES = [kind.config_class for registry in (sources, widgets) for _, kind in sorted(registry.kinds().items())]
"""The config class of every kind of source and widget."""


def sent_back(config_class: type[BaseModel], config: dict[str, Any]) -> dict[str, Any]:
    """Return what becomes of `config` in a form that is saved as it is."""
    fields = fields_of(config_class)
    said, errors = parse(fields, write(fields, config))
    assert errors == {}
    return config_class.model_validate(said).model_dump(mode="json", exclude_unset=True)
