"""Names and units of OpenTelemetry's metrics, as Prometheus writes them.

https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-metadata-1; units are those of
UCUM, https://ucum.org/ucum.
"""

import re

from metrics.sample import UNIT_MOST

BETWEEN_WORDS = re.compile("[^a-zA-Z0-9:]+")
NOT_IN_UNITS = re.compile("[^a-zA-Z0-9]+")
ANNOTATION = re.compile(r"\{[^{}]*\}")
UNITS = {
    "1": "",
    "%": "percent",
    **{"d": "days", "h": "hours", "min": "minutes", "s": "seconds"},
    **{"ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"},
    **{
        "bit": "bits",
        "By": "bytes",
        "KiBy": "kibibytes",
        "MiBy": "mebibytes",
        "GiBy": "gibibytes",
        "TiBy": "tebibytes",
    },
    **{"kBy": "kilobytes", "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes"},
    **{"m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams"},
    **{"Cel": "celsius", "Hz": "hertz"},
}
PER = {"s": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}


def metric(name: str, unit: str, last: str = "") -> str:
    """Return the name of a metric, with its unit in words and the word `last`, unless it has them; it may be empty."""
    words = [word for word in BETWEEN_WORDS.split(name) if word]
    if not words:
        return ""
    words += [part for part in _unit_parts(unit) if part not in words]
    if last:
        words = [*(word for word in words if word != last), last]
    joined = "_".join(words)
    return f"_{joined}" if joined[0].isdigit() else joined


def unit_word(unit: str) -> str | None:
    """Return the word that a series has for its unit, None if there is none."""
    word = "ratio" if unit == "1" else "_".join(_unit_parts(unit))
    return word if 0 < len(word) <= UNIT_MOST else None


def _unit_parts(unit: str) -> list[str]:
    """Return a unit in words: `By/s` is `bytes` and `per_second`. Text in braces is no unit."""
    whole, _, per = (ANNOTATION.sub("", part).strip() for part in unit.partition("/"))
    parts = [_clean(UNITS.get(whole, whole)), f"per_{divisor}" if (divisor := _clean(PER.get(per, per))) else ""]
    return [part for part in parts if part]


def _clean(word: str) -> str:
    return NOT_IN_UNITS.sub("_", word).strip("_")
