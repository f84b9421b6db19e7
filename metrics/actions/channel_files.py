"""Channels as files: YAML beside the dashboards', compared with what is stored, applied, and written again.

A file says its channel by `team` and `name`. Its credentials are named, as `references` has it, and never written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from metrics import yaml
from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.access.sharing import Text
from metrics.actions import channel_configs, channels, configs, credentials, locks, named_files, references, teams
from metrics.actions.dashboard_files import Change
from metrics.actions.errors import Conflict, Invalid
from metrics.actions.references import KEPT
from metrics.models import Channel
from metrics.widgets.spec import new_key

FOLDER = "channels"
CHANGED = ("enabled", "fallback", "position", "digest", "config")
"""Fields of a channel that a file changes; team and name say which channel it is."""


class ChannelDocument(BaseModel):
    """A channel as a file says it; without a `team` it is the installation's."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=channels.NAME_MOST)]
    team: Text = ""
    kind: Text
    config: dict[str, Any] = Field(default_factory=dict)
    enabled: bool = True
    fallback: bool = False
    position: int | None = Field(default=None, ge=0, le=channels.POSITION_MOST)
    digest: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class File(named_files.File[ChannelDocument]):
    """A channel's file: `said` are its credentials as they stand there, `named` what the references among them mean."""

    said: Mapping[str, Any]
    named: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChannelChange(Change):
    """A difference between a channel (its id, None for a new one; last changed at `at`) and its file.

    Its `document` has credentials, and is never shown.
    """

    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    id: int | None = None
    at: datetime | None = None


def read(name: str, text: str) -> File:
    """Read the file that is called `name`. Raises Invalid with all that is wrong, each with its line."""
    document, (spec, said, named) = named_files.read(named_files.path(FOLDER, name), text, _parsed)
    return File(document, spec, said, named)


def compare(by: Principal, files: Mapping[str, str], *, prune: bool = False) -> list[ChannelChange]:
    """Return what differs between the channels that `by` may see and `files`, texts by the names of the files.

    With `prune`, channels without a file are to be deleted. Raises Invalid with all that is wrong.
    """
    stored = {_thing_of(one): one for one in _rows(by)}
    said = named_files.by_thing(FOLDER, files, read, _thing)
    changes = [
        change for thing, (name, file) in said.items() for change in _change(name, files[name], file, stored.get(thing))
    ]
    gone = [stored[thing] for thing in sorted(stored.keys() - said.keys())] if prune else []
    return changes + [
        ChannelChange(f"{FOLDER}/{_file_name(one)}", "delete", _text(one), "", None, id=one.pk, at=one.changed_at)
        for one in gone
    ]


def apply(by: Principal, changes: Iterable[ChannelChange]) -> None:
    """Make the channels what their files say: all, or none.

    Raises what channels.create, change and delete do, and Conflict if one was changed since it was compared.
    """
    with transaction.atomic():
        for one in changes:
            given = dict(one.document)
            if one.id is None:
                channels.create(by, given.pop("kind"), given.pop("name"), given.pop("config"), **given)
                continue
            found = locks.locked(channels.find(by, one.id))
            if found.changed_at != one.at:
                raise Conflict(f"Somebody changed the channel {found.name} meanwhile: nothing was applied.", 0)
            if one.verb == "delete":
                channels.delete(by, one.id)
            else:
                channels.change(by, one.id, {name: value for name, value in given.items() if name in CHANGED})


