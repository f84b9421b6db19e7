"""Builders for tests of conditions."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from typing import Any

from metrics.alerts.base import ConditionConfig
from metrics.alerts.past import Steps
from metrics.alerts.registry import kinds

Samples = list[tuple[float, float]]


def config(kind: str, **fields: Any) -> ConditionConfig:
    """Return the config of a condition. Raises pydantic's ValidationError."""
    found: ConditionConfig = kinds()[kind].config_class.model_validate(fields)
    return found


def compared(
    kind: str, samples: Samples, past: Sequence[Iterable[tuple[float, float]]] = (), zone: tzinfo = UTC, **fields: Any
) -> list[float | None]:
    """Return what a condition compares at each sample, given the steps of its past; None where nobody knows."""
    given = config(kind, **fields)
    steps = [Steps.of(points, one.step_s) for points, one in zip(past, kinds()[kind].past(given), strict=True)]
    values = [value for _, value in kinds()[kind].measured(given, samples, steps, zone)]
    return [None if math.isnan(value) else round(value, 6) for value in values]


def bad(kind: str, values: Iterable[float], **fields: Any) -> list[bool]:
    """Return which of `values` are bad, each after a good one."""
    given = config(kind, **fields)
    return [kinds()[kind].is_bad(given, value, False) for value in values]
