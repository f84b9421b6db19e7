"""A clock: the time of day in one or several zones, by the server's time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator

from metrics.widgets.base import Named, Still, WidgetKind
from metrics.widgets.ranges import Window

ZONES_MOST = 6


@cache
def _zones() -> frozenset[str]:
    """Return the zones that browsers know, too; finding them reads hundreds of files."""
    return frozenset(available_timezones()) - {"localtime", "Factory"}


class Place(BaseModel):
    """One zone of a clock."""

    model_config = ConfigDict(extra="forbid")

    zone: str = Field(max_length=64, title="Time zone", description="Time zone, such as Europe/Berlin or UTC.")
    name: str = Field(default="", max_length=50, description="The name to show; else the city of the zone.")

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in _zones():
            raise ValueError(f"there is no time zone {value!r}")
        return value


class ClockConfig(Still):
    """Config of a clock."""

    places: list[Place] = Field(min_length=1, max_length=ZONES_MOST, description="The zones, the first one largest.")
    seconds: bool = Field(default=False, title="Show seconds", description="Whether seconds are shown.")


@dataclass(frozen=True, slots=True)
class Dial:
    """One zone: its `name`, its `zone`, the `time` there when it was drawn, the `day`, and its `offset` from UTC."""

    name: str
    zone: str
    time: str
    day: str
    offset: str


@dataclass(frozen=True, slots=True)
class ClockView:
    """View-model of `templates/widgets/clock.html`: the `dials`, and whether `seconds` are shown."""

    dials: tuple[Dial, ...]
    seconds: bool


class Clock(WidgetKind[ClockConfig]):
    """The time of day in one or several zones."""

    kind = "clock"
    config_class = ClockConfig
    group = "page"
    size = (4, 1)
    windows_back = 0
    example: ClassVar = {"places": [{"zone": "Europe/Berlin"}, {"zone": "Asia/Tokyo"}]}

    def view(self, config: ClockConfig, series: list[Named], window: Window) -> ClockView:
        return ClockView(tuple(_dial(one, window.at) for one in config.places), config.seconds)


def _dial(place: Place, at: float) -> Dial:
    local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(place.zone))
    offset = f"{local:%z}"
    return Dial(
        name=place.name or place.zone.rpartition("/")[2].replace("_", " "),
        zone=place.zone,
        time=f"{local:%H:%M}",
        day=f"{local:%a %-d %b}",
        offset=f"UTC{offset[:3]}:{offset[3:5]}".replace("UTC+00:00", "UTC"),
    )
