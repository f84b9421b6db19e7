"""A text: a note, a list or links, in Markdown."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from metrics import markdown
from metrics.widgets.base import Named, Still, WidgetKind
from metrics.widgets.ranges import Window

TEXT_MOST = 4000


class TextConfig(Still):
    """Config of a text."""

    text: str = Field(min_length=1, max_length=TEXT_MOST, description="The text, as Markdown.")


@dataclass(frozen=True, slots=True)
class TextView:
    """View-model of `templates/widgets/text.html`: the text as clean `html`."""

    html: str


class Text(WidgetKind[TextConfig]):
    """A note, a list or links, as Markdown."""

    kind = "text"
    config_class = TextConfig
    group = "page"
    size = (4, 2)
    windows_back = 0
    example: ClassVar = {"text": "**Ada** is on call until *Friday*.\n\n* [The runbook](/)\n* [What is planned](/)"}

    def view(self, config: TextConfig, series: list[Named], window: Window) -> TextView:
        return TextView(markdown.html(config.text))
