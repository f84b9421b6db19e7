"""A heartbeat whose job is late, or failed."""

from typing import Literal

from pydantic import Field

from metrics.alerts.base import Condition, ConditionConfig
from metrics.heartbeat import LEVELS, State


class HeartbeatConfig(ConditionConfig):
    when: Literal["late", "down"] = Field(
        default="down",
        title="Bad when it is",
        description="late: its ping did not come in time. down: nor did it in the grace, or its job failed.",
    )


class Heartbeat(Condition[HeartbeatConfig]):
    """A heartbeat whose ping is late, or whose job is down."""

    kind = "heartbeat"
    config_class = HeartbeatConfig
    group = "system"
    metric = "heartbeat_state"
    no_data = "ok"

    def is_bad(self, config: HeartbeatConfig, value: float, was_bad: bool) -> bool:
        return value <= LEVELS[State(config.when)]

    def says(self, config: HeartbeatConfig) -> str:
        return "late, or down" if config.when == "late" else "down"
