"""Configs of rows that have credentials in them: checked by their class, and the credentials kept encrypted apart."""

from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from pydantic import BaseModel, ValidationError

from metrics.access.policy import CREATE, TRUSTED, may
from metrics.access.principal import Principal
from metrics.actions import credentials
from metrics.actions.errors import Invalid, check_storable, sentences
from metrics.sources.http_config import HttpConfig
from metrics.versioned import Versioned, upgraded

log = structlog.get_logger(__name__)


class Row(Protocol):
    """A row with a config; `secrets` is as `credentials.keep` makes it, `trusted` says that an administrator set it."""

    config: Any
    secrets: str
    version: int
    trusted: bool


def set_config(row: Row, config_class: type[Versioned], config: Mapping[str, Any], by: Principal) -> None:
    """Give `row` this `config`, as yet without saving it. Raises Invalid if `config_class` does not take that.

    Credentials that `config` does not name are kept. But who is not an administrator can't have them sent
    somewhere else: to change anything about the config they have to be given again.
    """
    secret = credentials.names(config_class)
    given = {name: value for name, value in config.items() if name in secret}
    keeps = [name for name in credentials.kept(row.secrets) if name not in given]
    full = {name: value for name, value in config.items() if name not in secret or credentials.is_set(value)}
    full |= _kept(row, keeps)
    valid = checked(config_class, full, "config")
    changes = bool(given) or valid != row.config
    is_trusted = may(by, CREATE, TRUSTED)
    if keeps and changes and not is_trusted:
        raise Invalid(
            f"config.{keeps[0]}", f"config.{keeps[0]}: a person who changes the config has to enter this again."
        )
    if changes or is_trusted:
        row.trusted = is_trusted
    row.config, row.version = valid, config_class.version
    row.secrets = credentials.keep({name: full[name] for name in secret if name in full})


def checked(config_class: type[BaseModel], config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return `config` as `config_class` takes it, but for its credentials. Raises Invalid for fields in `where`."""
    check_storable(dict(config), where)
    secret = credentials.names(config_class)
    try:
        valid = config_class.model_validate(config)
    except ValidationError as problem:
        given = {name: value for name, value in config.items() if name in secret}
        first, *others = [(field, credentials.hide(said, given)) for field, said in sentences(problem, where)]
        raise Invalid(*first, *others) from None
    return valid.model_dump(mode="json", exclude_unset=True, exclude=set(secret))


def shown(config_class: type[BaseModel] | None, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return `config` as the journal keeps it: the address as far as it may be shown, and of headers the names.

    The rest of either may be a key.
    """
    found = {f"config.{name}": value for name, value in config.items()}
    if config_class is not None and issubclass(config_class, HttpConfig):
        if "url" in config:
            found["config.url"] = config_class.model_construct(**config).where
        if "headers" in config:
            found["config.headers"] = sorted(config["headers"])
    return found


def changed_unshown(
    config_class: type[BaseModel] | None, before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    """Return, for the journal, which fields of a config differ in what `shown` leaves out."""
    was, now = shown(config_class, before), shown(config_class, after)
    names = [f"config.{name}" for name in sorted(before.keys() & after.keys()) if before[name] != after[name]]
    return {"changed, but not shown": unshown} if (unshown := [one for one in names if was[one] == now[one]]) else {}


def renew(row: Row, name: str) -> bool:
    """Have the credentials of `row` kept under today's key, and return whether they are to be saved."""
    try:
        row.secrets = credentials.renewed(row.secrets)
    except credentials.LostKey as problem:
        log.warning("credentials can't be read", of=name, error=str(problem))
        return False
    return True


def upgrade(row: Row, config_class: type[Versioned], name: str) -> bool:
    """Give the config of `row` the form of this release, and return whether it is to be saved."""
    if row.version >= config_class.version:
        return False
    try:
        secret = credentials.read(row.secrets)
    except credentials.LostKey:
        secret = {}
    full = upgraded(config_class, {**row.config, **secret}, row.version)
    names = credentials.names(config_class)
    row.config = {field: value for field, value in full.items() if field not in names}
    if secret:
        row.secrets = credentials.keep({field: full[field] for field in names if field in full})
    row.version = config_class.version
    log.info("config upgraded", of=name, version=row.version)
    return True


def _kept(row: Row, names: list[str]) -> dict[str, Any]:
    try:
        kept = credentials.read(row.secrets) if names else {}
    except credentials.LostKey:
        message = f"config.{names[0]}: it can't be read with this SECRET_KEY any more; enter it again."
        raise Invalid(f"config.{names[0]}", message) from None
    return {name: kept[name] for name in names}
