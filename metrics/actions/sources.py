"""Making, changing and removing sources."""

import sys
from collections.abc import Mapping
from typing import Any

import structlog
from celery.exceptions import OperationalError
from django.conf import settings
from django.db import IntegrityError, transaction
from pydantic import ValidationError
from redis import RedisError

from metrics.access.principal import SYSTEM, Principal
from metrics.actions import credentials, journal
from metrics.actions.errors import Errors, Forbidden, Invalid, Missing, NoAnswer, check_storable, sentences
from metrics.models import Source, Token
from metrics.models.source import RETENTION_MOST_DAYS
from metrics.redis_state import collecting
from metrics.schedule import BadSchedule, Schedule
from metrics.sources.base import SourceConfig, SourceKind
from metrics.sources.registry import kinds
from metrics.versioned import upgraded

log = structlog.get_logger(__name__)

EVERY_MOST_S = 86_400
NAME_MOST = 100
RETENTION_MOST = {
    "raw_retention_hours": RETENTION_MOST_DAYS * 24,
    "minute_retention_days": RETENTION_MOST_DAYS,
    "hour_retention_days": RETENTION_MOST_DAYS,
}
"""The fields that say how long samples are kept, each with the most it may be; None is what the settings say."""


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

    Without `time_zone`, cron is in that of the installation; `retention` has some of the fields of RETENTION_MOST.
    Raises Invalid for an unknown kind, a name in use, a schedule that can't be, or a config the kind does not take;
    Forbidden if `by` may not make it.
    """
    check_kind(kind)
    check_right(by, "add", kind)
    _check_by_hand(kind, by)
    source, errors = Source(kind=kind, enabled=enabled), Errors()
    with errors:
        source.name = check_name(name)
    with errors:
        _set(source, check_schedule(every_s, cron, time_zone))
    with errors:
        set_config(source, config, by)
    with errors:
        _set(source, check_retention(retention or {}))
    errors.check()
    with transaction.atomic():
        _save(source)
        journal.record(by, "create", source, after=facts(source))
    log.info("source made", source=source.name, kind=kind, by=by.name)
    return source


def change(id: int, changes: Mapping[str, Any], by: Principal) -> Source:
    """Change a source; `changes` are some of name, every, cron, time_zone, config, enabled and those of RETENTION_MOST.

    The rest stays. A credential that `config` does not name stays, an empty one is removed. Of what a token pushes
    only the retention may change; what comes by itself may be turned on and off, too. Raises Missing, Forbidden and
    Invalid, and then nothing is changed.
    """
    with transaction.atomic():
        source = _locked(id)
        check_right(by, "change", source.kind)
        before = facts(source)
        if changes.keys() - RETENTION_MOST.keys():
            _check_editable(source)
        if changes.keys() - RETENTION_MOST.keys() - {"enabled"}:
            _check_by_hand(source.kind, by)
        errors = Errors()
        with errors:
            source.name = check_name(changes.get("name", source.name))
        with errors:
            _set(source, _new_schedule(source, changes) if changes.keys() & {"every", "cron", "time_zone"} else {})
        with errors:
            if "config" in changes:
                check_kind(source.kind)
                set_config(source, changes["config"], by)
        with errors:
            _set(source, check_retention({name: changes[name] for name in RETENTION_MOST if name in changes}))
        errors.check()
        source.enabled = changes.get("enabled", source.enabled)
        _save(source)
        journal.record(by, "change", source, before, facts(source) | _given(source, changes.get("config", {})))
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


def renew_credentials() -> None:
    """Have all credentials kept under today's SECRET_KEY, so that the earlier ones are needed no more."""
    if not settings.SECRET_KEY_FALLBACKS:
        return
    for source in Source.objects.exclude(secrets="").select_for_update():
        try:
            source.secrets = credentials.renewed(source.secrets)
        except credentials.LostKey as problem:
            log.warning("credentials can't be read", source=source.name, error=str(problem))
        else:
            source.save(update_fields=["secrets"])


def upgrade_configs() -> None:
    """Give what earlier releases stored the form that this one has. One that it can't take says so when it runs."""
    for source in Source.objects.exclude(kind=Source.PUSH).select_for_update():
        config_class = kinds()[source.kind].config_class if source.kind in kinds() else None
        if config_class is None or source.version >= config_class.version:
            continue
        try:
            secret = credentials.read(source.secrets)
        except credentials.LostKey:
            secret = {}
        full = upgraded(config_class, {**source.config, **secret}, source.version)
        names = credentials.names(config_class)
        source.config = {name: value for name, value in full.items() if name not in names}
        if secret:
            source.secrets = credentials.keep({name: full[name] for name in names if name in full})
        source.version = config_class.version
        source.save(update_fields=["config", "secrets", "version"])
        log.info("config upgraded", source=source.name, version=source.version)


def find(id: int) -> Source:
    """Return the source `id`. Raises Missing."""
    source = Source.objects.filter(pk=id).first()
    if source is None:
        raise Missing(f"There is no source {id}.")
    return source


def about(kind: SourceKind[Any]) -> dict[str, Any]:
    """Return what there is to know before one makes a source of `kind`; `config_schema` is a JSON schema."""
    return {
        "kind": kind.kind,
        "description": _first_sentence(sys.modules[type(kind).__module__].__doc__ or ""),
        "timeout": kind.timeout_s,
        "administrators_only": kind.administrators_only,
        "comes_from": kind.comes_from,
        "credentials": sorted(credentials.names(kind.config_class)),
        "config_schema": kind.config_class.model_json_schema(),
    }


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


