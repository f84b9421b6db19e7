"""Rules as files: YAML beside the dashboards', compared with what is stored, applied, and written again.

A file says its rule by `name`; how it is called itself is for people. What it leaves out has its default.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from pydantic import ValidationError

from metrics import yaml
from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import locks, rule_index, rules, teams
from metrics.actions.dashboard_files import ENDING, Change
from metrics.actions.errors import Errors, Invalid, sentences
from metrics.alerts.rule import RuleSpec
from metrics.models import Alert, Rule
from metrics.widgets.spec import new_key

FOLDER = "rules"
WHOLE_MOST = 1e15


class RuleDocument(RuleSpec):
    """A rule as a file says it: with the people whom it is for; its teams are told."""

    access: Access = Access()


@dataclass(frozen=True, slots=True)
class File:
    """A rule's file as it was read: what it says (`document`), and the rule that this is (`spec`)."""

    document: yaml.Document
    spec: RuleDocument


@dataclass(frozen=True, slots=True)
class RuleChange(Change):
    """A difference between a rule (its id, None for a new one) and its file."""

    id: int | None = None


def text_of(spec: RuleDocument) -> str:
    """Return `spec` as the text of a file: without defaults, in the order in which people read it."""
    return yaml.write(_shortest(spec))


def text_after(file: File, spec: RuleDocument) -> str:
    """Return the text of `file`, changed so that it is `spec`; comments and what did not change stay."""
    if _plain(file.spec) == _plain(spec):
        return file.document.text
    was, now, short = _plain(file.spec), _plain(spec), _shortest(spec)
    raw: Mapping[str, Any] = file.document.value
    merged = {
        name: raw[name] if name in raw and was[name] == now[name] else short[name]
        for name in now
        if name in short or (name in raw and was[name] == now[name])
    }
    return file.document.changed(merged)


def read(name: str, text: str) -> File:
    """Read the file that is called `name`. Raises Invalid with all that is wrong, each with its line."""
    try:
        document = yaml.read(text)
    except yaml.BadYaml as problem:
        said = f"line {problem.line}: {problem}" if problem.line else str(problem)
        raise Invalid("", f"{_path(name)}: {said}") from None
    try:
        return File(document, _parsed(document.value))
    except Invalid as problem:
        first, *others = (
            (where, f"{_path(name)}: line {document.line(where.split('.'))}: {said}") for where, said in problem.all
        )
        raise Invalid(*first, *others) from None


def _parsed(value: Any) -> RuleDocument:
    if not isinstance(value, dict):
        raise Invalid("", "It is no rule: that begins with names, such as name, query and condition.")
    given = {name: one for name, one in value.items() if name != "access"}
    spec = rules.checked(given)
    try:
        access = Access.model_validate(value.get("access", {}))
    except ValidationError as problem:
        first, *others = sentences(problem, "access")
        raise Invalid(*first, *others) from None
    teams.named(access.teams)
    return RuleDocument.model_construct(**{name: getattr(spec, name) for name in RuleSpec.model_fields}, access=access)


def compare(by: Principal, files: Mapping[str, str], *, prune: bool = False) -> list[RuleChange]:
    """Return what differs between the rules that `by` may see and `files`, texts by the names of the files.

    With `prune`, rules without a file are to be deleted. Raises Invalid with all that is wrong.
    """
    stored = {one.name: one for one in visible(by, Rule).prefetch_related("teams")}
    errors, changes, said_by = Errors(), list[RuleChange](), dict[str, str]()
    for name, text in sorted(files.items()):
        with errors:
            file = read(name, text)
            if file.spec.name in said_by:
                raise Invalid("name", f"{_path(name)}: {_path(said_by[file.spec.name])} is of {file.spec.name!r}, too.")
            said_by[file.spec.name] = name
            changes += _change(name, text, file, stored.get(file.spec.name))
    errors.check()
    gone = [stored[name] for name in sorted(stored.keys() - said_by.keys())] if prune else []
    changes += [
        RuleChange(f"{FOLDER}/{file_name(one.name)}", "delete", _text(one), "", one.revision, id=one.pk) for one in gone
    ]
    return changes


