"""Making, changing and removing sources."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from celery.exceptions import OperationalError
from django.db import IntegrityError, transaction
from pydantic import ValidationError
from redis import RedisError

from metrics.access import policy
from metrics.access.policy import CHANGE, CREATE, DELETE, TRUSTED, visible
from metrics.access.principal import SYSTEM, Principal
from metrics.access.sharing import Access
from metrics.actions import journal, locks, source_configs, source_kinds, source_retention, source_schedules, teams
from metrics.actions.errors import Errors, Forbidden, Invalid, Missing, NoAnswer, check_storable, sentence
from metrics.actions.source_retention import LIMITS
from metrics.models import Source, Token
from metrics.redis_state import collecting
from metrics.sources.registry import kinds

log = structlog.get_logger(__name__)

NAME_MOST = 100


def create(
    by: Principal,
    kind: str,
    name: str,
    every_s: int | None,
    config: dict[str, Any],
    enabled: bool = True,
    *,
    cron: str = "",
    time_zone: str = "",
    retention: Mapping[str, int | None] | None = None,
    access: Access | None = None,
) -> Source:
    """Make a source that runs either every `every_s` seconds or by `cron`.

    Without `time_zone`, cron is in that of the installation; `retention` has some of the fields of
    source_retention.LIMITS. Without `access` it is for everyone, and every editor may change it. Raises Invalid for an
    unknown kind, a name in use, a schedule that can't be, or a config the kind does not take; Forbidden if `by` may
    not make it.
    """
    source_kinds.check(kind)
    check_right(by, CREATE, Source(kind=kind))
    _check_by_hand(kind, by)
    source, errors = Source(kind=kind, enabled=enabled), Errors()
    with errors:
        source.name = check_name(name)
    with errors:
        _set(source, source_schedules.check(every_s, cron, time_zone))
    with errors:
        source_configs.set_config(source, config, by)
    with errors:
        _set(source, source_retention.check(retention or {}))
    with errors:
        owners = teams.owners(by, [], access or Access())
    errors.check()
    with transaction.atomic():
        source.for_everyone = access is None or access.everyone
        _save(source)
        source.teams.set(owners)
        journal.record(by, "create", source, after=facts(source))
    log.info("source made", source=source.name, kind=kind, by=by.name)
    return source


def change(by: Principal, id: int, changes: Mapping[str, Any]) -> Source:
    """Change a source, and leave the rest as it is.

    `changes` are some of name, every, cron, time_zone, config, enabled, access (of the form of `Access`) and those of
    source_retention.LIMITS. A credential that `config` does not name stays, an empty one is removed. Of what a token
    pushes only the retention and the access may change; what comes by itself may be turned on and off, too. Raises
    Missing, Forbidden and Invalid, and then nothing is changed.
    """
    with transaction.atomic():
        source = _locked(by, id)
        check_right(by, CHANGE, source)
        before, config = facts(source), source.config
        kept = changes.keys() - LIMITS.keys() - {"access"}
        if kept:
            _check_editable(source)
        if kept - {"enabled"}:
            _check_by_hand(source.kind, by)
        errors = Errors()
        with errors:
            source.name = check_name(changes.get("name", source.name))
        with errors:
            _set(source, source_schedules.changed(source, changes))
        with errors:
            if "config" in changes:
                source_kinds.check(source.kind)
                source_configs.set_config(source, changes["config"], by)
        with errors:
            _set(source, source_retention.check({name: changes[name] for name in LIMITS if name in changes}))
        with errors:
            access = _access(source, changes)
            owners = teams.owners(by, source.teams.all(), access)
        errors.check()
        source.enabled, source.for_everyone = changes.get("enabled", source.enabled), access.everyone
        _save(source)
        source.teams.set(owners)
        unsaid = source_configs.unsaid(source, config, changes.get("config", {}))
        journal.record(by, "change", source, before, facts(source) | unsaid)
    log.info("source changed", source=source.name, by=by.name, fields=sorted(changes))
    return source


def delete(by: Principal, id: int) -> None:
    """Remove a source and the history of its runs; its series stay. Raises Missing, Forbidden and Invalid.

    The series of one that was not for everyone stay with those it was for, and so does its row, emptied.
    """
    with transaction.atomic():
        source = _locked(by, id)
        check_right(by, DELETE, source)
        if Token.objects.filter(source=source, revoked_at=None).exists():
            raise Invalid("id", f"{source.name} belongs to a token; revoke the token first.")
        journal.record(by, "delete", source, before=facts(source))
        if source.for_everyone:
            source.delete()
        else:
            _empty(source)
    log.info("source removed", source=source.name, by=by.name)


def run_now(by: Principal, id: int) -> None:
    """Have a source run at once, whatever its schedule says. Raises Missing, Forbidden, Invalid and NoAnswer."""
    source = find(by, id)
    check_right(by, CHANGE, source)
    if source.kind == Source.PUSH:
        raise Invalid("id", f"{source.name} is pushed; there is nothing to run.")
    if not source.enabled:
        raise Invalid("enabled", f"{source.name} is off; turn it on first.")
    try:
        collecting.run(source.pk)
    except (RedisError, OperationalError):
        raise NoAnswer("Redis does not answer; try again.") from None
    with transaction.atomic():  # not around the above: nobody can write while SQLite waits for Redis
        journal.record(by, "run", source)
    log.info("source run by hand", source=source.name, by=by.name)


def find(by: Principal, id: int) -> Source:
    """Return the source `id`. Raises Missing, also if it is not for `by` to see."""
    source = visible(by, Source).filter(pk=id).first()
    if source is None:
        raise Missing(f"There is no source {id}.")
    return source


def _locked(by: Principal, id: int) -> Source:
    return locks.locked(find(by, id))


def check_right(by: Principal, verb: str, source: Source) -> None:
    """Raise Forbidden unless `by` may do `verb` to `source`; some kinds are for administrators only."""
    policy.check(by, verb, source)
    if source.kind in kinds() and kinds()[source.kind].administrators_only and not policy.may(by, CREATE, TRUSTED):
        raise Forbidden(f"Sources of the kind {source.kind} are for administrators only.")


def may(by: Principal, verb: str, source: Source) -> bool:
    """Return whether `by` may do `verb` to `source`."""
    try:
        check_right(by, verb, source)
    except Forbidden:
        return False
    return True


def _access(source: Source, changes: Mapping[str, Any]) -> Access:
    if "access" not in changes:
        return teams.access_of(source)
    try:
        return Access.model_validate(changes["access"])
    except ValidationError as problem:
        raise Invalid(*sentence(problem, "access")) from None


def _empty(source: Source) -> None:
    """Leave of `source` only its series and those they are for."""
    source.runs.all().delete()
    source.name, source.deleted_at = f"deleted {source.pk}", datetime.now(UTC)
    source.every_s, source.cron, source.config, source.secrets, source.enabled = None, "", {}, "", False
    source.save()


def _check_editable(source: Source) -> None:
    if source.kind == Source.PUSH:
        raise Invalid("id", f"{source.name} is what a token pushes; only how long it is kept can be changed.")


def _check_by_hand(kind: str, by: Principal) -> None:
    origin = source_kinds.comes_from(kind)
    if origin and by != SYSTEM:
        raise Invalid("kind", f"Sources of the kind {kind} come from {origin}; make and change them there.")


def check_name(name: str) -> str:
    """Return `name` without the space around it. Raises Invalid for one that no source may have."""
    name = name.strip()
    check_storable(name, "name")
    if not name or len(name) > NAME_MOST:
        raise Invalid("name", f"name: a name has 1 to {NAME_MOST} characters.")
    return name


def _set(source: Source, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(source, name, value)


SCHEDULE = ("every_s", "cron", "time_zone")
FIELDS = ("name", *SCHEDULE, "config", "version", "secrets", "trusted", "enabled", "for_everyone", *LIMITS)
"""The fields that people set, as opposed to those that runs note."""


def facts(source: Source) -> dict[str, Any]:
    """Return what the journal keeps of a source: nothing that may be a key, of its credentials only which are set."""
    kept = {name: getattr(source, name) for name in ("name", *SCHEDULE, "trusted", "enabled", *LIMITS)}
    config = source_configs.shown(source)
    access = teams.access_of(source).model_dump() if source.pk else {}
    return {"kind": source.kind, **kept, **config, **access, "credentials": source_configs.credentials_of(source)}


def _save(source: Source) -> None:
    try:
        with transaction.atomic():
            source.save(update_fields=FIELDS if source.pk else None)
    except IntegrityError:
        raise Invalid("name", f"There is a source {source.name!r} already.") from None
