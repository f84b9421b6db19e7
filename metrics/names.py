"""The one rule for names of metrics and labels, however they arrive.

Names follow Prometheus' data model as it was before UTF-8 names (https://prometheus.io/docs/concepts/data_model/): a
metric is `[a-zA-Z_:][a-zA-Z0-9_:]*`, a label is `[a-zA-Z_][a-zA-Z0-9_]*` and does not begin with two underscores. Such
a name stays as it is; any other is escaped as OpenTelemetry does for Prometheus:
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-attributes
"""

import re
from collections.abc import Iterable

METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
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
    """Return `name` with an underscore for what can't be in a label's name; one that is fine stays as it is."""
    if is_label(name) or not name:
        return name
    name = SEVERAL.sub("_", NOT_IN_LABELS.sub("_", name))
    return f"key_{name}" if name[0].isdigit() else name


def is_label(name: str) -> bool:
    """Return whether a label may have this name; those that begin with two underscores are Prometheus' own."""
    return LABEL_NAME.fullmatch(name) is not None and not name.startswith("__")


def labels(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the labels of these names and values; values whose names became the same are joined by a semicolon.

    A label with an empty value is the same as no label, and is left out.
    """
    found: dict[str, str] = {}
    for name, value in sorted(pairs):
        if value:
            name = label(name)
            found[name] = f"{found[name]};{value}" if name in found else value
    return found
