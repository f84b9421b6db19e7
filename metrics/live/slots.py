"""Slots make schedules safe: who claims one runs it, and nobody else."""

from metrics.live.connection import KEY, client


def claim(source: int, every_s: int, now: float) -> int | None:
    """Claim the slot of `source` that `now` lies in: floor(now / every). None, if it was claimed before."""
    slot = int(now // every_s)
    claimed = client().set(f"{KEY}slot:{source}:{slot}", "1", nx=True, ex=2 * every_s + 60)
    return slot if claimed else None


def enter(source: int, longest_s: float) -> bool:
    """Return whether `source` may run now: it may not while an earlier run of it goes on."""
    return bool(client().set(f"{KEY}running:{source}", "1", nx=True, px=int(longest_s * 1000)))


def leave(source: int) -> None:
    """End the run that `enter` began."""
    client().delete(f"{KEY}running:{source}")