def export(by: Principal, files: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each channel that `by` may see, by the name of its file: that in `files`, brought up to date.

    Raises Invalid if a file can't be read.
    """
    said = named_files.by_thing(FOLDER, files, read, _thing)
    texts = dict[str, str]()
    for one in _rows(by):
        name, file = said.get(_thing_of(one), (_file_name(one, {*files, *texts}), None))
        texts[name] = _text(one, file)
    return texts


def _change(name: str, text: str, file: File, stored: Channel | None) -> list[ChannelChange]:
    with named_files.located(named_files.path(FOLDER, name), file.document):
        if stored is None:
            teams.named([file.spec.team] if file.spec.team else [], "team")
        given = _given(file, stored)
    path = f"{FOLDER}/{name}"
    if stored is None:
        return [ChannelChange(path, "create", "", text, None, given)]
    if _stored(stored, file) == _wanted(file, stored):
        return []
    return [ChannelChange(path, "change", _text(stored, file), text, None, given, stored.pk, stored.changed_at)]


def _given(file: File, stored: Channel | None) -> dict[str, Any]:
    """Return what channels.create and change take to make of `stored` what the file says. Raises Invalid."""
    spec, kept = file.spec, _secrets(stored)
    if stored is not None and stored.kind != spec.kind:
        raise Invalid(
            "kind", f"kind: this channel is of the kind {stored.kind}, and keeps it: give another one a new name."
        )
    for name in file.said.keys() - file.named.keys() - kept.keys():
        raise Invalid(f"config.{name}", f"config.{name}: nothing is stored that could be kept.")
    configs.checked(channel_configs.check_kind(spec.kind).config_class, _full(file, stored), "config")
    plain = {name: value for name, value in spec.config.items() if name not in file.said}
    stored_names = credentials.kept(stored.secrets) if stored else []  # also of those that are lost
    removed = dict.fromkeys(set(stored_names) - file.said.keys(), "")
    found = {**spec.model_dump(), "config": {**plain, **file.named, **removed}, "digest": spec.digest or {}}
    return {name: value for name, value in found.items() if value is not None}


def _full(file: File, stored: Channel | None) -> dict[str, Any]:
    """Return the config of a file with its credentials."""
    plain = {name: value for name, value in file.spec.config.items() if name not in file.said}
    kept = {name: value for name, value in _secrets(stored).items() if name in file.said}
    return {**plain, **kept, **file.named}


def _wanted(file: File, stored: Channel) -> dict[str, Any]:
    """Return what a file says with all its fields, as values that can be compared."""
    spec = file.spec
    return {
        **spec.model_dump(),
        "config": _config(spec.kind, _full(file, stored), file.said),
        "position": stored.position if spec.position is None else spec.position,
        "digest": channels.checked_digest(spec.digest),
    }


def _stored(channel: Channel, file: File | None) -> dict[str, Any] | None:
    """Return a channel with all its fields; None for one that this release can't read.

    A credential is as `file` names it if it is what that stands for, and else only said to be kept.
    """
    secret = _secrets(channel)
    named, said = (file.named, file.said) if file else ({}, {})
    shown = {name: said[name] if named.get(name) == value else KEPT for name, value in secret.items()}
    try:
        config = _config(channel.kind, channel_configs.full(channel, secret), shown)
    except (Invalid, ValidationError, ValueError):
        return None
    fields = {name: getattr(channel, name) for name in ChannelDocument.model_fields}
    return {**fields, "team": _thing_of(channel)[0], "config": config}


def _config(kind: str, full: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with all its fields, of its credentials as they are `shown`."""
    config_class = channel_configs.check_kind(kind).config_class
    secret = set(credentials.names(config_class))
    return {**config_class.model_validate(dict(full)).model_dump(mode="json", exclude=secret), **shown}


def _text(channel: Channel, file: File | None = None) -> str:
    """Return a channel as the text of its `file`, also one that this release can't read."""
    now = _stored(channel, file)
    if now is None:
        team, name = _thing_of(channel)
        config = {**channel.config, **dict.fromkeys(credentials.kept(channel.secrets), KEPT)}
        return yaml.write({"name": name, "team": team, "kind": channel.kind, "config": config})
    short = _shortest(now)
    if file is None:
        return yaml.write(short)
    try:
        wanted = _wanted(file, channel)
    except (Invalid, ValidationError):  # such as without a credential that was removed in the page
        wanted = {}
    return named_files.text_after(file.document, wanted, now, short)


def _shortest(now: Mapping[str, Any]) -> dict[str, Any]:
    """Return `now` without what has its default; its place among the others is always there."""
    fields = channel_configs.check_kind(now["kind"]).config_class.model_fields
    usual = {name: one.get_default(call_default_factory=True) for name, one in fields.items()}
    config = {name: one for name, one in now["config"].items() if name not in usual or one != usual[name]}
    defaults = {name: one.get_default() for name, one in ChannelDocument.model_fields.items()}
    return {
        name: named_files.as_written(value)
        for name, value in {**now, "config": config}.items()
        if name not in defaults or value != defaults[name]
    }


def _secrets(channel: Channel | None) -> dict[str, Any]:
    """Return the credentials that are stored; those that are lost are none, and given anew."""
    try:
        return channel_configs.secrets_of(channel) if channel else {}
    except credentials.LostKey:
        return {}


def _parsed(value: Any) -> tuple[ChannelDocument, dict[str, Any], dict[str, Any]]:
    spec = named_files.parsed(ChannelDocument, value, "channel", "name, team and kind")
    secret = credentials.names(channel_configs.check_kind(spec.kind).config_class)
    channels.checked_digest(spec.digest)
    said = {name: one for name, one in spec.config.items() if name in secret}
    named = {name: references.resolved(one, f"config.{name}") for name, one in said.items() if one != KEPT}
    return spec, said, named


def _rows(by: Principal) -> list[Channel]:
    return list(visible(by, Channel).select_related("team").order_by("team__name", "position", "pk"))


def _thing(file: File) -> tuple[str, str]:
    return file.spec.team, file.spec.name


def _thing_of(channel: Channel) -> tuple[str, str]:
    return channel.team.name if channel.team else "", channel.name


def _file_name(channel: Channel, taken: Iterable[str] = ()) -> str:
    return new_key(" ".join(filter(None, _thing_of(channel))), taken, "channel")
