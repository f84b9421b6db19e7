"""Growth of counters: the rule, for numbers and in SQL.

A counter only rises, and begins again at zero when its process does: a value below the one before is growth from zero
(https://prometheus.io/docs/prometheus/latest/querying/functions/#rate). Every bucket keeps its first and its last
value and the growth between those two, so growth over any stretch is what the buckets grew inside, and between
neighbours: it is the same whatever the buckets are, and in whatever order they are put together.

Buckets rolled by releases before 0.2 do not know their first value and growth. The best guess is made of what they
know: with a last value that is the greatest, the counter rose from the least one; else it rose to the greatest and
began again once.

Chunks that were packed before `codec.encode_buckets` kept first and last values to the bit have eleven digits of them.
So a value may seem to have fallen a little that stayed as it was: a fall by a share of `UNSEEN` is none, and no growth.
"""

UNSEEN = 1e-10
"""More than two values of eleven digits of one number are apart."""


def fell(earlier: float, later: float) -> bool:
    """Return whether a counter began again between two values."""
    return later < earlier - UNSEEN * abs(earlier)


def rise(earlier: float, later: float) -> float:
    """Return by how much a counter grew from one value to the next."""
    return later if fell(earlier, later) else max(later - earlier, 0.0)


def sql_fell(earlier: str, later: str) -> str:
    """Return in SQL whether a counter began again."""
    return f"{later} < {earlier} - {UNSEEN} * abs({earlier})"


def sql_rise(earlier: str, later: str) -> str:
    """Return in SQL by how much a counter grew."""
    grown = f"CASE WHEN {later} < {earlier} THEN 0 ELSE {later} - {earlier} END"
    return f"CASE WHEN {sql_fell(earlier, later)} THEN {later} ELSE {grown} END"


_SQL_FELL = sql_fell("x.max", "x.last")
SQL_FIRST = f"CASE WHEN x.growth IS NOT NULL THEN x.first WHEN {_SQL_FELL} THEN x.max ELSE x.min END"
"""The first value of the bucket x, guessed where it is not known."""
SQL_GROWTH = f"COALESCE(x.growth, CASE WHEN {_SQL_FELL} THEN x.last ELSE x.last - x.min END)"
"""The growth inside the bucket x, guessed where it is not known."""
