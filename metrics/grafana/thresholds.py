"""Grafana's thresholds, steps with colours, as ours: from which value on a warning, and critical."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

GOOD, WARN, CRITICAL = 0, 1, 2
NAMED = {"green": GOOD, "blue": GOOD, "yellow": WARN, "orange": WARN, "red": CRITICAL, "purple": CRITICAL}


def of_field(defaults: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the thresholds in the defaults of a panel's fields, None if they tell no good from bad."""
    thresholds = defaults.get("thresholds")
    if not isinstance(thresholds, Mapping):
        return None
    given = thresholds.get("steps")
    steps = [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
    values: list[Any] = [one.get("value") for one in steps]
    if thresholds.get("mode") == "percentage":
        least, most = defaults.get("min") or 0, defaults.get("max")
        if not isinstance(least, int | float) or not isinstance(most, int | float) or not _are_numbers(values[1:]):
            return None
        values[1:] = [least + (most - least) * value / 100 for value in values[1:]]
    return _of_steps([(value, str(one.get("color", ""))) for value, one in zip(values, steps, strict=True)])


def of_text(text: Any, colors: Any) -> dict[str, Any] | None:
    """Return the thresholds of an old panel: `"85,95"` and three colours."""
    try:
        values = [float(one) for one in str(text or "").split(",") if one.strip()]
    except ValueError:
        return None
    if not values or not isinstance(colors, Sequence) or len(colors) <= len(values):
        return None
    return _of_steps(list(zip([None, *values], map(str, colors), strict=False)))


def _of_steps(steps: Sequence[tuple[Any, str]]) -> dict[str, Any] | None:
    """Return the thresholds of steps, each from a value on; the first has none."""
    levels = [severity(color) for _, color in steps]
    values = [value for value, _ in steps]
    if len(steps) < 2 or None in levels or not _are_numbers(values[1:]):
        return None
    found = [one for one in levels if one is not None]
    if found == sorted(found) and found[0] == GOOD:
        return _named((level, value) for level, value in zip(found[1:], values[1:], strict=True))
    if found == sorted(found, reverse=True) and found[-1] == GOOD:
        named = _named((level, value) for level, value in zip(reversed(found[:-1]), reversed(values[1:]), strict=True))
        return named and {**named, "direction": "below"}
    return None


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(one, int | float) for one in values)


def _named(steps: Any) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for level, value in steps:
        name = {WARN: "warn", CRITICAL: "critical"}.get(level)
        if name:
            found.setdefault(name, value)
    return found or None


def severity(color: str) -> int | None:
    """Return how bad a colour is, by its name or its hue; None for one that says nothing."""
    for name, level in NAMED.items():
        if color.lower().endswith(name):
            return level
    numbers = re.match(r"rgba?\((\d+), *(\d+), *(\d+)", color)
    digits = re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})(?:..)?", color)
    if not (numbers or digits):
        return None
    red, green, blue = (int(one) for one in numbers.groups()) if numbers else (int(one, 16) for one in digits.groups())  # type: ignore[union-attr]
    if max(green, blue) > red:
        return GOOD
    return WARN if green > 0.4 * red else CRITICAL
