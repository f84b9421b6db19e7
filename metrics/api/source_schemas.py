"""Schemas of requests and answers about sources."""

from typing import Annotated, Any, Literal

from ninja import Field, Path, Query, Schema
from pydantic import ConfigDict

from metrics.access.sharing import Access
from metrics.actions.runs import RUNS_KEPT
from metrics.actions.source_retention import LIMITS
from metrics.actions.source_schedules import EVERY_MOST_S
from metrics.actions.sources import NAME_MOST
from metrics.api.body import Body, Text
from metrics.schedule import CRON_MOST

Id = Annotated[int, Path(description="The source's id.", ge=1, le=2**63 - 1)]
Limit = Annotated[int, Query(description="How many at most.", ge=1, le=RUNS_KEPT)]

Name = Annotated[Text, Field(min_length=1, max_length=NAME_MOST)]
Every = Annotated[int, Field(ge=1, le=EVERY_MOST_S)]
Cron = Annotated[Text, Field(max_length=CRON_MOST)]
Zone = Annotated[Text, Field(max_length=50)]
Verdict = Literal["", "up", "warning", "down"]
"""How what was checked is doing; empty if nothing was checked, or the run failed."""

EVERY = "Seconds between two runs."
CRON = "Instead of every: minute, hour, day, month, weekday."
ZONE = "Time zone of cron; without it, that of the installation."
ACCESS = "The people who may see it and its series; editors of its teams may change it."


def _kept(name: str, what: str) -> Any:
    most = LIMITS[name]
    return Field(None, ge=1, le=most, description=f"{what}; null for what the settings say.")


class Retention(Body):
    """For how long samples are kept."""

    raw_retention_hours: int | None = _kept("raw_retention_hours", "Hours to keep every sample")
    minute_retention_days: int | None = _kept("minute_retention_days", "Days to keep the rollups of minutes")
    hour_retention_days: int | None = _kept("hour_retention_days", "Days to keep the rollups of hours")

    def retention(self) -> dict[str, int | None]:
        return {name: getattr(self, name) for name in LIMITS}


class SourceIn(Retention):
    kind: str = Field(max_length=40)
    name: Name
    every: Every | None = Field(None, description=EVERY)
    cron: Cron = Field("", description=CRON)
    time_zone: Zone = Field("", description=ZONE)
    config: dict[str, Any] = Field(default_factory=dict)
    enabled: bool = True
    access: Access = Field(Access(), description=ACCESS)


class SourceChanges(Retention):
    """Some of the fields of a source; those that are left out stay as they are."""

    name: Name = Field("", description="A name that no other source has.")
    every: Every | None = Field(None, description=EVERY)
    cron: Cron = Field("", description=CRON)
    time_zone: Zone = Field("", description=ZONE)
    config: dict[str, Any] = Field({}, description="Credentials that it leaves out stay, empty ones are removed.")
    enabled: bool = Field(True, description="Whether it runs.")
    access: Access = Field(Access(), description=ACCESS)


class SourceOut(Schema):
    """A source; times are Unix seconds, `credentials` names those that are set."""

    id: int
    kind: str
    name: str
    every: int | None
    cron: str
    time_zone: str
    config: dict[str, Any]
    credentials: list[str]
    trusted: bool
    enabled: bool
    access: Access
    raw_retention_hours: int | None
    minute_retention_days: int | None
    hour_retention_days: int | None
    state: Literal["ok", "down", "failing", "warning", "late", "waiting", "off", "quiet"]
    last_run_at: float | None
    last_success_at: float | None
    last_duration: float | None
    last_samples: int | None
    last_note: str
    last_verdict: Verdict
    last_error: str
    failures: int


class SourceList(Schema):
    sources: list[SourceOut]


class TrialIn(Body):
    kind: str = Field(max_length=40)
    config: dict[str, Any] = Field(default_factory=dict)
    id: int | None = Field(
        None, ge=1, le=2**63 - 1, description="A source whose credentials are taken where config leaves them out."
    )


class WouldOut(Schema):
    """A sample that would be stored; `at` is null for the time of the run."""

    metric: str
    labels: dict[str, str]
    value: float
    unit: str
    at: float | None


class TrialOut(Schema):
    """Outcome of a trial: how many samples it would store, and the first of them; `duration` is in seconds."""

    duration: float = Field(validation_alias="duration_s")
    count: int
    samples: list[WouldOut]
    note: str
    error: str
    verdict: Verdict


class RunOut(Schema):
    """One run; `started_at` is Unix seconds, `duration` seconds; `error` is empty if it could measure."""

    started_at: float
    duration: float
    samples: int
    error: str
    note: str
    verdict: Verdict


class RunList(Schema):
    runs: list[RunOut]


class KindOut(Schema):
    """A kind of source; `config_schema` is the JSON schema of its config, `timeout` in seconds."""

    model_config = ConfigDict(populate_by_name=True)

    kind: str
    group: str
    description: str
    timeout: float
    administrators_only: bool
    comes_from: str
    credentials: list[str]
    config_schema: dict[str, Any]


class KindList(Schema):
    kinds: list[KindOut]
