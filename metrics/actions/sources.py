"""Running sources on their schedule, and making them."""

import math
import time
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone
from pydantic import ValidationError

from metrics.actions import samples
from metrics.actions.problems import Invalid, check_storable, sentence
from metrics.live import health, slots
from metrics.models import Source
from metrics.sample import BadSamples
from metrics.schedule import BadSchedule, Schedule
from metrics.sources.base import SourceError
from metrics.sources.registry import kinds

log = structlog.get_logger(__name__)


SCHEDULE = ("pk", "every_s", "cron", "time_zone")
EVERY_MOST_S = 86_400
LATE_MOST_S = 60
"""A run by cron that no tick began within this many seconds is dropped, not made up for."""
WORTH_MOST_S = 3600

_rounds: dict[tuple[str, str], tuple[float, float]] = {}
"""The slot in which each cron, in its time zone, was last found: when it began, and when the next one does."""


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed slot of a source; its run is worth nothing after `worth_s` seconds."""

    source: int
    worth_s: int


def due(now: float) -> list[Due]:
    """Claim and return the slots that `now` (Unix seconds) lies in, of all sources whose slot was not claimed yet."""
    health.record_tick(now)
    found = [_claimed(source, now) for source in Source.objects.filter(enabled=True).only(*SCHEDULE)]
    return [one for one in found if one is not None]


def _claimed(source: Source, now: float) -> Due | None:
    if source.every_s is not None:
        return Due(source.pk, source.every_s) if slots.claim(source.pk, source.every_s, now) else None
    if not source.cron:
        return None
    try:
        began, ends = _round(source, now)
    except BadSchedule as problem:  # its time zone is one that this machine does not know
        Source.objects.filter(pk=source.pk).exclude(last_error=str(problem)).update(last_error=str(problem))
        return None
    if now - began > LATE_MOST_S or not slots.claim_moment(source.pk, began, LATE_MOST_S):
        return None
    return Due(source.pk, math.ceil(min(ends - now, WORTH_MOST_S)))


def _round(source: Source, now: float) -> tuple[float, float]:
    """Return when the slot of a cron source that `now` lies in began, and when the next one does."""
    key = source.cron, source.time_zone
    began, ends = _rounds.get(key, (0.0, 0.0))
    if not began <= now < ends:  # following cron through a calendar is too much work for every second
        schedule = Schedule(None, *key)
        _rounds[key] = began, ends = schedule.slot(now), schedule.after(now)
    return began, ends


def collect(source_id: int) -> None:
    """Run one source and accept its samples. A run that fails is noted on the source, and is not an exception."""
    source = Source.objects.filter(pk=source_id, enabled=True).first()
    if source is None:
        return
    kind = kinds().get(source.kind)
    with slots.run(source_id, kind.timeout_s if kind else 1) as alone:
        if not alone:
            log.info("source still runs, slot dropped", source=source.name)
            return
        began = time.perf_counter()
        count, error = _outcome(source)
        Source.objects.filter(pk=source_id).update(
            last_run_at=timezone.now(),
            last_duration_s=time.perf_counter() - began,
            last_samples=count,
            last_error=error.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:300],
        )


def _outcome(source: Source) -> tuple[int, str]:
    """Run `source`; return how many samples were accepted, and what went wrong in one sentence."""
    if source.kind not in kinds():
        return 0, f"There is no source kind {source.kind!r}."
    kind = kinds()[source.kind]
    try:
        found = kind.collect(kind.config_class.model_validate(source.config))
        return samples.accept(found, source, time.time()), ""
    except (SourceError, BadSamples) as problem:
        return 0, str(problem)
    except ValidationError as problem:
        return 0, sentence(problem, "config")[1]
    except (OperationalError, InterfaceError):
        raise
    except Exception as problem:  # a collector's bug must show on its source, and must not stop the others
        log.exception("source failed", source=source.name)
        return 0, f"{type(problem).__name__}: {problem}"


def create(
    kind: str,
    name: str,
    every_s: int | None,
    config: dict[str, Any],
    enabled: bool = True,
    *,
    cron: str = "",
    time_zone: str = "",
) -> Source:
    """Make a source that runs either every `every_s` seconds or by `cron`.

    Without `time_zone`, cron is in that of the installation. Raises Invalid for an unknown kind, a name in use, a
    schedule that can't be, or a config the kind does not take.
    """
    checked = check(kind, config)
    schedule = check_schedule(every_s, cron, time_zone)
    try:
        with transaction.atomic():
            return Source.objects.create(kind=kind, name=name, config=checked, enabled=enabled, **schedule)
    except IntegrityError:
        raise Invalid("name", f"There is a source {name!r} already.") from None


def check_schedule(every_s: int | None, cron: str, time_zone: str) -> dict[str, Any]:
    """Return the fields of a source that hold its schedule. Raises Invalid for one that can't be."""
    if time_zone and not cron:
        raise Invalid("time_zone", "time_zone belongs to cron; every is the same in all of them.")
    if every_s is not None and not 1 <= every_s <= EVERY_MOST_S:
        raise Invalid("every", f"every is a whole number of seconds from 1 to {EVERY_MOST_S}.")
    zone = (time_zone or settings.TIME_ZONE) if cron else ""
    try:
        Schedule(every_s, cron, zone or "UTC")
    except BadSchedule as problem:
        raise Invalid(problem.field, str(problem)) from None
    return {"every_s": every_s, "cron": cron, "time_zone": zone}


def check(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return `config` as sources of `kind` take it. Raises Invalid if there is no such kind or it does not take it."""
    if kind not in kinds():
        raise Invalid("kind", f"There is no source kind {kind!r}; there are {', '.join(sorted(kinds()))}.")
    check_storable(config, "config")
    try:
        return kinds()[kind].config_class.model_validate(config).model_dump(exclude_unset=True)  # type: ignore[no-any-return]
    except ValidationError as problem:
        raise Invalid(*sentence(problem, "config")) from None
