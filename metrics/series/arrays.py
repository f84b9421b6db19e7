"""Arrays for PostgreSQL, as the text that it reads: psycopg looks at each element of a list, which takes longer."""

from collections.abc import Iterable


def array(numbers: Iterable[float]) -> str:
    """Return `numbers` as the text of an array, to be cast to the type that is wanted."""
    return "{" + ",".join(map(repr, numbers)) + "}"
