"""Channels to people outside of the page: which there are, making, changing, testing and removing them."""

import inspect
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from pydantic import ValidationError

from metrics.access.policy import CHANGE, CREATE, DELETE, check, visible
from metrics.access.principal import Principal
from metrics.actions import channel_configs, configs, credentials, deliveries, journal, locks, teams
from metrics.actions.errors import Errors, Invalid, Missing, TooOften, check_storable, sentences
from metrics.alerts.digest import DigestSpec
from metrics.kind_groups import CHANNELS
from metrics.models import Channel, Delivery, Team
from metrics.notify.base import AnyChannelKind
from metrics.notify.message import Line, Message
from metrics.notify.registry import kinds
from metrics.redis_state import limits
from metrics.versioned import Versioned

log = structlog.get_logger(__name__)

NAME_MOST = 100
POSITION_MOST = 1000
TESTS_PER_MINUTE = 10
FIELDS = ("name", "enabled", "fallback", "position", "digest")


def of_teams(teams: Iterable[Team]) -> list[Channel]:
    """Return the channels that a message for `teams` goes through at first; without teams, the installation's.

    Those that are off, and those that only step in for others, are left out.
    """
    wanted = [team.pk for team in teams]
    found = Q(team__in=wanted) if wanted else Q(team=None)
    return list(Channel.objects.filter(found, enabled=True, fallback=False).order_by("team", "position", "pk"))


def create(
    by: Principal,
    kind: str,
    name: str,
    config: Mapping[str, Any],
    team: str = "",
    *,
    enabled: bool = True,
    fallback: bool = False,
    position: int | None = None,
    digest: Mapping[str, Any] | None = None,
) -> Channel:
    """Make a channel of a team; without one, of the installation. Without `position` it is the last.

    `digest` is how it hears of what can wait, as `DigestSpec` has it; without one, or with {}, it hears of all at once.

    Raises Forbidden, or Invalid with everything that is wrong.
    """
    check(by, CREATE, Channel)
    found_kind = channel_configs.check_kind(kind)
    channel = Channel(kind=kind, team=teams.named([team], "team")[0] if team else None)
    check(by, CREATE, channel)
    given = {"name": name, "enabled": enabled, "fallback": fallback, "config": config, "digest": digest}
    if position is None:
        newest = Channel.objects.filter(team=channel.team).aggregate(newest=Max("position"))["newest"]
        position = 0 if newest is None else min(newest + 1, POSITION_MOST)
    _set(channel, found_kind, {**given, "position": position}, by)
    with transaction.atomic():
        _save(channel)
        journal.record(by, "create", channel, after=facts(channel))
    log.info("channel made", channel=channel.name, kind=kind, by=by.name)
    return channel


def change(by: Principal, id: int, changes: Mapping[str, Any]) -> Channel:
    """Change some of `FIELDS` and config, and leave the rest as it is.

    A credential that `config` does not name stays, an empty one is removed. Raises Missing, Forbidden and Invalid, and
    then nothing is changed.
    """
    with transaction.atomic():
        channel = locks.locked(find(by, id))
        check(by, CHANGE, channel)
        before, config = facts(channel), channel.config
        kind = channel_configs.kind_of(channel)
        _set(channel, kind, changes, by)
        _save(channel)
        if channel.digest != before["digest"]:
            deliveries.hold_anew(channel, time.time())
        secret = credentials.names(kind.config_class)
        given = sorted(secret & dict(changes.get("config", {})).keys())
        unsaid = {"credentials_given": given} if given else {}
        unsaid |= configs.changed_unshown(kind.config_class, config, channel.config)
        journal.record(by, "change", channel, before, facts(channel) | unsaid)
    return channel


def delete(by: Principal, id: int) -> None:
    """Remove a channel, with what was sent through it and what still waits. Raises Missing and Forbidden."""
    with transaction.atomic():
        channel = locks.locked(find(by, id))
        check(by, DELETE, channel)
        journal.record(by, "delete", channel, before=facts(channel))
        channel.delete()


