"""Making, changing and removing sources."""

from collections.abc import Mapping
from typing import Any

import structlog
from celery.exceptions import OperationalError
from django.db import IntegrityError, transaction
from redis import RedisError

from metrics.access.principal import SYSTEM, Principal
from metrics.actions import journal, source_configs, source_kinds, source_retention, source_schedules
from metrics.actions.errors import Errors, Forbidden, Invalid, Missing, NoAnswer, check_storable
from metrics.actions.source_retention import LIMITS
from metrics.models import Source, Token
from metrics.redis_state import collecting
from metrics.sources.registry import kinds

log = structlog.get_logger(__name__)

NAME_MOST = 100


def create(
    kind: str,
    name: str,
    every_s: int | None,
    config: dict[str, Any],
    enabled: bool = True,
    *,
    cron: str = "",
    time_zone: str = "",
    retention: Mapping[str, int | None] | None = None,
    by: Principal,
) -> Source:
    """Make a source that runs either every `every_s` seconds or by `cron`.

    Without `time_zone`, cron is in that of the installation; `retention` has some of the fields of
    source_retention.LIMITS. Raises Invalid for an unknown kind, a name in use, a schedule that can't be, or a config
    the kind does not take; Forbidden if `by` may not make it.
    """
    source_kinds.check(kind)
    check_right(by, "add", kind)
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
    errors.check()
    with transaction.atomic():
        _save(source)
        journal.record(by, "create", source, after=facts(source))
    log.info("source made", source=source.name, kind=kind, by=by.name)
    return source


def change(id: int, changes: Mapping[str, Any], by: Principal) -> Source:
    """Change a source, and leave the rest as it is.

    `changes` are some of name, every, cron, time_zone, config, enabled and those of source_retention.LIMITS.
    A credential that `config` does not name stays, an empty one is removed. Of what a token pushes only the retention
    may change; what comes by itself may be turned on and off, too. Raises Missing, Forbidden and Invalid, and then
    nothing is changed.
    """
    with transaction.atomic():
        source = _locked(id)
        check_right(by, "change", source.kind)
        before = facts(source)
        if changes.keys() - LIMITS.keys():
            _check_editable(source)
        if changes.keys() - LIMITS.keys() - {"enabled"}:
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
        errors.check()
        source.enabled = changes.get("enabled", source.enabled)
        _save(source)
        given = source_configs.credentials_given(source, changes.get("config", {}))
        journal.record(by, "change", source, before, facts(source) | given)
    log.info("source changed", source=source.name, by=by.name, fields=sorted(changes))
    return source


def delete(id: int, by: Principal) -> None:
    """Remove a source and the history of its runs; its series stay. Raises Missing, Forbidden and Invalid."""
    with transaction.atomic():
        source = _locked(id)
        check_right(by, "delete", source.kind)
        if Token.objects.filter(source=source, revoked_at=None).exists():
            raise Invalid("id", f"{source.name} belongs to a token; revoke the token first.")
        journal.record(by, "delete", source, before=facts(source))
        source.delete()
    log.info("source removed", source=source.name, by=by.name)


def run_now(id: int, by: Principal) -> None:
    """Have a source run at once, whatever its schedule says. Raises Missing, Forbidden, Invalid and NoAnswer."""
    source = find(id)
    check_right(by, "change", source.kind)
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


def find(id: int) -> Source:
    """Return the source `id`. Raises Missing."""
    source = Source.objects.filter(pk=id).first()
    if source is None:
        raise Missing(f"There is no source {id}.")
    return source


def _locked(id: int) -> Source:
    source = Source.objects.select_for_update().filter(pk=id).first()
    if source is None:
        raise Missing(f"There is no source {id}.")
    return source


def check_right(by: Principal, right: str, kind: str) -> None:
    """Raise Forbidden unless `by` has the `right` (add, change or delete) to sources of `kind`."""
    if not by.may(right, "source"):
        raise Forbidden(f"You have no right to {right} sources; ask an administrator for it.")
    if kind in kinds() and kinds()[kind].administrators_only and not by.is_admin:
        raise Forbidden(f"Sources of the kind {kind} are for administrators only.")


def may(by: Principal, right: str, source: Source) -> bool:
    """Return whether `by` has the `right` (change or delete) to `source`."""
    try:
        check_right(by, right, source.kind)
    except Forbidden:
        return False
    return True


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


FIELDS = ("name", "every_s", "cron", "time_zone", "config", "secrets", "trusted", "enabled", *LIMITS)
"""Fields that users set on a source; its runs write the others."""


def facts(source: Source) -> dict[str, Any]:
    """Return what the journal keeps of a source: of its credentials only which are set."""
    kept = {name: getattr(source, name) for name in FIELDS if name not in ("config", "secrets")}
    config = {f"config.{name}": value for name, value in source.config.items()}
    return {"kind": source.kind, **kept, **config, "credentials": source_configs.credentials_of(source)}


def _save(source: Source) -> None:
    try:
        with transaction.atomic():
            source.save(update_fields=FIELDS if source.pk else None)
    except IntegrityError:
        raise Invalid("name", f"There is a source {source.name!r} already.") from None
