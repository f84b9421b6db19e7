"""Room for frames: a loop asks the system for no memory, however deep it calls."""

import resource
import sys
import threading

import pytest

from dashboard_project.frames import with_room

LOOPS = 300
DEPTHS = range(150)
"""More frames than a chunk holds."""


def widest(a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0, g: int = 0, h: int = 0) -> None:
    """A frame that is larger than the one that calls it, so that it meets the end of a chunk at some depth."""
    return None


def at_depth(depth: int) -> None:
    if depth:
        return at_depth(depth - 1)
    for _ in range(LOOPS):
        widest()
    return None


def most_faults() -> int:
    """Return how many pages of memory the system had to give at the worst depth."""

    def faults(depth: int) -> int:
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        at_depth(depth)
        return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before

    return max(faults(depth) for depth in DEPTHS)


def in_thread(with_: bool) -> int:
    """Return the most faults in a thread of its own, whose frames begin anew."""
    found: list[int] = []
    run = (lambda: found.append(with_room(most_faults))) if with_ else (lambda: found.append(most_faults()))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_a_loop_takes_no_memory_at_any_depth() -> None:
    assert in_thread(with_=True) < LOOPS / 2


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Newer releases of Python keep a chunk.")
def test_without_room_it_does() -> None:
    assert in_thread(with_=False) >= LOOPS
