"""An error budget that burns too fast, over two windows at once.

The windows, the shares of the budget and the formulas are those of Google's SRE workbook, "multiwindow, multi-burn-rate
alerts" (https://sre.google/workbook/alerting-on-slos/): what a long window has to say counts while a short one, a
twelfth of it, says the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from pydantic import Field

from metrics.alerts.base import Condition, ConditionConfig, Samples
from metrics.alerts.past import DAY_S, HOUR_S, Past, Steps, step_s

SHORT_SHARE = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """A long window, in seconds, and the `share` of the budget that may burn within it."""

    name: str
    long_s: int
    share: float

    @property
    def short_s(self) -> int:
        return self.long_s // SHORT_SHARE

    def most(self, days: int) -> float:
        """Return the burn rate at which the share burns in the window, of a budget of so many days."""
        return self.share * days * DAY_S / self.long_s


FAST, MEDIUM, SLOW = Pair("1h", HOUR_S, 0.02), Pair("6h", 6 * HOUR_S, 0.05), Pair("3d", 3 * DAY_S, 0.1)
PAIRS = {"page": (FAST, MEDIUM), "ticket": (SLOW,), "all": (FAST, MEDIUM, SLOW)}


class SloConfig(ConditionConfig):
    objective: float = Field(
        default=99.9,
        gt=0,
        lt=100,
        title="Objective, percent",
        description="Per cent that have to be good, less than 100.",
    )
    days: int = Field(default=30, ge=7, le=92, description="Over how many days.")
    of: Literal["good", "bad"] = Field(
        default="good",
        title="Values are the share of",
        description="The meaning of the values: the share, from 0 to 1, of good events, or of bad ones.",
    )
    windows: Literal["page", "ticket", "all"] = Field(
        default="page", description="page: 1h and 6h, which need somebody now; ticket: 3d, which can wait; or all."
    )

    def bad_share(self, mean: float) -> float:
        """Return the share of what was bad; nan of nan."""
        share = 1 - mean if self.of == "good" else mean
        return share if math.isnan(share) else min(1.0, max(0.0, share))


class Slo(Condition[SloConfig]):
    """An error budget that burns too fast, over a long and a short window."""

    kind = "slo"
    config_class = SloConfig
    group = "checks"

    def past(self, config: SloConfig) -> tuple[Past, ...]:
        pairs = PAIRS[config.windows]
        return tuple(Past(pair.long_s + step_s(pair.short_s), 0, step_s(pair.short_s)) for pair in pairs)

    def measured(self, config: SloConfig, samples: Samples, steps: Sequence[Steps], zone: tzinfo) -> Samples:
        return [(at, self._worst(config, at, steps)) for at, _ in samples]

    def _worst(self, config: SloConfig, at: float, steps: Sequence[Steps]) -> float:
        """Return how many times as fast as it may the budget burns, in both windows of the pair where that is most."""
        found = []
        for pair, one in zip(PAIRS[config.windows], steps, strict=True):
            shares = [config.bad_share(one.mean(at - length_s, at)) for length_s in (pair.long_s, pair.short_s)]
            found.append(min(shares) / (1 - config.objective / 100) / pair.most(config.days))
        known = [one for one in found if not math.isnan(one)]
        return max(known, default=math.nan)

    def is_bad(self, config: SloConfig, value: float, was_bad: bool) -> bool:
        return value >= 1

    def says(self, config: SloConfig) -> str:
        pairs = PAIRS[config.windows]
        rates = " or ".join(f"{pair.most(config.days):.3g}\N{MULTIPLICATION SIGN} in {pair.name}" for pair in pairs)
        return f"burning the budget of {config.objective:g} % in {config.days} days at {rates}"

    def unit(self, config: SloConfig, unit: str) -> str:
        return "\N{MULTIPLICATION SIGN} the limit"
