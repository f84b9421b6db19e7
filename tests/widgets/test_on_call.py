"""People on call: which schedules are shown, in which order, and that nobody is said loudly."""

from typing import Any

import pytest

from metrics.widgets.on_call import Duty, OnCall, OnCallConfig, OnCallView
from tests.widgets.make import AT, window

DUTIES = [
    Duty(1, "Databases", ("ops",), ("Ada", "Bob"), AT + 7200, ("Cy",)),
    Duty(2, "Network", ("ops",), (), AT + 30 * 3600, ("Ada",)),
    Duty(3, "Shop", ("shop",), ("Cy",), None, problem="It can't be read."),
    Duty(4, "Old", (), (), None, known=False),
]


def view(duties: list[Duty] = DUTIES, **fields: Any) -> OnCallView:
    config = OnCallConfig.model_validate(fields)
    config.give(duties)
    return OnCall().view(config, [], window())


def test_gaps_come_first_and_each_row_says_until_when_and_who_is_next() -> None:
    rows = [(row.name, row.state, row.people, row.until, row.left, row.next, row.link) for row in view().rows]
    assert rows == [
        ("Network", "gap", "nobody", "until Sat 18:00", "30 h left", "Ada", "/on-call/2/"),
        ("Shop", "doubt", "Cy", "", "", "", "/on-call/3/"),
        ("Old", "unknown", "not known any more", "", "", "", "/on-call/4/"),
        ("Databases", "ok", "Ada, Bob", "until 14:00", "2 h left", "Cy", "/on-call/1/"),
    ]
    assert (view().summary, view().level.name) == ("Nobody is on call for 1 of 4", "critical")
    assert (len(view(rows=1).rows), view(rows=1).more) == (1, 3)


@pytest.mark.parametrize(
    ("fields", "names", "summary", "level"),
    [
        ({"team": "shop"}, ["Shop"], "", "warn"),
        ({"schedule": "Databases"}, ["Databases"], "", "ok"),
        ({"schedule": "Network"}, ["Network"], "Nobody is on call", "critical"),
        ({"schedule": "Gone"}, [], "No schedule Gone", "critical"),
        ({"team": "gone"}, [], "No schedule of gone", "ok"),
    ],
)
def test_it_shows_what_is_chosen(fields: dict[str, Any], names: list[str], summary: str, level: str) -> None:
    found = view(**fields)
    assert ([row.name for row in found.rows], found.summary, found.level.name) == (names, summary, level)
    assert found.is_one == (len(names) == 1)


def test_without_knowing_it_does_not_say_that_nobody_is() -> None:
    assert OnCallConfig().freshness(AT).state == "nodata"
