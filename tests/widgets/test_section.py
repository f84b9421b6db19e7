"""Sections: headings that take no row of their own once a dashboard is drawn."""

import pytest

from metrics.models import Widget
from metrics.widgets.section import Section, SectionConfig, raised
from metrics.widgets.spec import DashboardSpec
from tests.widgets.make import window


def test_a_section_says_whether_it_is_folded() -> None:
    assert Section().view(SectionConfig(folded=True), [], window()).folded


@pytest.mark.parametrize(
    ("widgets", "rows"),
    [
        ([("number", 0), ("number", 3)], [0, 3]),
        ([("section", 0), ("number", 1), ("number", 2)], [0, 0, 1]),
        (
            [("number", 0), ("section", 1), ("number", 2), ("section", 3), ("section", 4), ("line", 5)],
            [0, 1, 1, 2, 3, 3],
        ),
    ],
)
def test_what_is_below_a_section_moves_up_into_its_row(widgets: list[tuple[str, int]], rows: list[int]) -> None:
    assert [one.y for one in raised([Widget(kind=kind, y=y) for kind, y in widgets])] == rows


@pytest.mark.parametrize("size", [{"w": 6}, {"h": 2}, {}])
def test_a_section_is_as_wide_as_the_dashboard(size: dict[str, int]) -> None:
    one = {"kind": "section", "title": "Disks", "config": {}, "w": 12, "h": 1, **size}
    document = {"slug": "a", "title": "A", "widgets": [one]}
    if not size:
        assert DashboardSpec.model_validate(document).widgets[0].w == 12
        return
    with pytest.raises(ValueError, match="a section is 12 columns wide and 1 row high"):
        DashboardSpec.model_validate(document)
