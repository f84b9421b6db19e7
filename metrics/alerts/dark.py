"""A dashboard that no wall shows any more, though one did within the last day."""

from pydantic import Field, field_validator

from metrics.alerts.base import Condition, ConditionConfig, Period
from metrics.every import seconds

LEAST_S = 120
"""A page that loads anew, or a server that starts anew, is no dark wall."""


class DarkConfig(ConditionConfig):
    after: Period = Field(
        default="5m", title="Not shown for", description="For how long no wall has shown it, such as 5m; at least 2m."
    )

    @field_validator("after")
    @classmethod
    def _is_long_enough(cls, value: str) -> str:
        if seconds(value) < LEAST_S:
            raise ValueError("It is 2m at least")
        return value


class Dark(Condition[DarkConfig]):
    """A dashboard that no wall shows any more. The label of a wall's dashboard is its address, as dashboard."""

    kind = "dark"
    config_class = DarkConfig
    group = "system"
    metric = "wall_dark_seconds"
    no_data = "ok"

    def is_bad(self, config: DarkConfig, value: float, was_bad: bool) -> bool:
        return value > 0 if was_bad else value >= seconds(config.after)

    def says(self, config: DarkConfig) -> str:
        return f"on no wall for {config.after}"
