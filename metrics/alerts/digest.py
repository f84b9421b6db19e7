"""When a channel hears of what can wait: in one message, a digest, at times of the day or every so often. Pure."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from metrics.alerts.escalation import CLOCK, WAIT, TimeZone, Waiting
from metrics.every import seconds
from metrics.versioned import Versioned

TIMES_MOST = 24
LEAST_S, MOST_S = 300, 86_400

TimeOfDay = Annotated[str, StringConstraints(pattern=CLOCK, max_length=5)]


class DigestSpec(Versioned):
    """The times of a digest, `at` some times of each day or `every` so long, and the severities that wait for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severities: list[Waiting] = Field(
        default_factory=lambda: list(WAIT),
        min_length=1,
        max_length=2,
        description="info, warning; both without any. Critical messages never wait.",
    )
    at: list[TimeOfDay] = Field(
        default_factory=list,
        max_length=TIMES_MOST,
        title="Times of day",
        description="Times of each day, such as 08:00; or every so long.",
    )
    every: str = Field(
        default="",
        max_length=20,
        title="Or every",
        description="How often, such as 1h: 5m to 1d, from the start of each day; or at times.",
    )
    time_zone: TimeZone = Field(default="UTC", description="Of these times, such as Asia/Kathmandu.")

    @field_validator("every")
    @classmethod
    def _is_period(cls, given: str, info: ValidationInfo) -> str:
        if given and not LEAST_S <= seconds(given) <= MOST_S:
            raise ValueError("it is from 5m to 1d")
        if given and info.data.get("at"):
            raise ValueError("a digest has either times of the day, or every so long")
        return given

    @model_validator(mode="after")
    def _has_times(self) -> "DigestSpec":
        if not self.at and not self.every:
            raise ValueError("a digest has either times of the day, or every so long")
        return self

    def next_after(self, now: float) -> float:
        """Return when the first digest after `now` is (both in Unix seconds)."""
        here = datetime.fromtimestamp(now, ZoneInfo(self.time_zone))
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        days = (midnight, midnight + timedelta(days=1))  # of clocks, so both are midnights
        return min(time for day in days for after in self._of_a_day() if (time := (day + after).timestamp()) > now)

    def _of_a_day(self) -> list[timedelta]:
        if self.every:
            return [timedelta(seconds=one) for one in range(0, MOST_S, seconds(self.every))]
        return [timedelta(hours=int(one[:2]), minutes=int(one[3:])) for one in self.at]

    def says(self) -> str:
        """Return when it is, in words: "at 08:00 and 17:00 Asia/Kathmandu"."""
        when = f"every {self.every}" if self.every else f"at {' and '.join(sorted(self.at))}"
        return f"{when} {self.time_zone}"
