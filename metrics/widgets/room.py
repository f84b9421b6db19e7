"""The room that values take, so that a stylesheet can draw them as large as their tile allows, and rows, so that it can
leave some out.

A stylesheet knows the tile's size and not the text's, and the server the other way round. Widths are those of DejaVu
Sans Bold, the widest font that pages are likely to get: in any other, a value is a little smaller than it could be.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from metrics.widgets.thresholds import CRITICAL, OK, WARN, Level
from metrics.widgets.units import Shown

WORST = (CRITICAL.name, WARN.name, OK.name)
MOST = 48
UNIT_SHARE = 0.5
_NARROW_EM, _DIGIT_EM, _WIDE_EM = 0.42, 0.7, 1.1
_NARROW = frozenset(".,:;'|!()[]/ijltfrI \u202f")
_CAPITAL_EM = 0.85
_WIDE = frozenset("MWmw%@\u00b5\u2212")


@dataclass(frozen=True, slots=True)
class Cut:
    """When a row is left out: its `rank` is how many rows there has to be room for, and bad rows come first.

    Where it is the last that has room, `more` are left out, and `worse` says how bad these are, such as ", 3 critical".
    """

    rank: int
    more: int
    worse: str


NO_CUT = Cut(1, 0, "")
"""That of a row that is alone."""


def cuts(levels: Sequence[Level | None], beyond: Sequence[Level | None] = (), word: str = CRITICAL.name) -> list[Cut]:
    """Return the cut of each row by its level, in their order; those `beyond` are left out in any case."""
    names = [_name(level) for level in levels]
    left = Counter([*names, *map(_name, beyond)])
    found = {}
    for rank, place in enumerate(sorted(range(len(names)), key=lambda place: WORST.index(names[place])), 1):
        left[names[place]] -= 1
        found[place] = Cut(rank, left.total(), _said(left, word))
    return [found[place] for place in range(len(names))]


def worse(levels: Iterable[Level | None], word: str = CRITICAL.name) -> str:
    """Return how bad rows are that are left out, behind how many they are; `word` is what is said of critical ones."""
    return _said(Counter(map(_name, levels)), word)


def _name(level: Level | None) -> str:
    return level.name if level else OK.name


def _said(counts: Counter[str], word: str) -> str:
    critical, warn = counts[CRITICAL.name], counts[WARN.name]
    warnings = f", {warn} warning{'s' * (warn > 1)}" if warn else ""
    return (f", {critical} {word}" if critical else "") + warnings


def ems(values: Iterable[Shown]) -> int:
    """Return the width of the widest of `values`, in halves of the height of its letters, from 1 to 48.

    The unit is drawn at half the size, behind a narrow space.
    """
    return min(MOST, max((math.ceil(2 * _em(value)) for value in values), default=1))


def _em(value: Shown) -> float:
    unit = sum(map(_letter, value.unit)) + _NARROW_EM if value.unit else 0.0
    return sum(map(_letter, value.text)) + UNIT_SHARE * unit


def _letter(letter: str) -> float:
    if letter in _NARROW:
        return _NARROW_EM
    if letter in _WIDE or ord(letter) > 0x2E7F:  # from there on, letters are as wide as they are high
        return _WIDE_EM
    return _CAPITAL_EM if letter.isupper() else _DIGIT_EM
