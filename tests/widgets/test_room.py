"""The room that values take."""

import pytest

from metrics.widgets import room
from metrics.widgets.room import Cut
from metrics.widgets.thresholds import CRITICAL, OK, WARN
from metrics.widgets.units import Shown

ROOM = [
    # digits, unit, halves of the height of a letter
    ("7", "", 2),
    ("42.1", "%", 7),
    ("9\u202f999", "", 7),
    ("1.18", "M EUR", 10),
    ("\u22121", "", 4),
    ("8" * 40, "W" * 20, room.MOST),
]


@pytest.mark.parametrize(("text", "unit", "ems"), ROOM)
def test_wide_letters_take_more_room_and_units_half_of_it(text: str, unit: str, ems: int) -> None:
    assert room.ems([Shown(text, unit)]) == ems


def test_of_several_the_widest_counts() -> None:
    assert room.ems([Shown("7", ""), Shown("42.1", "%"), Shown("8", "")]) == 7
    assert room.ems([]) == 1


def test_bad_rows_are_left_out_last_and_said() -> None:
    assert room.cuts([OK, WARN, None, CRITICAL], [CRITICAL, WARN, WARN]) == [
        Cut(3, 4, ", 1 critical, 2 warnings"),
        Cut(2, 5, ", 1 critical, 2 warnings"),
        Cut(4, 3, ", 1 critical, 2 warnings"),
        Cut(1, 6, ", 1 critical, 3 warnings"),
    ]
    assert room.cuts([None, None]) == [Cut(1, 1, ""), Cut(2, 0, "")]
    assert [one.worse for one in room.cuts([CRITICAL, CRITICAL, WARN], word="down")] == [
        ", 1 down, 1 warning",
        ", 1 warning",
        "",
    ]
    assert room.cuts([]) == []
