"""A value above a line, below one, or outside of two; it clears behind lines of their own."""

from typing import Self

from pydantic import Field, model_validator

from metrics.alerts.base import Condition, ConditionConfig


class ThresholdConfig(ConditionConfig):
    above: float | None = Field(default=None, description="More than this is bad.")
    below: float | None = Field(default=None, description="Less than this is bad.")
    clear_below: float | None = Field(
        default=None, description="A value that was above is good again only below this; else at the line itself."
    )
    clear_above: float | None = Field(
        default=None, description="A value that was below is good again only above this; else at the line itself."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("above or below has to be given, or both")
        if self.above is not None and self.below is not None and self.below >= self.above:
            raise ValueError("below has to be less than above")
        for line, clear, sign, name in (
            (self.above, self.clear_below, 1, "clear_below"),
            (self.below, self.clear_above, -1, "clear_above"),
        ):
            if clear is not None and line is None:
                raise ValueError(f"{name} needs the line that it belongs to")
            if clear is not None and line is not None and sign * clear > sign * line:
                raise ValueError(f"{name} is on the bad side of its line")
        if None not in (self.above, self.below) and (self.clear_below, self.clear_above) != (None, None):
            raise ValueError(
                "with above and below, values clear at these lines: clear_below and clear_above are for one"
            )
        return self


class Threshold(Condition[ThresholdConfig]):
    """A value above a line, below one, or outside of two."""

    kind = "threshold"
    config_class = ThresholdConfig

    def is_bad(self, config: ThresholdConfig, value: float, was_bad: bool) -> bool:
        if not was_bad:  # of most values this is all there is to ask
            above, below = config.above, config.below
            return (above is not None and value > above) or (below is not None and value < below)
        return _above(config, value) or _below(config, value)

    def says(self, config: ThresholdConfig) -> str:
        if config.above is not None and config.below is not None:
            return f"outside {config.below:g} to {config.above:g}"
        return f"above {config.above:g}" if config.above is not None else f"below {config.below:g}"

    def lines(self, config: ThresholdConfig) -> dict[str, float]:
        names = ("above", "below", "clear_below", "clear_above")
        return {name: line for name in names if (line := getattr(config, name)) is not None}


def _above(config: ThresholdConfig, value: float) -> bool:
    if config.clear_below is not None:
        return value >= config.clear_below
    return config.above is not None and value > config.above


def _below(config: ThresholdConfig, value: float) -> bool:
    if config.clear_above is not None:
        return value <= config.clear_above
    return config.below is not None and value < config.below
