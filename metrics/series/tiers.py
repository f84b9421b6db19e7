"""The tiers of stored samples: every sample for some days, then minutes, then hours."""

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
SPAN_MS = 2 * HOUR_MS
"""Span of a chunk of samples; whole hours, so that an hour is never in two of them."""
MINUTES_SPAN_MS = 6 * HOUR_MS
"""Span of a chunk of minutes."""
HOURS_SPAN_MS = 16 * DAY_MS
"""Span of a chunk of hours."""
SETTLES_S = 300
"""A minute is rolled this long after its end, so that what comes a little late is in it at once."""
LATE_S = 180
"""A sample older than this on arrival is noted as late. Less than SETTLES_S by what a transaction may take."""


def floor(at_ms: int, step_ms: int) -> int:
    """Return the beginning of the step that `at_ms` lies in."""
    return at_ms // step_ms * step_ms


HOT_MS = 2 * HOUR_MS
"""Rows newer than this are never packed."""
NEWEST_KEPT = 6
"""So many of the newest samples of each series stay rows, however old they are."""
