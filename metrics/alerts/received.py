"""Alerts that somebody else evaluates, and sends: nothing is looked at here."""

from pydantic import Field

from metrics.alerts.base import Condition, ConditionConfig


class ReceivedConfig(ConditionConfig):
    alertname: str = Field(default="", max_length=1000, description="The label alertname of the alerts.")
    sender: str = Field(default="", max_length=200, description="The first one that sent such an alert.")


class Received(Condition[ReceivedConfig]):
    """Alerts that another program evaluates, such as Prometheus or Grafana."""

    kind = "received"
    config_class = ReceivedConfig
    is_evaluated = False

    def is_bad(self, config: ReceivedConfig, value: float, was_bad: bool) -> bool:
        return False

    def says(self, config: ReceivedConfig) -> str:
        return f"received from {config.sender}" if config.sender else "received"
