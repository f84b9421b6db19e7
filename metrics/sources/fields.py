"""Fields and checks that several configs share."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import StringConstraints

from metrics.names import METRIC_NAME
from metrics.sample import METRIC_NAME_MOST, UNIT_MOST

Unit = Annotated[str, StringConstraints(max_length=UNIT_MOST)]


def check_metrics(names: Iterable[str]) -> None:
    """Raise ValueError if one of `names` can't be that of a metric."""
    for name in names:
        if not METRIC_NAME.fullmatch(name) or len(name) > METRIC_NAME_MOST:
            raise ValueError(f"metric {name[:100]!r} is not a name such as orders_open")


def type_by_name(metric: str) -> str | None:
    """Return the type that Prometheus' naming rules give away: what ends with _total only ever grows."""
    return "counter" if metric.endswith("_total") else None
