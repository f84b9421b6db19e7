"""The room that a value takes, so that a stylesheet can draw it as large as its tile allows.

A stylesheet knows the tile's size and not the text's, and the server the other way round. Widths are those of DejaVu
Sans Bold, the widest font that pages are likely to get: in any other, a value is a little smaller than it could be.
"""

import math
from collections.abc import Iterable

from metrics.widgets.units import Shown

MOST = 48
UNIT_SHARE = 0.5
_NARROW_EM, _DIGIT_EM, _WIDE_EM = 0.42, 0.7, 1.1
_NARROW = frozenset(".,:;'|!()[]/ijltfrI \u202f")
_CAPITAL_EM = 0.85
_WIDE = frozenset("MWmw%@\u00b5\u2212")


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
