"""Running a source, noting how that went, and the history of runs."""

import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self, TypeVar

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import BigAutoField, F
from django.utils import timezone
from pydantic import ValidationError

from metrics.actions import credentials, journal, samples, source_status, watches
from metrics.actions.errors import sentence
from metrics.batch import Refused
from metrics.database import unavailable
from metrics.models import Run, Source, Transition
from metrics.prepared_query import PreparedQuery
from metrics.redis_state import slots
from metrics.sample import UNSTORABLE, BadSamples, Sample
from metrics.sources import network_policy
from metrics.sources.base import SourceError
from metrics.sources.registry import kinds
from metrics.verdict import Verdict

log = structlog.get_logger(__name__)

T = TypeVar("T")

TEXT_MOST = 300
RECENT = 30
RUNS_KEPT = 200
PRUNED_AT_ONCE = 1000
GOOD, FAILED, DOWN, WARNING = range(4)
"""Results of a run in `Source.recent`."""
FOUND: dict[str | None, int] = {Verdict.DOWN: DOWN, Verdict.WARNING: WARNING}
_ENABLED = PreparedQuery(lambda pk: Source.objects.filter(pk=pk, enabled=True).order_by(), BigAutoField())


@dataclass(frozen=True, slots=True)
class Job:
    """Facts about a source that a run needs: `secrets` is as `credentials.keep` made it, `name` is for the log."""

    kind: str
    name: str
    config: Mapping[str, Any]
    secrets: str
    trusted: bool

    @classmethod
    def of(cls, source: Source) -> Self:
        return cls(source.kind, source.name, source.config, source.secrets, source.trusted)


