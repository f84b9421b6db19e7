"""A source of this system that fails: so many runs in a row did not succeed."""

from pydantic import Field

from metrics.alerts.base import Condition, ConditionConfig


class SourceConfig(ConditionConfig):
    runs: int = Field(
        default=3, ge=1, le=100, title="Failed runs in a row", description="So many runs in a row failed."
    )


class Source(Condition[SourceConfig]):
    """A source whose runs fail. The labels of a source are its name, as source, and its kind."""

    kind = "source"
    config_class = SourceConfig
    group = "system"
    metric = "source_failures"
    no_data = "keep"
    of_sources = True

    def is_bad(self, config: SourceConfig, value: float, was_bad: bool) -> bool:
        return value >= 1 if was_bad else value >= config.runs

    def says(self, config: SourceConfig) -> str:
        return "failing" if config.runs == 1 else f"failing {config.runs} times in a row"
