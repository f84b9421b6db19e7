"""Running sources on their schedule, and making them."""

import time
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone
from pydantic import ValidationError

from metrics.actions import samples
from metrics.actions.problems import Invalid, check_storable, sentence
from metrics.live import health, slots
from metrics.models import Source
from metrics.sample import BadSamples
from metrics.sources.base import SourceError
from metrics.sources.registry import kinds

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed slot of a source; its run is worth nothing after `every_s` seconds."""

    source: int
    every_s: int


def due(now: float) -> list[Due]:
    """Claim and return the slots that `now` (Unix seconds) lies in, of all sources whose slot was not claimed yet."""
    health.record_tick(now)
    schedules = Source.objects.filter(enabled=True, every_s__isnull=False).values_list("pk", "every_s")
    return [
        Due(source, every_s)
        for source, every_s in schedules
        if every_s is not None and slots.claim(source, every_s, now)
    ]


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


def create(kind: str, name: str, every_s: int, config: dict[str, Any], enabled: bool = True) -> Source:
    """Make a source. Raises Invalid for an unknown kind, a name in use, or a config the kind does not take."""
    checked = check(kind, config)
    try:
        with transaction.atomic():
            return Source.objects.create(kind=kind, name=name, every_s=every_s, config=checked, enabled=enabled)
    except IntegrityError:
        raise Invalid("name", f"There is a source {name!r} already.") from None


def check(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return `config` as sources of `kind` take it. Raises Invalid if there is no such kind or it does not take it."""
    if kind not in kinds():
        raise Invalid("kind", f"There is no source kind {kind!r}; there are {', '.join(sorted(kinds()))}.")
    check_storable(config, "config")
    try:
        return kinds()[kind].config_class.model_validate(config).model_dump(exclude_unset=True)  # type: ignore[no-any-return]
    except ValidationError as problem:
        raise Invalid(*sentence(problem, "config")) from None
