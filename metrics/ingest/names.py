"""Names of other systems, as Prometheus' data model takes them.

https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-attributes
"""

import re
from collections.abc import Iterable

from metrics.sample import LABEL_NAME, METRIC_NAME

NOT_IN_METRICS = re.compile(r"[^a-zA-Z0-9_:]+")
NOT_IN_LABELS = re.compile(r"[^a-zA-Z0-9_]+")
SEVERAL = re.compile("__+")


def metric(name: str) -> str:
    """Return `name` with an underscore for what can't be in a metric's name; one that is fine stays as it is."""
    if METRIC_NAME.fullmatch(name) or not name:
        return name
    name = NOT_IN_METRICS.sub("_", name)
    return f"_{name}" if name[0].isdigit() else name


def label(name: str) -> str:
    """Return `name` with an underscore for what can't be in a label's name."""
    if (LABEL_NAME.fullmatch(name) and "__" not in name) or not name:
        return name
    name = SEVERAL.sub("_", NOT_IN_LABELS.sub("_", name))
    return f"key_{name}" if name[0].isdigit() else name


def labels(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the labels of these names and values; values whose names became the same are joined by a semicolon."""
    found: dict[str, str] = {}
    for name, value in sorted(pairs):
        name = label(name)
        found[name] = f"{found[name]};{value}" if name in found else value
    return found
