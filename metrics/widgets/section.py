"""A section: a heading over the widgets below it, down to the next section. It can be folded."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from metrics.models import Widget
from metrics.widgets.base import Named, Still, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.repeated import SECTION
from metrics.widgets.spec import COLUMNS


class SectionConfig(Still):
    """Config of a section."""

    folded: bool = Field(
        default=False, title="Folded at first", description="Folded on a page that is opened; walls show it open."
    )


@dataclass(frozen=True, slots=True)
class SectionView:
    """View-model of `templates/widgets/section.html`: whether it is `folded` on a page that is opened."""

    folded: bool


class Section(WidgetKind[SectionConfig]):
    """A heading over the widgets below it, which can be folded."""

    kind = SECTION
    config_class = SectionConfig
    group = "page"
    size = (COLUMNS, 1)
    windows_back = 0
    example: ClassVar = {"folded": False}

    def view(self, config: SectionConfig, series: list[Named], window: Window) -> SectionView:
        return SectionView(config.folded)


def raised(widgets: list[Widget]) -> list[Widget]:
    """Move `widgets` up by the rows of the sections above them, and return them.

    On a dashboard a section is a heading above its row, and takes none itself as it does while it is edited.
    """
    rows = {one.y for one in widgets if one.kind == SECTION}
    rows -= {row - 1 for row in rows}  # the heading of an empty section keeps its row, or the next would lie upon it
    for one in widgets:
        one.y -= sum(row < one.y for row in rows)
    return widgets
