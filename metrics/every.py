"""Periods as people write them: 10s, 5m, 1h30m, 1d."""

import re

PERIOD = re.compile(r"(?:\d{1,9}[smhd])+")
PART = re.compile(r"(\d+)([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(period: str) -> int:
    """Return how many seconds `period` has. Raises ValueError, with a sentence, for what is none or lasts no time."""
    text = period.strip()
    total = sum(int(count) * SECONDS[unit] for count, unit in PART.findall(text)) if PERIOD.fullmatch(text) else 0
    if not total:
        raise ValueError(f"{period[:30]!r} is not a period such as 10s, 5m, 1h30m or 1d.")
    return total
