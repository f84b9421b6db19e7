"""A countdown: how long until a moment, by the server's time."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.utils import timezone
from pydantic import AwareDatetime, Field, field_validator

from metrics.widgets.base import Named, Still, WidgetKind
from metrics.widgets.ranges import Window


class CountdownConfig(Still):
    """Config of a countdown."""

    until: AwareDatetime = Field(
        title="Counts to", description="The moment it counts to, such as 2026-12-24T18:00:00+01:00."
    )
    reached: str = Field(
        default="Now", min_length=1, max_length=100, title="Text from then on", description="The text from then on."
    )

    @field_validator("until")
    @classmethod
    def _of_our_time(cls, value: datetime) -> datetime:
        if not 1970 < value.year < 3000:
            raise ValueError("it has to be between 1971 and 2999")
        return value


@dataclass(frozen=True, slots=True)
class CountdownView:
    """View-model of `templates/widgets/countdown.html`.

    `until` is the moment in Unix seconds, `left` how long it was until then when it was drawn, in words; `at` says
    when it is, and `reached` what is shown from then on.
    """

    until: float
    left: str
    at: str
    reached: str


class Countdown(WidgetKind[CountdownConfig]):
    """How long until a moment: a launch, a deadline, the end of a shift."""

    kind = "countdown"
    config_class = CountdownConfig
    group = "page"
    windows_back = 0
    example: ClassVar = {"until": "2100-01-01T00:00:00Z"}

    def view(self, config: CountdownConfig, series: list[Named], window: Window) -> CountdownView:
        until = config.until.timestamp()
        return CountdownView(until, left(until - window.at) or config.reached, _moment(config.until), config.reached)


def left(seconds: float) -> str:
    """Return the two largest units of a time to come, as `static/js/clock.js` does: "3 d 4 h". Empty if it is over."""
    whole = int(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if whole <= 0:
        return ""
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _moment(until: datetime) -> str:
    return f"{timezone.localtime(until):%a %-d %b %Y, %H:%M}"
