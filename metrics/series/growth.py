"""How much a counter grew: the rule, for numbers and in SQL.

A counter only rises, and begins again at zero when its process does: a value below the one before is growth from zero
(https://prometheus.io/docs/prometheus/latest/querying/functions/#rate). Every bucket keeps its first and its last
value and the growth between those two, so growth over any stretch is what the buckets grew inside, and between
neighbours: it is the same whatever the buckets are, and in whatever order they are put together.

Buckets rolled by releases before 0.2 do not know their first value and growth. The best guess is made of what they
know: with a last value that is the greatest, the counter rose from the least one; else it rose to the greatest and
began again once.
"""


def rise(earlier: float, later: float) -> float:
    """Return by how much a counter grew from one value to the next."""
    return later - earlier if later >= earlier else later


def sql_rise(earlier: str, later: str) -> str:
    """Return the same in SQL."""
    return f"CASE WHEN {later} >= {earlier} THEN {later} - {earlier} ELSE {later} END"


SQL_FIRST = "CASE WHEN x.growth IS NOT NULL THEN x.first WHEN x.last < x.max THEN x.max ELSE x.min END"
"""The first value of the bucket x, guessed where it is not known."""
SQL_GROWTH = "COALESCE(x.growth, CASE WHEN x.last < x.max THEN x.last ELSE x.last - x.min END)"
"""The growth inside the bucket x, guessed where it is not known."""
