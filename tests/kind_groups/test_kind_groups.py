"""Groups of kinds: the order in which people choose from them, and that all kinds of ours are in one."""

from types import SimpleNamespace
from typing import Any

import pytest

from metrics.alerts import registry as conditions
from metrics.kind_groups import CHANNELS, CONDITIONS, SOURCES, WIDGETS, Groups
from metrics.notify import registry as channels
from metrics.sources import registry as sources
from metrics.widgets import registry as widgets

GROUPS = Groups({"checks": "Checks", "values": "Values", "empty": "Nothing"}, ("scrape", "ping"))


def made(kind: str, group: str = "values") -> Any:
    return SimpleNamespace(kind=kind, group=group)


def test_groups_are_in_their_order_and_in_each_the_first_come_first_and_others_by_name() -> None:
    kinds = [made("zeta"), made("alpha"), made("scrape"), made("http", "checks"), made("ping", "checks")]
    found = [(heading, [one.kind for one in group]) for heading, group in GROUPS.of(kinds)]
    assert found == [("Checks", ["ping", "http"]), ("Values", ["scrape", "alpha", "zeta"])]
    assert [one.kind for one in GROUPS.in_order(kinds)] == ["ping", "http", "scrape", "alpha", "zeta"]


def test_a_group_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="'valuse'"):
        GROUPS.of([made("ping", "valuse")])


@pytest.mark.parametrize(
    ("groups", "kinds"),
    [
        (WIDGETS, widgets.kinds()),
        (SOURCES, sources.kinds()),
        (CHANNELS, channels.kinds()),
        (CONDITIONS, conditions.offered()),
    ],
    ids=["widgets", "sources", "channels", "conditions"],
)
def test_every_kind_has_a_group_and_every_group_a_kind(groups: Groups, kinds: Any) -> None:
    assert {one.group for one in kinds.values()} == set(groups.headings)
    assert set(groups.first) <= set(kinds)
