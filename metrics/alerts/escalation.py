"""How a team answers: which alerts it handles together, and who is told when nobody takes an incident."""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from metrics.access.sharing import Text
from metrics.alerts.rule import LABELS_MOST, Period
from metrics.every import seconds
from metrics.names import is_label
from metrics.versioned import Versioned, upgraded

STEPS_MOST = 10
CLOCK = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
Waiting = Literal["info", "warning"]
WAIT: tuple[Waiting, ...] = ("info", "warning")
TOLD_MOST = 20
TEAM, EVERYONE, CHANNELS = WORDS = "team", "everyone", "channels"
ON_CALL = "on-call"
NAMED = ("user", "team", ON_CALL, "channel")


def _addressee(text: str) -> str:
    what, _, name = text.partition(":")
    if text not in WORDS and (what not in NAMED or not name):
        raise ValueError("it has to be team, channels, everyone, user:NAME, team:NAME, on-call:NAME or channel:NAME")
    return text


Addressee = Annotated[Text, AfterValidator(_addressee)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone such as Europe/Berlin") from None
    return name


TimeZone = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_zone)]


class Step(BaseModel):
    """One step: who is told, `after` so long without anybody who has taken the incident."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Period | None = Field(
        default=None,
        min_length=1,
        title="Not taken for",
        description="How long nobody has taken it, such as 10m; without it, at once.",
    )
    tell: list[Addressee] = Field(
        min_length=1,
        max_length=TOLD_MOST,
        description="team, channels (all of the team), everyone, user:NAME, team:NAME, on-call:NAME or channel:NAME.",
        json_schema_extra={"suggest": "told"},
    )

    @property
    def after_s(self) -> float:
        return float(seconds(self.after)) if self.after else 0.0


class Quiet(BaseModel):
    """Hours in which channels are not told of what can wait: each day from `from` to `to`, in a time zone."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: str = Field(
        alias="from", title="From", pattern=CLOCK, max_length=5, description="When they begin, such as 22:00."
    )
    to: str = Field(pattern=CLOCK, max_length=5, description="When they end, such as 07:00.")
    time_zone: TimeZone = Field(description="Of these times, such as Europe/Berlin.")
    severities: list[Waiting] = Field(
        default_factory=lambda: list(WAIT),
        min_length=1,
        max_length=2,
        description="info, warning; what is critical never waits.",
    )

    def holds(self, severity: str, at: datetime) -> bool:
        """Return whether an incident of this severity waits at a time, which has a zone."""
        now = f"{at.astimezone(ZoneInfo(self.time_zone)):%H:%M}"
        is_in = self.from_ <= now < self.to if self.from_ <= self.to else now >= self.from_ or now < self.to
        return severity in self.severities and is_in


class EscalationSpec(Versioned):
    """How alerts are gathered to incidents, and the steps in which people are told of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group_by: list[Text] = Field(
        default_factory=list,
        max_length=LABELS_MOST,
        description="Labels: alerts with the same values of these are one incident; without any, all of the team.",
    )
    gather: Period = Field(
        default="5m",
        title="Gather for",
        description="An alert joins an incident whose newest alert began at most so long before.",
    )
    steps: list[Step] = Field(
        default_factory=lambda: [Step(tell=[TEAM, CHANNELS])],
        min_length=1,
        max_length=STEPS_MOST,
        description="The people and channels that are told, one after the other, until somebody takes it.",
    )
    repeat: Period | None = Field(
        default=None,
        min_length=1,
        title="Repeat the last step every",
        description="The last step repeats so often; without it, it does not.",
    )

    quiet: Quiet | None = Field(
        default=None, title="Quiet hours", description="Hours in which channels are not told of what can wait."
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


def stored(spec: Any, version: int) -> EscalationSpec:
    """Return the document that a release stored in the form of `version`. Raises ValueError if that is a later one."""
    return EscalationSpec.model_validate(upgraded(EscalationSpec, spec, version))


def is_readable(spec: Any, version: int) -> bool:
    """Return whether this release can read what was stored."""
    try:
        stored(spec, version)
    except ValueError:
        return False
    return True


def meaning(spec: EscalationSpec) -> str:
    """Return in a sentence what the steps mean: "At once team and channels; after 10m user:boss; then every 30m."."""
    parts = []
    for step in spec.steps:
        who = [NOUNS.get(one, one.partition(":")[2] or one) for one in step.tell]
        named = f"{', '.join(who[:-1])} and {who[-1]}" if len(who) > 1 else who[0]
        parts.append(f"{f'after {step.after}' if step.after else 'at once'} {named}")
    last = [f"then every {spec.repeat} again"] if spec.repeat else []
    said = "; ".join([*parts, *last])
    quiet = spec.quiet
    said = f"{said[:1].upper()}{said[1:]}, until somebody takes it."
    if quiet is None:
        return said
    waits = " and ".join(quiet.severities)
    return f"{said} From {quiet.from_} to {quiet.to} {quiet.time_zone}, channels are not told of {waits}."


NOUNS = {TEAM: "the team", CHANNELS: "its channels"}
USUAL = EscalationSpec()