def credentials_of(source: Source) -> list[str]:
    """Return the names of the credentials that are set."""
    return credentials.kept(source.secrets)


def key_is_lost(source: Source) -> bool:
    """Return whether `source` has credentials that can't be read any more."""
    try:
        credentials.read(source.secrets)
    except credentials.LostKey:
        return True
    return False


def _locked(id: int) -> Source:
    source = Source.objects.select_for_update().filter(pk=id).first()
    if source is None:
        raise Missing(f"There is no source {id}.")
    return source


def check_kind(kind: str) -> None:
    """Raise Invalid if there is no kind `kind` that collects."""
    if kind not in kinds():
        raise Invalid("kind", f"There is no source kind {kind!r}; there are {', '.join(sorted(kinds()))}.")


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


def comes_from(kind: str) -> str:
    """Return what makes and changes sources of `kind` by itself; an empty text if people do."""
    return kinds()[kind].comes_from if kind in kinds() else ""


def _check_by_hand(kind: str, by: Principal) -> None:
    if comes_from(kind) and by != SYSTEM:
        raise Invalid("kind", f"Sources of the kind {kind} come from {comes_from(kind)}; make and change them there.")


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


def _new_schedule(source: Source, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the schedule after `changes`: to give one of every and cron takes the other one away."""
    every_s, cron = changes.get("every"), changes.get("cron", "")
    if every_s is None and not cron:
        every_s, cron = source.every_s, source.cron
    return check_schedule(every_s, cron, changes.get("time_zone", source.time_zone if cron else ""))


def check_retention(fields: Mapping[str, int | None]) -> Mapping[str, int | None]:
    """Return `fields`, some of RETENTION_MOST. Raises Invalid for a value that is out of bounds."""
    for name, value in fields.items():
        if value is not None and not 1 <= value <= RETENTION_MOST[name]:
            raise Invalid(name, f"{name} is a whole number from 1 to {RETENTION_MOST[name]}.")
    return fields


def check(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return `config` as sources of `kind` take it, but for its credentials.

    Raises Invalid if there is no such kind or it does not take that.
    """
    check_kind(kind)
    return _checked(kinds()[kind].config_class, config, "config")


def set_config(source: Source, config: dict[str, Any], by: Principal) -> None:
    """Give `source` this `config`, as yet without saving it. Raises Invalid if its kind does not take that.

    Credentials that `config` does not name are kept. But who is not an administrator can't have them sent
    somewhere else: to change anything about the config they have to be given again.
    """
    config_class = kinds()[source.kind].config_class
    secret = credentials.names(config_class)
    given = {name: value for name, value in config.items() if name in secret}
    keeps = [name for name in credentials.kept(source.secrets) if name not in given]
    full = {name: value for name, value in config.items() if name not in secret or credentials.is_set(value)}
    full |= _kept(source, keeps)
    checked = _checked(config_class, full, "config")
    changes = bool(given) or checked != source.config
    if keeps and changes and not by.is_admin:
        raise Invalid(f"config.{keeps[0]}", f"config.{keeps[0]}: who changes the config has to enter this again.")
    if changes or by.is_admin:
        source.trusted = by.is_admin
    source.config, source.version = checked, config_class.version
    source.secrets = credentials.keep({name: full[name] for name in secret if name in full})


def _kept(source: Source, names: list[str]) -> dict[str, Any]:
    try:
        kept = credentials.read(source.secrets) if names else {}
    except credentials.LostKey:
        message = f"config.{names[0]}: it can't be read with this SECRET_KEY any more; enter it again."
        raise Invalid(f"config.{names[0]}", message) from None
    return {name: kept[name] for name in names}


def _checked(config_class: type[SourceConfig], config: dict[str, Any], where: str) -> dict[str, Any]:
    check_storable(config, where)
    secret = credentials.names(config_class)
    try:
        valid = config_class.model_validate(config)
    except ValidationError as problem:
        given = {name: value for name, value in config.items() if name in secret}
        first, *others = [(field, credentials.hide(said, given)) for field, said in sentences(problem, where)]
        raise Invalid(*first, *others) from None
    return valid.model_dump(mode="json", exclude_unset=True, exclude=set(secret))


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


FIELDS = ("name", "every_s", "cron", "time_zone", "config", "secrets", "trusted", "enabled", *RETENTION_MOST)
"""What is said about a source, as opposed to what its runs note on it."""


def facts(source: Source) -> dict[str, Any]:
    """Return what the journal keeps of a source: of its credentials only which are set."""
    kept = {name: getattr(source, name) for name in FIELDS if name not in ("config", "secrets")}
    config = {f"config.{name}": value for name, value in source.config.items()}
    return {"kind": source.kind, **kept, **config, "credentials": credentials_of(source)}


def _given(source: Source, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return, for the journal, which credentials a change gave anew."""
    secret = credentials.names(kinds()[source.kind].config_class) if source.kind in kinds() else frozenset()
    return {"credentials_given": given} if (given := sorted(secret & config.keys())) else {}


def _save(source: Source) -> None:
    try:
        with transaction.atomic():
            source.save(update_fields=FIELDS if source.pk else None)
    except IntegrityError:
        raise Invalid("name", f"There is a source {source.name!r} already.") from None