def test(by: Principal, id: int) -> Delivery:
    """Have a test go through a channel; return its delivery, which says soon what came of it.

    Raises Missing, Forbidden, Invalid and TooOften.
    """
    channel = find(by, id)
    check(by, CHANGE, channel)
    if not channel.enabled:
        raise Invalid("enabled", f"{channel.name} is off; turn it on first.")
    if wait_s := limits.spend(f"channel:{by.name}", 1, TESTS_PER_MINUTE, time.time()):
        raise TooOften(f"Channels may be tested {TESTS_PER_MINUTE} times a minute; wait {wait_s} s.", wait_s)
    now = time.time()
    message = Message(
        subject=f"{channel.name} works",
        state="test",
        key=f"test:{uuid.uuid4()}",
        at=now,
        lines=(Line("You get messages of Watchfloor here."),),
        url=deliveries.address_of(f"/channels/{channel.pk}/"),
    )
    with transaction.atomic():
        journal.record(by, "test", channel)
        (delivery,) = deliveries.queue([channel], message, at=now)
    return delivery


def find(by: Principal, id: int) -> Channel:
    """Return the channel `id`. Raises Missing, also if it is not for `by` to see."""
    channel = visible(by, Channel).select_related("team").filter(pk=id).first()
    if channel is None:
        raise Missing(f"There is no channel {id}.")
    return channel


def teams_of(by: Principal) -> list[Team]:
    """Return the teams that `by` may make channels for."""
    return list(visible(by, Team).order_by("name"))


def about(kind: AnyChannelKind) -> dict[str, Any]:
    """Return what a kind is, and the JSON schema of its fields."""
    said = (inspect.getdoc(inspect.getmodule(type(kind))) or "").partition("\n")[0]
    return {"kind": kind.kind, "group": kind.group, "about": said, "schema": kind.config_class.model_json_schema()}


def about_all() -> list[dict[str, Any]]:
    """Return what each kind is, in the order in which people choose from them."""
    return [about(kind) for kind in CHANNELS.in_order(kinds().values())]


def checked_digest(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a digest as it is stored, None for none. Raises Invalid."""
    if not given:
        return None
    check_storable(dict(given), "digest")
    try:
        return DigestSpec.model_validate(dict(given)).model_dump(mode="json", exclude_unset=True)
    except ValidationError as problem:
        first, *others = sentences(problem, "digest")
        raise Invalid(*first, *others) from None


def facts(channel: Channel) -> dict[str, Any]:
    """Return what the journal keeps of a channel: nothing that may be a key, of its credentials only which are set."""
    kept = {name: getattr(channel, name) for name in (*FIELDS, "trusted")}
    config = configs.shown(_config_class(channel), channel.config)
    team = channel.team.name if channel.team else ""
    return {"kind": channel.kind, "team": team, **kept, **config, "credentials": credentials.kept(channel.secrets)}


def _config_class(channel: Channel) -> type[Versioned] | None:
    return kinds()[channel.kind].config_class if channel.kind in kinds() else None


def _set(channel: Channel, kind: AnyChannelKind, given: Mapping[str, Any], by: Principal) -> None:
    errors = Errors()
    with errors:
        if "name" in given:
            channel.name = _name(given["name"])
    with errors:
        if "position" in given:
            channel.position = _position(given["position"])
    with errors:
        if "config" in given:
            configs.set_config(channel, kind.config_class, given["config"], by)
    with errors:
        if "digest" in given:
            channel.digest, channel.digest_version = checked_digest(given["digest"]), DigestSpec.version
    errors.check()
    channel.enabled = bool(given.get("enabled", channel.enabled))
    channel.fallback = bool(given.get("fallback", channel.fallback))


def _name(name: str) -> str:
    check_storable(name, "name")
    name = name.strip()
    if not name or len(name) > NAME_MOST:
        raise Invalid("name", f"name: a name has 1 to {NAME_MOST} characters.")
    return name


def _position(position: int) -> int:
    if not 0 <= position <= POSITION_MOST:
        raise Invalid("position", f"position: it is from 0 to {POSITION_MOST}.")
    return position


def _save(channel: Channel) -> None:
    try:
        with transaction.atomic():
            channel.save()
    except IntegrityError:
        raise Invalid("name", f"There is a channel {channel.name!r} already.") from None
