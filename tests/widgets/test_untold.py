"""All that is not told: which rows there are, and what they say."""

from typing import Any, get_args

from metrics.widgets.untold import WORDS, Kind, Quiet, Untold, UntoldConfig, UntoldView
from tests.widgets.make import AT, window

FOUND = [
    Quiet("channel", "A channel", "/untold/", "It can't deliver.", since=AT - 3 * 86_400),
    Quiet("silence", "Disks", "/silences/", "", "ada", AT - 7200, AT + 3600, withheld=12),
    Quiet("silence", "Lamps", "/silences/", "", "bob", AT - 60, AT + 36 * 3600, withheld=1),
    Quiet("rule", "Load", "/rules/"),
]


def view(**fields: Any) -> UntoldView:
    config = UntoldConfig.model_validate(fields)
    config.give(FOUND)
    return Untold().view(config, [], window())


def test_each_row_says_what_since_when_and_how_much_it_withheld() -> None:
    rows = [(row.word, row.title, row.meant, row.age, row.until, row.withheld, row.why) for row in view().rows]
    assert rows == [
        ("channel", "A channel", False, "3 d", "", 0, "It can't deliver."),
        ("silence", "Disks", True, "2 h", "until 13:00", 12, "by ada"),
        ("silence", "Lamps", True, "60 s", "until Sun 00:00", 1, "by bob"),
        ("rule", "Load", False, "", "", 0, ""),
    ]
    assert (view().summary, view().withheld) == ("2 silences · 1 rule · 1 channel", "13 withheld")


def test_it_is_a_warning_if_nobody_meant_it() -> None:
    assert (view().level.name, view(of=["rule"], rows=1).level.name, view(of=["silence"]).level.name) == (
        "warn",
        "warn",
        "ok",
    )


def test_it_shows_the_kinds_that_are_chosen_and_counts_the_rest() -> None:
    found = view(of=["silence"], rows=1)
    assert ([row.title for row in found.rows], found.more, found.withheld) == (["Disks"], 1, "13 withheld")
    assert view(of=["heartbeat"]).summary == "You are told everything"


def test_every_kind_has_words_and_one_row_may_stand_for_many() -> None:
    every = get_args(Kind)
    assert set(WORDS) == set(every)
    config = UntoldConfig.model_validate({"of": every, "rows": 2})
    config.give([*(Quiet(kind, kind, "/") for kind in every), Quiet("rule", "And 4800 more", "/", count=4800)])
    found = Untold().view(config, [], window())
    assert [row.word for row in found.rows] == [WORDS[kind][0] for kind in every[:2]]
    assert (found.more, "4801 rules" in found.summary) == (len(every) - 2 + 4800, True)
