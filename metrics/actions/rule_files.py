"""Rules as files: YAML beside the dashboards', compared with what is stored, applied, and written again.

A file says its rule by `name`; how it is called itself is for people. A field that it leaves out has its default; the
`version` of a condition is 1 there. A rule of alerts that others send may be made before they do, and in no file stands
who sent the first one: that differs from one installation to the next.
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
from metrics.actions import locks, named_files, received_rules, rule_index, rules, teams
from metrics.actions.dashboard_files import ENDING, Change
from metrics.actions.errors import Invalid, sentences
from metrics.alerts.received import Received
from metrics.alerts.rule import RuleSpec, of_version_1
from metrics.models import Alert, Rule
from metrics.widgets.spec import new_key

FOLDER = "rules"


class RuleDocument(RuleSpec):
    """A rule as a file says it: with the people whom it is for; its teams are told."""

    access: Access = Access()


File = named_files.File[RuleDocument]


@dataclass(frozen=True, slots=True)
class RuleChange(Change):
    """A difference between a rule (its id, None for a new one) and its file."""

    id: int | None = None


def text_of(spec: RuleDocument) -> str:
    """Return `spec` as the text of a file: without defaults, in the order in which people read it."""
    return yaml.write(_shortest(spec))


def text_after(file: File, spec: RuleDocument) -> str:
    """Return the text of `file`, changed so that it is `spec`; comments and what did not change stay."""
    return named_files.text_after(file.document, _plain(file.spec), _plain(spec), _shortest(spec))


def read(name: str, text: str) -> File:
    """Read the file that is called `name`. Raises Invalid with all that is wrong, each with its line."""
    return named_files.file(FOLDER, name, text, _parsed)


def _parsed(value: Any) -> RuleDocument:
    if not isinstance(value, dict):
        raise Invalid("", "It is no rule: that begins with names, such as name, query and condition.")
    given = {name: one for name, one in value.items() if name != "access"}
    spec = rules.checked(of_version_1(given))
    try:
        access = Access.model_validate(value.get("access", {}))
    except ValidationError as problem:
        first, *others = sentences(problem, "access")
        raise Invalid(*first, *others) from None
    teams.named(access.teams)
    return _document(spec, access)


def compare(by: Principal, files: Mapping[str, str], *, prune: bool = False) -> list[RuleChange]:
    """Return what differs between the rules that `by` may see and `files`, texts by the names of the files.

    With `prune`, rules without a file are to be deleted, but for those that alerts of others made.
    Raises Invalid with all that is wrong.
    """
    stored = {one.name: one for one in visible(by, Rule).prefetch_related("teams")}
    said = named_files.by_thing(FOLDER, files, read, _name)
    changes = [
        change for name, file in said.values() for change in _change(name, files[name], file, stored.get(_name(file)))
    ]
    left = [stored[name] for name in sorted(stored.keys() - said.keys())] if prune else []
    gone = [one for one in left if one.received is None]
    changes += [
        RuleChange(f"{FOLDER}/{file_name(one.name)}", "delete", _text(one), "", one.revision, id=one.pk) for one in gone
    ]
    return changes


def _change(name: str, text: str, file: File, stored: Rule | None) -> list[RuleChange]:
    document = {**file.spec.model_dump(mode="json", by_alias=True), "query": _query(file.spec.query)}
    document["queries"] = [_query(one) for one in file.spec.queries]
    path = f"{FOLDER}/{name}"
    if stored is not None and _is_received(document["condition"]):
        document["condition"] = {**stored.spec.get("condition", {}), **document["condition"]}
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
            with named_files.prefixed(f"{one.slug}{ENDING}"):
                if one.verb == "create":
                    rules.create(by, document, access, coming=coming, received=_received(document, access))
                elif one.id is not None and one.verb == "change":
                    rules.change(by, one.id, document, access, one.seen, coming=coming)
                elif one.id is not None:
                    rules.delete(by, one.id)


def _received(document: Mapping[str, Any], access: Access) -> str | None:
    """Return which alerts the rule of a file is for that others send; None if it looks at samples."""
    condition = document["condition"]
    if not _is_received(condition):
        return None
    return received_rules.key_for([team.pk for team in teams.named(access.teams)], condition.get("alertname", ""))


def _is_received(condition: Mapping[str, Any]) -> bool:
    return condition.get("kind") == Received.kind


def export(by: Principal, files: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each rule that `by` may see, by the name of its file: that in `files`, brought up to date.

    Raises Invalid if a file can't be read.
    """
    said = named_files.by_thing(FOLDER, files, read, _name)
    texts = dict[str, str]()
    for one in visible(by, Rule).prefetch_related("teams"):
        spec = _stored(one)
        if one.name in said:
            name, file = said[one.name]
            texts[name] = text_after(file, spec) if spec else _text(one)
        else:
            texts[file_name(one.name, {*files, *texts})] = _text(one)
    return texts


def file_name(name: str, taken: Iterable[str] = ()) -> str:
    """Return how the file of a rule with this name is called, without its ending; other than those `taken`."""
    return new_key(name, taken, "rule")


def _name(file: File) -> str:
    return file.spec.name


def _text(rule: Rule) -> str:
    """Return a rule as the text of a file, also one that this release can't read."""
    spec = _stored(rule)
    return text_of(spec) if spec else yaml.write(rules.document_of(rule))


def _stored(rule: Rule) -> RuleDocument | None:
    spec = rule_index.readable(rule)
    if spec is None:
        return None
    return _document(spec, teams.access_of(rule))


def _document(spec: RuleSpec, access: Access) -> RuleDocument:
    fields = {name: getattr(spec, name) for name in RuleSpec.model_fields}
    if _is_received(spec.condition):
        fields["condition"] = {name: one for name, one in spec.condition.items() if name != "sender"}
    return RuleDocument.model_construct(**fields, access=access)


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
    return {name: named_files.as_written(given[name]) for name in names if name in given}