def _change(name: str, text: str, file: File, stored: Rule | None) -> list[RuleChange]:
    document = {**file.spec.model_dump(mode="json", by_alias=True), "query": _query(file.spec.query)}
    document["queries"] = [_query(one) for one in file.spec.queries]
    path = f"{FOLDER}/{name}"
    if stored is None:
        return [RuleChange(path, "create", "", text, None, document)]
    before = _stored(stored)
    if before is None:
        return [RuleChange(path, "change", _text(stored), text, stored.revision, document, stored.pk)]
    if _plain(before) == _plain(file.spec):
        return []
    return [RuleChange(path, "change", text_after(file, before), text, stored.revision, document, stored.pk)]


def apply(by: Principal, changes: Iterable[RuleChange]) -> None:
    """Make the rules what their files say: all, or none. Raises what rules.create, change and delete do."""
    wanted = list(changes)
    coming = {str(one.document["name"]) for one in wanted if one.verb == "create"}
    with transaction.atomic():
        known = locks.rules(one.id for one in wanted if one.id is not None)
        locks.incidents(Alert.objects.filter(rule__in=known).values_list("incident", flat=True))
        locks.alerts(Alert.objects.filter(rule__in=known))
        for one in wanted:
            document = dict(one.document)
            access = Access.model_validate(document.pop("access", {}))
            if one.verb == "create":
                rules.create(by, document, access, coming=coming)
            elif one.id is not None and one.verb == "change":
                rules.change(by, one.id, document, access, one.seen, coming=coming)
            elif one.id is not None:
                rules.delete(by, one.id)


def export(by: Principal, files: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each rule that `by` may see, by the name of its file: that in `files`, brought up to date.

    Raises Invalid if a file can't be read.
    """
    errors, read_files = Errors(), dict[str, tuple[str, File]]()
    for name, text in files.items():
        with errors:
            file = read(name, text)
            read_files[file.spec.name] = name, file
    errors.check()
    texts = dict[str, str]()
    for one in visible(by, Rule).prefetch_related("teams"):
        spec = _stored(one)
        if one.name in read_files:
            name, file = read_files[one.name]
            texts[name] = text_after(file, spec) if spec else _text(one)
        else:
            texts[file_name(one.name, {*files, *texts})] = _text(one)
    return texts


def file_name(name: str, taken: Iterable[str] = ()) -> str:
    """Return how the file of a rule with this name is called, without its ending; other than those `taken`."""
    return new_key(name, taken, "rule")


def _path(name: str) -> str:
    return f"{FOLDER}/{name}{ENDING}"


def _text(rule: Rule) -> str:
    """Return a rule as the text of a file, also one that this release can't read."""
    spec = _stored(rule)
    return text_of(spec) if spec else yaml.write(rules.document_of(rule))


def _stored(rule: Rule) -> RuleDocument | None:
    spec = rule_index.readable(rule)
    if spec is None:
        return None
    fields = {name: getattr(spec, name) for name in RuleSpec.model_fields}
    return RuleDocument.model_construct(**fields, access=teams.access_of(rule))


def _query(query: Any) -> dict[str, Any]:
    found: dict[str, Any] = query.model_dump(mode="json", exclude_defaults=True)
    return found


def _plain(spec: RuleDocument) -> dict[str, Any]:
    """Return `spec` with all its fields, as values that can be compared."""
    return {**spec.model_dump(mode="json", by_alias=True), "condition": dict(spec.condition)}


def _shortest(spec: RuleDocument) -> dict[str, Any]:
    """Return `spec` without what has its default, in the order of the fields."""
    given = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    names = [field.alias or name for name, field in RuleDocument.model_fields.items()]
    return {name: _as_written(given[name]) for name in names if name in given}


def _as_written(value: Any) -> Any:
    """Return `value` with numbers as people write them: 90, and not 90.0."""
    if isinstance(value, dict):
        return {name: _as_written(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_written(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE_MOST else value
