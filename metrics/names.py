"""The one rule for names of metrics and labels, however they arrive.

Names follow Prometheus' data model as it was before UTF-8 names (https://prometheus.io/docs/concepts/data_model/): a
metric is `[a-zA-Z_:][a-zA-Z0-9_:]*`, a label is `[a-zA-Z_][a-zA-Z0-9_]*` and does not begin with two underscores. Such
a name stays as it is; any other is escaped as OpenTelemetry does for Prometheus:
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-attributes
That leaves nothing of a name without letters and digits of ASCII, and all such names would be one. They are escaped
as values, as Prometheus names it: https://prometheus.io/docs/instrumenting/escaping_schemes/
"""

import re
from collections.abc import Iterable
from zlib import crc32

METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
NOT_IN_METRICS = re.compile(r"[^a-zA-Z0-9_:]+")
NOT_IN_LABELS = re.compile(r"[^a-zA-Z0-9_]+")
SEVERAL = re.compile("__+")
NOTHING_LEFT = re.compile("[_:]*")
ESCAPED_MOST = 100
OWN = "__"
"""Labels that begin so are Prometheus' own: of a name, a type, one of two that write the same (`__replica__`)."""


def metric(name: str) -> str:
    """Return `name` with an underscore for what can't be in a metric's name; one that is fine stays as it is."""
    if METRIC_NAME.fullmatch(name) or not name:
        return name
    kept = NOT_IN_METRICS.sub("_", name)
    if NOTHING_LEFT.fullmatch(kept):
        return _as_values(name)
    return f"_{kept}" if kept[0].isdigit() else kept


def label(name: str) -> str:
    """Return `name` with an underscore for what can't be in a label's name; one that is fine stays as it is."""
    if is_label(name) or not name:
        return name
    kept = SEVERAL.sub("_", NOT_IN_LABELS.sub("_", name))
    if NOTHING_LEFT.fullmatch(kept):
        return _as_values(name)
    return f"key_{kept}" if kept[0].isdigit() else kept


def is_label(name: str) -> bool:
    """Return whether a label may have this name; those that begin with two underscores are Prometheus' own."""
    return LABEL_NAME.fullmatch(name) is not None and not name.startswith(OWN)


def labels(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the labels of these names and values; values whose names became the same are joined by a semicolon.

    A label with an empty value is the same as no label, and is left out, as are those that are Prometheus' own.
    """
    found: dict[str, str] = {}
    for name, value in sorted(pairs):
        if value and not name.startswith(OWN):
            name = label(name)
            found[name] = f"{found[name]};{value}" if name in found else value
    return found


def _as_values(name: str) -> str:
    """Return `U__` and the code point of each character, in hexadecimal: two names stay two.

    A long one ends with a digest of the whole name instead.
    """
    escaped = "U__" + "".join("__" if one == "_" else f"_{ord(one):x}_" for one in name)
    if len(escaped) <= ESCAPED_MOST:
        return escaped
    return f"{escaped[: ESCAPED_MOST - 9]}_{crc32(name.encode(errors='surrogatepass')):08x}"
