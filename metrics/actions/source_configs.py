"""Configs of sources, and the credentials in them, kept encrypted."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from pydantic import ValidationError

from metrics.access.principal import Principal
from metrics.actions import credentials, source_kinds
from metrics.actions.errors import Invalid, check_storable, sentences
from metrics.models import Source
from metrics.sources.base import SourceConfig
from metrics.sources.registry import kinds
from metrics.versioned import upgraded

log = structlog.get_logger(__name__)


def check(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return `config` as sources of `kind` take it, but for its credentials.

    Raises Invalid if there is no such kind or it does not take that.
    """
    source_kinds.check(kind)
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


def credentials_of(source: Source) -> list[str]:
    """Return the names of the credentials that are set."""
    return credentials.kept(source.secrets)


def credentials_given(source: Source, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return, for the journal, which credentials a change gave anew."""
    secret = credentials.names(kinds()[source.kind].config_class) if source.kind in kinds() else frozenset()
    return {"credentials_given": given} if (given := sorted(secret & config.keys())) else {}


def key_is_lost(source: Source) -> bool:
    """Return whether `source` has credentials that can't be read any more."""
    try:
        credentials.read(source.secrets)
    except credentials.LostKey:
        return True
    return False


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


def upgrade() -> None:
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
