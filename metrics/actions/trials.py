"""Trying a source: one run, whose samples are shown and not stored."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import structlog
from celery.exceptions import OperationalError
from django.db import transaction
from redis import RedisError

from metrics.access.policy import CHANGE, CREATE
from metrics.access.principal import Principal
from metrics.actions import journal, source_configs, source_kinds, sources
from metrics.actions.errors import Invalid, NoAnswer, TooOften
from metrics.actions.runs import Failed, Job, attempt
from metrics.batch import Refused, sift
from metrics.models import Source
from metrics.redis_state import collecting, limits, slots
from metrics.sample import Sample
from metrics.sources.registry import kinds
from metrics.verdict import Verdict

log = structlog.get_logger(__name__)

GRACE_S = 5
"""Time that a worker may take to begin, on top of the time that the kind may run."""
PER_MINUTE = 20
STILL_GOING_S = 5
SHOWN_MOST = 500


@dataclass(frozen=True, slots=True)
class Would:
    """A sample that would be stored: `metric`, `labels`, `value`, `unit`, and `at` in Unix seconds or None for now."""

    metric: str
    labels: Mapping[str, str]
    value: float
    unit: str
    at: float | None


@dataclass(frozen=True, slots=True)
class Trial:
    """Outcome of a trial: it took `duration_s` and would store `count` samples, the first of which are `samples`.

    `note` is a line that the run said about itself; `error` is one sentence, empty if nothing went wrong. `verdict`
    is that of what it checked, empty if it checked nothing or failed.
    """

    duration_s: float
    count: int
    samples: tuple[Would, ...]
    note: str
    error: str
    verdict: str = ""


def try_saved(by: Principal, id: int) -> Trial:
    """Run the source `id` as it is saved. Raises what `try_config` raises, and Missing."""
    source = sources.find(by, id)
    sources.check_right(by, CHANGE, source)
    if source.kind == Source.PUSH:
        raise Invalid("id", f"{source.name} is pushed; there is nothing to try.")
    trial = _try(source, by)
    with transaction.atomic():
        journal.record(by, "test", source)
    return trial


def try_config(by: Principal, kind: str, config: dict[str, Any], saved: int | None = None) -> Trial:
    """Run a source of `kind` with `config` that is not saved; credentials may be those of the source `saved`.

    Raises Invalid, Missing and Forbidden as making or changing the source would, TooOften, and NoAnswer.
    """
    source_kinds.check(kind)
    source = Source(kind=kind, name="(not saved)") if saved is None else sources.find(by, saved)
    sources.check_right(by, CREATE if saved is None else CHANGE, source)
    if source.kind != kind:
        raise Invalid("kind", f"kind: {source.name} is of the kind {source.kind}.")
    source_configs.set_config(source, config, by)
    return _try(source, by)


def _try(source: Source, by: Principal) -> Trial:
    if wait_s := limits.spend(f"trial:{by.name}", 1, PER_MINUTE, time.time()):
        raise TooOften(f"A source may be tried {PER_MINUTE} times a minute; wait {wait_s} s.", wait_s)
    log.info("source tried", source=source.name, kind=source.kind, by=by.name)
    source_kinds.check(source.kind)
    try:
        found = _ask(Job.of(source), kinds()[source.kind].timeout_s + GRACE_S, by)
    except (RedisError, OperationalError):
        raise NoAnswer("Redis does not answer; try again.") from None
    if found is None:
        raise NoAnswer("No collecting worker answered in time; /readyz says whether one runs.")
    said = json.loads(found)
    return Trial(**{**said, "samples": tuple(Would(**one) for one in said["samples"])})


def _ask(job: Job, timeout_s: float, by: Principal) -> str | None:
    """Have the trial made: one at a time for each, since a few that hang would keep all workers busy."""
    with slots.hold(f"trying:{by.name}", timeout_s) as alone:
        if not alone:
            raise TooOften("Another test of yours is still going on; wait for it.", STILL_GOING_S)
        return collecting.ask(json.dumps(asdict(job)), timeout_s)


def answer(id: str) -> None:
    """Make the trial that somebody waits for under `id`, and tell the result; on the collecting worker."""
    question = collecting.take(id)
    if question is not None:
        collecting.answer(id, json.dumps(asdict(_trial(Job(**json.loads(question))))))


def _trial(job: Job) -> Trial:
    began, note, error = time.perf_counter(), "", ""
    found: Sequence[Sample] = ()
    verdict: Verdict | None = None
    try:
        found, note, verdict = attempt(job, _sifted)
    except Failed as problem:
        found, error = problem.done or [], str(problem)
    shown = tuple(Would(one.metric, dict(one.labels), one.value, one.unit or "", one.at) for one in found[:SHOWN_MOST])
    return Trial(time.perf_counter() - began, len(found), shown, note, error, verdict or "")


def _sifted(found: list[Sample]) -> tuple[Sequence[Sample], Refused]:
    sifted = sift(found, time.time())
    return sifted.good, sifted.refused
