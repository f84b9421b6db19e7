"""A panel of Grafana's, as it stands in the JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metrics.grafana.raw import mapping


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel as it stands in the JSON (`raw`), with its `type` and `title`; its place counts Grafana's 24 columns."""

    raw: Mapping[str, Any]
    type: str
    title: str
    x: int
    y: int
    w: int
    h: int

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Settings of all fields of the panel."""
        return mapping(mapping(self.raw.get("fieldConfig")).get("defaults"))

    @property
    def options(self) -> Mapping[str, Any]:
        return mapping(self.raw.get("options"))
