"""No sample for so long; what the samples say does not matter."""

from pydantic import Field, field_validator

from metrics.alerts.base import Condition, ConditionConfig
from metrics.every import seconds


class MissingConfig(ConditionConfig):
    after: str | None = Field(
        default=None, title="No sample for", description="How long, such as 5m; else what the series itself says."
    )

    @field_validator("after")
    @classmethod
    def _is_period(cls, value: str | None) -> str | None:
        if value is not None:
            seconds(value)
        return value


class Missing(Condition[MissingConfig]):
    """No sample for so long."""

    kind = "missing"
    config_class = MissingConfig
    no_data = "nodata"

    def is_bad(self, config: MissingConfig, value: float, was_bad: bool) -> bool:
        return False

    def says(self, config: MissingConfig) -> str:
        return f"without a sample for {config.after}" if config.after else "without a sample"

    def lapses_after_s(self, config: MissingConfig) -> float | None:
        return None if config.after is None else float(seconds(config.after))
