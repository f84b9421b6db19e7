"""Configs of sources, and the credentials in them, kept encrypted."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from metrics.access.principal import Principal
from metrics.actions import configs, credentials, source_kinds
from metrics.models import Source
from metrics.sources.registry import kinds
from metrics.versioned import Versioned


def check(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return `config` as sources of `kind` take it, but for its credentials.

    Raises Invalid if there is no such kind or it does not take that.
    """
    source_kinds.check(kind)
    return configs.checked(kinds()[kind].config_class, config, "config")


def set_config(source: Source, config: dict[str, Any], by: Principal) -> None:
    """Give `source` this `config`, as `configs.set_config` does. Raises Invalid."""
    configs.set_config(source, kinds()[source.kind].config_class, config, by)


def credentials_of(source: Source) -> list[str]:
    """Return the names of the credentials that are set."""
    return credentials.kept(source.secrets)


def shown(source: Source) -> dict[str, Any]:
    """Return the config of `source` as the journal keeps it."""
    return configs.shown(_config_class(source), source.config)


def unsaid(source: Source, before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return, for the journal, which fields a change gave anew that it does not show; `before` is the former config."""
    config_class = _config_class(source)
    secret = credentials.names(config_class) if config_class else frozenset()
    anew = {"credentials_given": names} if (names := sorted(secret & given.keys())) else {}
    return anew | configs.changed_unshown(config_class, before, source.config)


def _config_class(source: Source) -> type[Versioned] | None:
    return kinds()[source.kind].config_class if source.kind in kinds() else None


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
        if configs.renew(source, source.name):
            source.save(update_fields=["secrets"])


def upgrade() -> None:
    """Give what earlier releases stored the form that this one has. One that it can't take says so when it runs."""
    for source in Source.objects.exclude(kind=Source.PUSH).select_for_update():
        if source.kind in kinds() and configs.upgrade(source, kinds()[source.kind].config_class, source.name):
            source.save(update_fields=["config", "secrets", "version"])