class Failed(Exception):
    """A run that failed; the message is one sentence, without credentials.

    `done` is what was made of the samples that it had all the same, None if there were none.
    """

    def __init__(self, message: str, done: Any = None) -> None:
        super().__init__(message)
        self.done = done


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a run: the accepted `samples`, a `note` from the run, or what went wrong in one sentence.

    `verdict` is that of what it checked, None if it checked nothing or failed.
    """

    samples: int = 0
    note: str = ""
    verdict: Verdict | None = None
    error: str = ""


def grade(error: str, verdict: str | None) -> int:
    """Return how `Source.recent` has a run with this error, empty if it did not fail, and this verdict, if any."""
    return FAILED if error else FOUND.get(verdict, GOOD)


def collect(source_id: int) -> None:
    """Run one source and accept its samples. A run that fails is noted on the source, and is not an exception."""
    source = next(iter(_ENABLED.objects(Source, source_id)), None)
    if source is None:
        return
    kind = kinds().get(source.kind)
    with slots.run(source_id, kind.timeout_s if kind else 1) as alone:
        if not alone:
            log.info("source still runs, slot dropped", source=source.name)
            return
        started_at, began = timezone.now(), time.perf_counter()
        _release_connection()
        outcome = _outcome(source)
        _note(source, started_at, time.perf_counter() - began, outcome)


def _release_connection() -> None:
    """Give our connection to the database back: a run that hangs must not keep one of the few from the others.

    SQLite has no few: there each thread keeps its own, since opening the file takes as long as a short run.
    """
    if connection.vendor != "sqlite" and not connection.in_atomic_block:
        connection.close()


def _outcome(source: Source) -> Outcome:
    try:
        return Outcome(*attempt(Job.of(source), lambda found: _store(found, source)))
    except Failed as problem:
        return Outcome(problem.done or 0, error=str(problem))


def _store(found: list[Sample], source: Source) -> tuple[int, Refused]:
    try:
        now = time.time()
        (accepted,) = samples.accept([samples.checked(found, source, now, whole=False)], now)
        return accepted.count, accepted.refused
    except IntegrityError:
        if Source.objects.filter(pk=source.pk).exists():
            raise
        raise Failed("It was removed while it ran.") from None


def attempt(job: Job, finish: Callable[[list[Sample]], tuple[T, Refused]]) -> tuple[T, str, Verdict | None]:
    """Do `job`; return what `finish` makes of its samples, the line that the run said about itself, and its verdict.

    `finish` also returns which samples it refused; the line says so. Raises Failed if anything goes wrong with either,
    also if all are refused, but lets errors of our own database through.
    """
    if job.kind not in kinds():
        raise Failed(f"There is no source kind {job.kind!r}.")
    secret, done = dict[str, Any](), None
    try:
        secret = credentials.read(job.secrets)
        found, error = _gather(job, secret)
        if found or not error:
            done, refused = finish(found)
            left_out = refused.sentence(len(found))
            if not error and (not found or len(refused) < len(found)):
                note, verdict = getattr(found, "note", ""), getattr(found, "verdict", None)
                return done, _storable(_joined(left_out, note), secret), verdict
            error = _joined(error, left_out)
    except (BadSamples, credentials.LostKey) as problem:
        error = str(problem)
    except ValidationError as problem:
        error = sentence(problem, "config")[1]
    except Failed:
        raise
    except Exception as problem:  # a collector's bug must show on its source, and must not stop the others
        if unavailable(problem):
            raise
        log.error("source failed", source=job.name, exception=credentials.hide(traceback.format_exc(), secret))
        error = f"{type(problem).__name__}: {problem}"
    raise Failed(_storable(error, secret), done)


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _gather(job: Job, secret: Mapping[str, Any]) -> tuple[list[Sample], str]:
    """Return the samples of a run, and why it failed, in one sentence, if it did."""
    kind = kinds()[job.kind]
    try:
        with nullcontext() if job.trusted else network_policy.limited():
            return kind.collect(kind.config_class.model_validate({**job.config, **secret})), ""
    except SourceError as problem:
        return problem.samples, str(problem)


def _storable(text: str, secret: Mapping[str, Any]) -> str:
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", credentials.hide(text, secret))[:TEXT_MOST]


def _note(source: Source, started_at: datetime, duration_s: float, outcome: Outcome) -> None:
    failed = bool(outcome.error)
    changes: dict[str, Any] = {
        "last_run_at": started_at,
        "last_duration_s": duration_s,
        "last_samples": outcome.samples,
        "last_error": outcome.error,
        "last_note": outcome.note,
        "last_verdict": outcome.verdict or "",
        "recent": [*source.recent[1 - RECENT :], [round(duration_s, 4), grade(outcome.error, outcome.verdict)]],
        "failures": F("failures") + 1 if failed else 0,
    }
    if not failed:
        changes["last_success_at"] = started_at
    with transaction.atomic():
        if Source.objects.filter(pk=source.pk).update(**changes):  # else it was deleted meanwhile
            fields = {**asdict(outcome), "verdict": outcome.verdict or ""}
            run = Run(source=source, started_at=started_at, duration_s=duration_s, **fields)
            run.save(force_insert=True)
            moved = _moved(source, started_at, outcome)
            journal.moved(moved)
            watches.notify_of_transitions(moved)


def _moved(source: Source, at: datetime, outcome: Outcome) -> list[Transition]:
    """Return the change of how `source` stands, if its run came to something else than the one before."""
    before = source_status.of_run(source.last_error, source.last_verdict)
    after = source_status.of_run(outcome.error, outcome.verdict or "")
    if before == after:
        return []
    return [journal.transition(source, before.word, after.word, at.timestamp(), outcome.error or outcome.note)]


def prune() -> int:
    """Delete the runs that are more than the newest `RUNS_KEPT` of their source; return how many those were."""
    deleted = 0
    for source in Source.objects.values_list("pk", flat=True):
        newest_first = Run.objects.filter(source=source).order_by("-id").values_list("pk", flat=True)
        surplus = list(newest_first[RUNS_KEPT : RUNS_KEPT + PRUNED_AT_ONCE])
        if surplus:
            deleted += Run.objects.filter(pk__in=surplus).delete()[0]
    return deleted
