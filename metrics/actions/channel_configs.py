"""Configs of channels, and the credentials in them, kept encrypted."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from pydantic import ValidationError

from metrics.actions import configs, credentials, odd_rows
from metrics.actions.errors import Invalid
from metrics.alerts.digest import DigestSpec
from metrics.models import Channel
from metrics.notify.base import AnyChannelKind
from metrics.notify.registry import kinds
from metrics.versioned import upgraded


def kind_of(channel: Channel) -> AnyChannelKind:
    """Return the kind of `channel`. Raises Invalid if there is none any more."""
    return check_kind(channel.kind)


def check_kind(kind: str) -> AnyChannelKind:
    """Return the kind `kind`. Raises Invalid if there is none."""
    if kind not in kinds():
        raise Invalid("kind", f"kind: there is no kind of channel {kind[:50]!r}; there are {', '.join(kinds())}.")
    return kinds()[kind]


def secrets_of(channel: Channel) -> dict[str, Any]:
    """Return the credentials of `channel`. Raises LostKey."""
    return credentials.read(channel.secrets)


def full(channel: Channel, secret: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole config of `channel`, in the form of this release."""
    if not isinstance(channel.config, dict):
        raise ValueError("its config is no object")
    return upgraded(kind_of(channel).config_class, {**channel.config, **secret}, channel.version)


def digest_of(channel: Channel) -> DigestSpec | None:
    """Return how `channel` hears of what can wait; None if it hears of it at once, also if that can't be read."""
    if channel.digest is None:
        return None
    try:
        return DigestSpec.model_validate(upgraded(DigestSpec, channel.digest, channel.digest_version))
    except ValueError as problem:
        odd_rows.left_out(channel, problem)
        return None


def where(channel: Channel) -> str:
    """Return where `channel` goes, in a few words without credentials; empty if that can't be read."""
    try:
        kind = kind_of(channel)
        return kind.where(kind.config_class.model_validate(full(channel, secrets_of(channel))))
    except (Invalid, ValidationError, ValueError, credentials.LostKey):
        return ""


def renew_credentials() -> None:
    """Have all credentials kept under today's SECRET_KEY, so that the earlier ones are needed no more."""
    if not settings.SECRET_KEY_FALLBACKS:
        return
    for channel in Channel.objects.exclude(secrets="").select_for_update():
        if configs.renew(channel, channel.name):
            channel.save(update_fields=["secrets"])


def upgrade() -> None:
    """Give what earlier releases stored the form that this one has."""
    for channel in Channel.objects.select_for_update():
        if channel.kind in kinds() and configs.upgrade(channel, kinds()[channel.kind].config_class, channel.name):
            channel.save(update_fields=["config", "secrets", "version"])
        if isinstance(channel.digest, dict) and channel.digest_version < DigestSpec.version:
            channel.digest = upgraded(DigestSpec, channel.digest, channel.digest_version)
            channel.digest_version = DigestSpec.version
            channel.save(update_fields=["digest", "digest_version"])
