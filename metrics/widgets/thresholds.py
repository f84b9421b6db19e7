"""Thresholds: from which value on something deserves a look, and from which on it needs one now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Thresholds(BaseModel):
    """Where a value becomes a warning, and where critical."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    warn: float | None = Field(default=None, title="Warning from", description="From this value on, a warning.")
    critical: float | None = Field(default=None, title="Critical from", description="From this value on, critical.")
    direction: Literal["above", "below"] = Field(
        default="above", title="Bad is", description="Which side of them is the bad one."
    )


@dataclass(frozen=True, slots=True)
class Level:
    """How bad a value is: `name` is ok, warn or critical; `word` says it to people."""

    name: str
    word: str


OK, WARN, CRITICAL = Level("ok", "OK"), Level("warn", "Warning"), Level("critical", "Critical")


def worst(levels: Iterable[Level | None]) -> Level | None:
    """Return the worst of `levels`; None if there is none."""
    order = (None, OK, WARN, CRITICAL)
    return max(levels, key=order.index, default=None)


def level(value: float, thresholds: Thresholds | None) -> Level | None:
    """Return the level of `value`; None where there are no thresholds."""
    if thresholds is None:
        return None
    sign = 1 if thresholds.direction == "above" else -1
    for limit, found in ((thresholds.critical, CRITICAL), (thresholds.warn, WARN)):
        if limit is not None and sign * value >= sign * limit:
            return found
    return OK
