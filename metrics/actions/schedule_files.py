"""Schedules of who is on call as files: YAML, compared with what is stored, applied, and written again.

A file says its schedule by `name`. The address of a calendar elsewhere is a credential: it is named, as `references`
has it. Overrides are made in the page, day by day, and are in no file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from django.db import transaction
from pydantic import Field, StringConstraints

from metrics import yaml
from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access, Text
from metrics.actions import feeds, named_files, references, schedules, teams
from metrics.actions.dashboard_files import Change
from metrics.actions.errors import Invalid
from metrics.actions.references import KEPT
from metrics.alerts.escalation import TimeZone
from metrics.alerts.rotation import ScheduleSpec
from metrics.models import Schedule
from metrics.widgets.spec import new_key

FOLDER = "schedules"
FIELDS = ("name", "time_zone", "layers", "holidays", "url", "access")
"""In the order in which people read them."""


class ScheduleDocument(ScheduleSpec):
    """A schedule as a file says it: with the people whom it is for."""

    name: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=schedules.NAME_MOST)]
    time_zone: TimeZone = Field(default="UTC", description="Of its local times, such as Europe/Berlin.")
    url: dict[str, Any] | None = None
    access: Access = Field(default=Access(), description="The people it is for; editors of its teams change it.")


@dataclass(frozen=True, slots=True)
class File(named_files.File[ScheduleDocument]):
    """A schedule's file: `address` is what its reference to a calendar means, "" for none, None for the stored one."""

    address: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScheduleChange(Change):
    """A difference between a schedule (its id, None for a new one) and its file.

    Its `document` may have the address of a calendar, and is never shown.
    """

    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    id: int | None = None


def read(name: str, text: str) -> File:
    """Read the file that is called `name`. Raises Invalid with all that is wrong, each with its line."""
    document, (spec, address) = named_files.read(named_files.path(FOLDER, name), text, _parsed)
    return File(document, spec, address)


def compare(by: Principal, files: Mapping[str, str], *, prune: bool = False) -> list[ScheduleChange]:
    """Return what differs between the schedules that `by` may see and `files`, texts by the names of the files.

    With `prune`, schedules without a file are to be deleted. Raises Invalid with all that is wrong.
    """
    stored = _rows(by)
    said = named_files.by_thing(FOLDER, files, read, _name)
    changes = [
        change for of, (name, file) in said.items() for change in _change(name, files[name], file, stored.get(of))
    ]
    gone = [stored[name] for name in sorted(stored.keys() - said.keys())] if prune else []
    return changes + [
        ScheduleChange(f"{FOLDER}/{_file_name(one.name)}", "delete", _text(one), "", one.revision, id=one.pk)
        for one in gone
    ]


def apply(by: Principal, changes: Iterable[ScheduleChange]) -> None:
    """Make the schedules what their files say: all, or none. Raises what schedules.create, change and delete do."""
    with transaction.atomic():
        for one in changes:
            if one.id is not None and one.verb == "delete":
                schedules.delete(by, one.id, one.seen)
            else:
                _put(by, one)


def export(by: Principal, files: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each schedule that `by` may see, by the name of its file: that in `files`, brought up to date.

    Raises Invalid if a file can't be read.
    """
    said = named_files.by_thing(FOLDER, files, read, _name)
    texts = dict[str, str]()
    for of, row in _rows(by).items():
        name, file = said.get(of, (_file_name(of, {*files, *texts}), None))
        texts[name] = _text(row, file)
    return texts


def _put(by: Principal, one: ScheduleChange) -> None:
    document = dict(one.document)
    access = Access.model_validate(document.pop("access"))
    with named_files.prefixed(one.slug):  # such as somebody who is no user
        if one.id is None:
            schedules.create(by, document, access)
        else:
            schedules.change(by, one.id, document, access, one.seen)


def _change(name: str, text: str, file: File, stored: Schedule | None) -> list[ScheduleChange]:
    path = f"{FOLDER}/{name}"
    if file.address is None and not (stored and stored.url):
        with named_files.located(named_files.path(FOLDER, name), file.document):
            raise Invalid("url", "url: nothing is stored that could be kept.")
    now = _stored(stored, file) if stored else None
    if now is not None and _plain(now) == _plain(file.spec):
        return []
    with named_files.located(named_files.path(FOLDER, name), file.document):
        schedules.check_people(file.spec)
        teams.named(file.spec.access.teams)
    if stored is None:
        return [ScheduleChange(path, "create", "", text, None, _given(file, None))]
    return [ScheduleChange(path, "change", _text(stored, file), text, stored.revision, _given(file, stored), stored.pk)]


def _given(file: File, stored: Schedule | None) -> dict[str, Any]:
    """Return the document that makes `stored` what the file says; the address only if it is another one."""
    given = {name: value for name, value in _plain(file.spec).items() if name != "url"}
    before = feeds.address(stored) if stored else ""
    return given if file.address in (None, before) else {**given, "url": file.address}


def _plain(spec: ScheduleDocument) -> dict[str, Any]:
    """Return `spec` with all its fields, as values that can be compared."""
    return spec.model_dump(mode="json", by_alias=True)


def _stored(row: Schedule, file: File | None) -> ScheduleDocument | None:
    """Return a schedule with all its fields; None for one that this release can't read.

    It is not validated: this machine may not know its time zone.
    The address of a calendar is as `file` names it if it is what that stands for, and else only said to be kept.
    """
    try:
        spec = schedules.spec_of(row)
    except ValueError:
        return None
    is_same = file is not None and file.address is not None and file.address == feeds.address(row)
    url = (file.spec.url if file and is_same else KEPT) if row.url else None
    fields: dict[str, Any] = {name: getattr(spec, name) for name in ScheduleSpec.model_fields}
    fields |= {"name": row.name, "time_zone": row.time_zone, "url": url, "access": teams.access_of(row)}
    return ScheduleDocument.model_construct(**fields)


def _text(row: Schedule, file: File | None = None) -> str:
    """Return a schedule as the text of its `file`, also one that this release can't read."""
    now = _stored(row, file)
    if now is None:
        return yaml.write({"name": row.name, "time_zone": row.time_zone, **schedules.plan_of(row)})
    short = _shortest(now)
    if file is None:
        return yaml.write(short)
    return named_files.text_after(file.document, _plain(file.spec), _plain(now), short)


def _shortest(now: ScheduleDocument) -> dict[str, Any]:
    """Return `now` without what has its default, in the order of the fields."""
    given = now.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {name: named_files.as_written(given[name]) for name in FIELDS if name in given}


def _parsed(value: Any) -> tuple[ScheduleDocument, str | None]:
    spec = named_files.parsed(ScheduleDocument, value, "schedule", "name, time_zone and layers")
    if spec.url is None or spec.url == KEPT:
        return spec, None if spec.url else ""
    address = references.resolved(spec.url, "url")
    if not isinstance(address, str):
        raise Invalid("url", f"url: a credential is not written here, but named: {references.FORMS}.")
    return spec, feeds.as_stored(address)


def _rows(by: Principal) -> dict[str, Schedule]:
    return {one.name: one for one in visible(by, Schedule).prefetch_related("teams").order_by("name")}


def _name(file: File) -> str:
    return file.spec.name


def _file_name(name: str, taken: Iterable[str] = ()) -> str:
    return new_key(name, taken, "schedule")
