"""The newest fragment of every widget of a variant, in Redis, with an epoch and a version.

One hash per topic: `epoch`, `version`, `revision`, `layout`, and per widget `h:<key>` (HTML, or JSON) and `v:<key>`
(the version that brought it). An epoch begins when the hash is made, so a Redis that came back empty shows as a new
one.
"""

import secrets
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from metrics.live.topic import Topic
from metrics.redis_state.connection import KEY, async_client, client
from metrics.redis_state.round_trip import Commands

KEPT_S = 24 * 3600
TURN_KEPT_S = 2 * KEPT_S
"""Longer than a snapshot, which says which turn it is of."""

_STORE = """
local turn = tonumber(ARGV[4])
local newest, stored = redis.call('GET', KEYS[2]) or '0', redis.call('HGET', KEYS[1], 'turn') or '0'
if turn > tonumber(newest) or turn < tonumber(stored) then return false end
redis.call('HSET', KEYS[1], 'turn', turn)
local key, epoch = KEYS[1], redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  epoch = ARGV[1]
  redis.call('HSET', key, 'epoch', epoch)
end
local removed = {}
if ARGV[5] == '1' then
  local kept = {}
  for i = 7, #ARGV, 2 do kept[ARGV[i]] = true end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local id = string.match(field, '^[hv]:(.*)')
    if id and not kept[id] then
      redis.call('HDEL', key, field)
      if string.sub(field, 1, 1) == 'h' then table.insert(removed, id) end
    end
  end
end
local changed = {}
for i = 7, #ARGV, 2 do
  if redis.call('HGET', key, 'h:' .. ARGV[i]) ~= ARGV[i + 1] then table.insert(changed, i) end
end
local version = tonumber(redis.call('HGET', key, 'version') or '0')
local is_new = 0
if #changed > 0 or #removed > 0 or redis.call('HGET', key, 'revision') ~= ARGV[2] then
  version, is_new = redis.call('HINCRBY', key, 'version', 1), 1
  redis.call('HSET', key, 'revision', ARGV[2], 'layout', ARGV[6])
end
local ids = {}
for _, i in ipairs(changed) do
  redis.call('HSET', key, 'h:' .. ARGV[i], ARGV[i + 1], 'v:' .. ARGV[i], version)
  table.insert(ids, ARGV[i])
end
redis.call('EXPIRE', key, ARGV[3])
return {epoch, version, is_new, ids, removed}
"""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One widget as it is sent, HTML or JSON, and the version of the topic that brought it."""

    text: str
    version: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The newest fragments of a topic by widget key. Before the first render, the epoch is empty and the version 0."""

    epoch: str
    version: int
    revision: int
    fragments: Mapping[str, Fragment]
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """Result of `store`: the version now, whether it `is_new`, and the keys of widgets that it changed and removed."""

    epoch: str
    version: int
    is_new: bool
    changed: list[str]
    removed: list[str]


class OvertakenError(Exception):
    """A render that is older than the stored one, and was not stored."""


def next_turn(topic: Topic) -> int:
    """Return the number of a new turn to render `topic`; they are stored in this order or not at all."""
    turn = client().incr(_turn(topic))
    if topic.chosen:  # of these there may be many in the course of time
        client().expire(_turn(topic), TURN_KEPT_S)
    return turn


def store(
    topic: Topic, fragments: Mapping[str, str], revision: int, turn: int, *, whole: bool = False, layout: str = ""
) -> Stored:
    """Put `fragments` into the snapshot as one new version. A fragment that is the same as before is not a change.

    `revision` counts the dashboard's edits; an edit is a new version even if no fragment is new. `turn` is what
    `next_turn` gave before the samples were read. `whole` says that there are no other widgets, so that what is
    left of deleted ones goes; another `layout` than the stored one has to be whole. Raises OvertakenError if a later
    turn was stored already, or if Redis lost its memory since: then nothing is changed.
    """
    script = client().register_script(_STORE)
    flat = [item for pair in fragments.items() for item in pair]
    arguments: list[str | int] = [secrets.token_hex(8), revision, KEPT_S, turn, int(whole), layout, *flat]
    answer = cast(
        tuple[str, int, int, list[str], list[str]] | None, script(keys=[_key(topic), _turn(topic)], args=arguments)
    )
    if answer is None:
        raise OvertakenError(f"turn {turn} of {topic} came too late")
    epoch, version, is_new, changed, removed = answer
    return Stored(epoch, version, bool(is_new), changed, removed)


def version(topic: Topic) -> tuple[str, int]:
    """Return the epoch and version of `topic`, ("", 0) if nothing was rendered."""
    epoch, number = cast(list[str | None], client().hmget(_key(topic), ["epoch", "version"]))
    return epoch or "", int(number or 0)


def layout(topic: Topic) -> str:
    """Return the digest of which widgets the snapshot of `topic` has, "" if that never changes by itself."""
    return cast(str | None, client().hget(_key(topic), "layout")) or ""


def revision(topic: Topic) -> int:
    """Return the revision of the dashboard that the snapshot of `topic` is of, 0 if there is none."""
    return int(cast(str | None, client().hget(_key(topic), "revision")) or 0)


def read_versions(topics: Iterable[Topic]) -> Commands[list[tuple[str, int]]]:
    """Return the epoch and version of each of `topics`, as `version` does."""
    return Commands(
        [("HMGET", _key(topic), "epoch", "version") for topic in topics],
        lambda found: [(epoch or "", int(number or 0)) for epoch, number in found],
    )


async def read(topic: Topic) -> Snapshot:
    """Return the whole snapshot."""
    fields = await cast(Awaitable[dict[str, str]], async_client().hgetall(_key(topic)))
    fragments = {
        name[2:]: Fragment(value, int(fields[f"v:{name[2:]}"]))
        for name, value in fields.items()
        if name.startswith("h:")
    }
    version, revision = int(fields.get("version", 0)), int(fields.get("revision", 0))
    return Snapshot(fields.get("epoch", ""), version, revision, fragments, fields.get("layout", ""))


def _turn(topic: Topic) -> str:
    return f"{KEY}turn:{topic}"


def _key(topic: Topic) -> str:
    return f"{KEY}snapshot:{topic}"
