"""Managing sources."""

import time
from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from metrics.access.policy import visible
from metrics.actions import source_configs, source_kinds, source_retention, trials
from metrics.actions import sources as actions
from metrics.actions.source_status import status_of
from metrics.actions.teams import access_of
from metrics.api.body import CHANGING, MAKING, ONE, READING, TRYING
from metrics.api.source_schemas import (
    Id,
    KindList,
    Limit,
    RunList,
    SourceChanges,
    SourceIn,
    SourceList,
    SourceOut,
    TrialIn,
    TrialOut,
)
from metrics.api.tokens import edit, principal_of, read
from metrics.kind_groups import SOURCES
from metrics.models import Source
from metrics.sources.registry import kinds

router = Router(tags=["manage"], auth=edit)


@router.get("source-kinds", response={200: KindList, **READING})
def list_source_kinds(request: HttpRequest) -> dict[str, Any]:
    """The kinds that a source may be of, and what each takes as its config."""
    return {"kinds": [source_kinds.about(kind) for kind in SOURCES.in_order(kinds().values())]}


@router.get("sources", response={200: SourceList, **READING})
def list_sources(request: HttpRequest) -> dict[str, Any]:
    """The sources that the token may see, by name."""
    by, now = principal_of(request), time.time()
    return {"sources": [_out(source, now) for source in visible(by, Source).prefetch_related("teams")]}


@router.post("sources", response={201: SourceOut, **MAKING})
def create_source(request: HttpRequest, body: SourceIn) -> Status[dict[str, Any]]:
    """Make a source that runs every so many seconds, or by cron."""
    made = actions.create(
        principal_of(request),
        body.kind,
        body.name,
        body.every,
        body.config,
        body.enabled,
        cron=body.cron,
        time_zone=body.time_zone,
        retention=body.retention(),
        access=body.access,
    )
    return Status(201, _out(made, time.time()))


@router.post("sources/test", response={200: TrialOut, **TRYING})
def test_config(request: HttpRequest, body: TrialIn) -> trials.Trial:
    """Run a config once that is not saved, and return what it would store. Nothing is stored."""
    return trials.try_config(principal_of(request), body.kind, body.config, body.id)


@router.get("sources/{id}", response={200: SourceOut, **ONE})
def get_source(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One source."""
    return _out(actions.find(principal_of(request), id), time.time())


@router.patch("sources/{id}", response={200: SourceOut, **CHANGING})
def change_source(request: HttpRequest, id: Id, body: SourceChanges) -> dict[str, Any]:
    """Change what is given, and leave the rest; a config is replaced as a whole, but for credentials it leaves out."""
    changed = actions.change(principal_of(request), id, body.dict(exclude_unset=True))
    return _out(changed, time.time())


@router.delete("sources/{id}", response={204: None, **ONE})
def delete_source(request: HttpRequest, id: Id) -> Status[None]:
    """Remove a source and the history of its runs; its series and their samples stay."""
    actions.delete(principal_of(request), id)
    return Status(204, None)


@router.post("sources/{id}/test", response={200: TrialOut, **TRYING})
def test_source(request: HttpRequest, id: Id) -> trials.Trial:
    """Run a source once, and return what it would store. Nothing is stored."""
    return trials.try_saved(principal_of(request), id)


@router.post("sources/{id}/run", response={202: None, **ONE})
def run_source(request: HttpRequest, id: Id) -> Status[None]:
    """Have a source run as soon as a worker is free, whatever its schedule says."""
    actions.run_now(principal_of(request), id)
    return Status(202, None)


@router.get("sources/{id}/runs", auth=read, response={200: RunList, **ONE})
def list_runs(request: HttpRequest, id: Id, limit: Limit = 50) -> dict[str, Any]:
    """The newest runs of a source, the newest first."""
    runs = actions.find(principal_of(request), id).runs.all()[:limit]
    return {
        "runs": [
            {
                "started_at": run.started_at.timestamp(),
                "duration": run.duration_s,
                "samples": run.samples,
                "error": run.error,
                "note": run.note,
                "verdict": run.verdict,
            }
            for run in runs
        ]
    }


def _out(source: Source, now: float) -> dict[str, Any]:
    return {
        "id": source.pk,
        "kind": source.kind,
        "name": source.name,
        "every": source.every_s,
        "cron": source.cron,
        "time_zone": source.time_zone,
        "config": source.config,
        "credentials": source_configs.credentials_of(source),
        "trusted": source.trusted,
        "enabled": source.enabled,
        "access": access_of(source).model_dump(),
        **{name: getattr(source, name) for name in source_retention.LIMITS},
        "state": status_of(source, now).word,
        "last_run_at": source.last_run_at.timestamp() if source.last_run_at else None,
        "last_success_at": source.last_success_at.timestamp() if source.last_success_at else None,
        "last_duration": source.last_duration_s,
        "last_samples": source.last_samples,
        "last_note": source.last_note,
        "last_verdict": source.last_verdict,
        "last_error": source.last_error,
        "failures": source.failures,
    }
