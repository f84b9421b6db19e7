"""How a team answers: which alerts it handles together, and who is told when nobody takes an incident."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from metrics.access.sharing import Text
from metrics.alerts.rule import LABELS_MOST, Period
from metrics.every import seconds
from metrics.names import is_label
from metrics.versioned import Versioned

STEPS_MOST = 10
TOLD_MOST = 20
TEAM, EVERYONE, CHANNELS = "team", "everyone", "channels"
NAMED = ("user", "team", "on-call", "channel")


def _addressee(text: str) -> str:
    what, _, name = text.partition(":")
    if text not in (TEAM, EVERYONE, CHANNELS) and (what not in NAMED or not name):
        raise ValueError("it has to be team, channels, everyone, user:NAME, team:NAME, on-call:NAME or channel:NAME")
    return text


Addressee = Annotated[Text, AfterValidator(_addressee)]


class Step(BaseModel):
    """One step: who is told, `after` so long without anybody who has taken the incident."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Period | None = Field(
        default=None, min_length=1, description="How long nobody has taken it, such as 10m; without it, at once."
    )
    tell: list[Addressee] = Field(
        min_length=1,
        max_length=TOLD_MOST,
        description="team, channels (all of the team), everyone, user:NAME, team:NAME, on-call:NAME or channel:NAME.",
    )

    @property
    def after_s(self) -> float:
        return float(seconds(self.after)) if self.after else 0.0


class EscalationSpec(Versioned):
    """How alerts are gathered to incidents, and the steps in which people are told of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group_by: list[Text] = Field(
        default_factory=list,
        max_length=LABELS_MOST,
        description="Labels: alerts with the same values of these are one incident; without any, all of the team.",
    )
    gather: Period = Field(
        default="5m", description="An alert joins an incident whose newest alert began at most so long before."
    )
    steps: list[Step] = Field(
        default_factory=lambda: [Step(tell=[TEAM, CHANNELS])],
        min_length=1,
        max_length=STEPS_MOST,
        description="Who is told, one after the other, until somebody takes it.",
    )
    repeat: Period | None = Field(
        default=None, min_length=1, description="The last step repeats so often; without it, it does not."
    )

    @field_validator("group_by")
    @classmethod
    def _are_labels(cls, given: list[str]) -> list[str]:
        wrong = next((name for name in given if not is_label(name)), None)
        if wrong is not None:
            raise ValueError(f"{wrong[:50]!r} can't be the name of a label")
        return given

    @model_validator(mode="after")
    def _in_order(self) -> "EscalationSpec":
        times = [step.after_s for step in self.steps]
        if times != sorted(times):
            raise ValueError("steps: each comes after the one before it")
        return self

    @property
    def gather_s(self) -> float:
        return float(seconds(self.gather))

    @property
    def repeat_s(self) -> float:
        """Return how often the last step repeats, in seconds; 0 for never."""
        return float(seconds(self.repeat)) if self.repeat else 0.0


USUAL = EscalationSpec()
