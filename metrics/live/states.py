"""The state of every widget of a variant when it was last rendered, in Redis, for the list of dashboards."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from metrics.live.snapshot import KEPT_S
from metrics.live.topic import Topic
from metrics.redis_state.connection import KEY, client
from metrics.redis_state.round_trip import Commands


class WidgetState(NamedTuple):
    """State of one widget: `level` is ok, warn, critical or broken, "" if nobody says; `freshness` as of rendering.

    `late_at` and `stale_at` are when it will count as late and as stale, in Unix seconds, None without data.
    """

    level: str
    freshness: str
    late_at: float | None
    stale_at: float | None


def store(variant: Topic, states: Mapping[str, WidgetState], whole: bool) -> None:
    """Keep the states of widgets by key; `whole` says that there are no others."""
    pipe = client().pipeline(transaction=whole)
    if whole:
        pipe.delete(_key(variant))
    if states:
        pipe.hset(_key(variant), mapping={key: json.dumps(state) for key, state in states.items()})
        pipe.expire(_key(variant), KEPT_S)
    pipe.execute()


def read(variants: Iterable[Topic]) -> Commands[list[dict[str, WidgetState]]]:
    """Return the states of the widgets of each of `variants` by key, none for one that was not rendered."""
    return Commands(
        [("HGETALL", _key(variant)) for variant in variants],
        lambda found: [_parsed(states) for states in found],
    )


def _parsed(states: Mapping[str, str] | Sequence[str]) -> dict[str, WidgetState]:
    pairs = states.items() if isinstance(states, Mapping) else zip(states[::2], states[1::2], strict=True)
    return {key: WidgetState(*json.loads(state)) for key, state in pairs}


def _key(variant: Topic) -> str:
    return f"{KEY}states:{variant}"
