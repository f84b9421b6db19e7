"""Rules of alerts: making, changing and removing them."""

import inspect
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction
from pydantic import ValidationError

from metrics.access.policy import CHANGE, CREATE, DELETE, SEE, check, may, visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import alert_events, alerts, behind, drawn, gathering, journal, locks, rule_index, teams
from metrics.actions.errors import Conflict, Invalid, Missing, check_storable, sentences
from metrics.actions.rule_index import spec_of
from metrics.alerts.base import AnyCondition
from metrics.alerts.rule import RuleQuery, RuleSpec, condition
from metrics.models import Rule, Team

__all__ = [
    "about",
    "add",
    "change",
    "checked",
    "create",
    "delete",
    "document_of",
    "facts",
    "find",
    "says",
    "spec_of",
    "whole",
]


def create(
    by: Principal,
    document: Mapping[str, Any],
    access: Access | None = None,
    *,
    coming: Collection[str] = (),
    received: str | None = None,
) -> Rule:
    """Make a rule of `document`, as `RuleSpec` has it. Without `access` it is for everyone.

    It may stand behind rules that are made with it: `coming` are their names. If others evaluate its alerts,
    `received` says which ones those are, as `received_rules.key_for` does.

    Raises Forbidden, or Invalid with everything that is wrong.
    """
    check(by, CREATE, Rule)
    spec, rule = checked(document), Rule(received=received)
    _check_behind(by, spec, coming)
    if not spec.kind.is_evaluated and received is None:
        raise Invalid("condition", f"condition: a rule of the kind {spec.kind.kind} is made by the first such alert.")
    owners = teams.named((access or Access()).teams)
    teams.check_sharing(by, [], owners)
    known = Rule.objects.filter(received=received).first() if received else None
    if known is not None:
        which = f"the rule {known.name!r}" if may(by, SEE, known) else "a rule that you may not see"
        raise Invalid("condition", f"condition: {which} is of these alerts already.")
    with transaction.atomic():
        rule.for_everyone = access is None or access.everyone
        add(by, rule, spec, owners)
    rule_index.forget()
    return rule


def add(by: Principal, rule: Rule, spec: RuleSpec, owners: Iterable[Team]) -> None:
    """Write a new rule, in the transaction around this. Raises Invalid if there is one with its name."""
    _save(rule, spec)
    rule.teams.set(owners)
    journal.record(by, "create", rule, after=facts(rule))


def change(
    by: Principal,
    id: int,
    document: Mapping[str, Any],
    access: Access | None = None,
    seen: int | None = None,
    *,
    coming: Collection[str] = (),
) -> Rule:
    """Replace the fields that `document` has, and leave the others; so with `access`, who it is for.

    `seen` is the revision that this is based on. Rules that stand behind it follow it to another name; `coming` is as
    in `create`. Its alerts stay, and follow the rule from the next sample on. Raises
    Missing, Forbidden, Invalid and Conflict, and then nothing is changed.
    """
    with transaction.atomic():
        found = find(by, id)
        follow = _behind(found.name) if document.get("name", found.name) != found.name else []
        locked = locks.rules([found.pk, *follow])
        if found.pk not in locked:
            raise Missing(f"There is no rule {id}.")
        rule = locked[found.pk]
        check(by, CHANGE, rule)
        locks.incidents(rule.alerts.values_list("incident", flat=True))
        locks.alerts(rule.alerts.all())
        if seen is not None and seen != rule.revision:
            raise Conflict(f"Somebody changed the rule {rule.name} meanwhile.", rule.revision)
        before = facts(rule)
        spec = checked({**_begun(rule), **document})
        _check_behind(by, spec, {*coming, *behind.names(rule)})
        _check_condition(rule, spec)
        owners = list(rule.teams.all()) if access is None else teams.named(access.teams)
        teams.check_sharing(by, rule.teams.all(), owners)
        rule.for_everyone = rule.for_everyone if access is None else access.everyone
        rule.revision += 1
        looked_at = _looked_at(rule)
        _save(rule, spec)
        looks_elsewhere = _looked_at(rule) != looked_at
        if looks_elsewhere:
            drawn.check_looked_at(by, owners, spec)
        if not rule.enabled:
            alerts.end_all(by, rule, f"{by.name} turned the rule off.")
        elif looks_elsewhere:
            alerts.end_all(by, rule, f"{by.name} had the rule look at something else.")
        if rule.name != before["name"]:
            for one in follow:
                if one in locked and before["name"] in behind.names(locked[one]):  # still
                    _rename(by, locked[one], before["name"], rule.name)
        rule.teams.set(owners)
        if teams.access_of(rule).model_dump() != {name: before[name] for name in ("everyone", "teams")}:
            gathering.detach(rule, datetime.now(UTC))
        journal.record(by, "change", rule, before, facts(rule))
    rule_index.forget()
    return rule


def _begun(rule: Rule) -> dict[str, Any]:
    """Return the document of `rule` that a change goes on from: as it is stored if this release knows no such form."""
    try:
        return rule_index.document_of(rule)
    except ValueError:
        return document_of(rule)


def _behind(name: str) -> list[int]:
    """Return the rules (ids) that say that they stand behind the one of that name."""
    return [one.pk for one in behind.naming(Rule.objects.all()) if name in behind.names(one)]


def _rename(by: Principal, rule: Rule, before: str, after: str) -> None:
    """Have `rule` name one that it stands behind as that is called now. It looks at the same: it did not change."""
    was = facts(rule)
    fronts = [{**one, "rule": after} if one["rule"] == before else one for one in rule.spec["behind"]]
    rule.spec, rule.revision = {**rule.spec, "behind": fronts}, rule.revision + 1
    rule.save(update_fields=["spec", "revision"])
    journal.record(by, "change", rule, was, facts(rule))


def delete(by: Principal, id: int) -> None:
    """Remove a rule with its alerts; what they were is in the journal. Raises Missing and Forbidden."""
    with transaction.atomic():
        rule = find(by, id)
        locks.rules([rule.pk])
        check(by, DELETE, rule)
        journal.record(by, "delete", rule, before=facts(rule))
        concerned = set(rule.alerts.exclude(incident=None).values_list("incident", flat=True))
        locks.incidents(concerned)
        told = [one for one in locks.alerts(rule.alerts.select_related("rule")) if one.are_told]
        rule.delete()
        gathering.settle(concerned, datetime.now(UTC))
        why = f"{by.name} deleted the rule."
        alert_events.record([alert_events.Event(one, alert_events.OVER, why=why) for one in told])
    rule_index.forget()


def find(by: Principal, id: int) -> Rule:
    """Return the rule `id`. Raises Missing, also if it is not for `by` to see."""
    rule = visible(by, Rule).filter(pk=id).first()
    if rule is None:
        raise Missing(f"There is no rule {id}.")
    return rule


def checked(document: Mapping[str, Any]) -> RuleSpec:
    """Return `document` as a rule. Raises Invalid with everything that is wrong with it."""
    check_storable(dict(document), "rule")
    try:
        spec = RuleSpec.model_validate(document)
    except ValidationError as problem:
        first, *others = sentences(problem, "")
        raise Invalid(*first, *others) from None
    try:
        config = spec.config()
    except ValidationError as problem:
        first, *others = sentences(problem, "condition")
        raise Invalid(*first, *others) from None
    written = condition(spec.kind, config.model_dump(mode="json", exclude_unset=True))
    return spec.model_copy(update={"condition": written})


def _check_behind(by: Principal, spec: RuleSpec, known: Collection[str]) -> None:
    """Raise Invalid unless `by` sees the rules that `spec` says are in front of it, but for those that are `known`."""
    names = {one.rule for one in spec.behind}
    if spec.name in names:
        raise Invalid("behind", "behind: a rule can't stand behind itself.")
    unknown = names - set(known)
    unknown -= set(visible(by, Rule).filter(name__in=unknown).values_list("name", flat=True)) if unknown else set()
    if unknown:
        raise Invalid("behind", f"behind: there is no rule {min(unknown)!r}.")


def document_of(rule: Rule) -> dict[str, Any]:
    """Return a rule as its document, in the form in which it is stored."""
    return {"name": rule.name, **rule.spec, "enabled": rule.enabled}


def whole(rule: Rule) -> dict[str, Any]:
    """Return a rule as its document with every field, be it as usual."""
    spec = spec_of(rule)
    return {
        **spec.model_dump(mode="json", by_alias=True),
        "query": spec.query.model_dump(mode="json", exclude_unset=True),
        "queries": [one.model_dump(mode="json", exclude_unset=True) for one in spec.queries],
    }


def about(kind: AnyCondition) -> dict[str, Any]:
    """Return what a condition is, and the JSON schema of its fields."""
    said = (inspect.getdoc(type(kind)) or "").partition("\n")[0]
    schema = kind.config_class.model_json_schema()
    return {"kind": kind.kind, "group": kind.group, "about": said, "schema": schema}


def says(rule: Rule) -> str:
    """Return what is bad for `rule`, in words: "disk_used above 90 for 5m"; or that it can't be read."""
    spec = rule_index.readable(rule)
    if spec is not None and not spec.kind.is_evaluated:
        return spec.kind.says(spec.config())
    if spec is None:
        return f"This release can't read it: the condition {rule.spec.get('condition', {}).get('kind')!r} is unknown."
    what = spec.expression or _words(spec.query)
    return f"{what} {spec.kind.says(spec.config())}{f' for {spec.for_}' if spec.for_ else ''}"


def _words(query: RuleQuery) -> str:
    """Return which series `query` means, and what is made of them."""
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(query.labels.items()))
    words = f"{query.metric}{{{labels}}}" if labels else query.metric
    if query.function:
        words = f"{query.function} of {words}{f' over {query.over}' if query.over else ''}"
    if query.group_by is not None:
        by = f" by {', '.join(query.group_by)}" if query.group_by else ""
        words = f"{query.aggregate} of {words}{by}"
    return words


def facts(rule: Rule) -> dict[str, Any]:
    """Return what the journal keeps of a rule."""
    access = teams.access_of(rule).model_dump() if rule.pk else {}
    return {**document_of(rule), **access}


def _looked_at(rule: Rule) -> list[Any]:
    """Return what says which series a rule looks at, and what is made of them."""
    kind = rule.spec.get("condition", {}).get("kind")
    return [*(rule.spec.get(name) for name in ("query", "queries", "expression")), kind]


def _check_condition(rule: Rule, spec: RuleSpec) -> None:
    """Raise Invalid if `rule` is to be looked at from now on though its alerts are received, or the reverse."""
    if rule.received is None and spec.kind.is_evaluated:
        return
    before = rule_index.readable(rule)
    if before is None or before.config() != spec.config():
        raise Invalid("condition", "condition: alerts that are received stay so; that of their rule can't be changed.")


def _save(rule: Rule, spec: RuleSpec) -> None:
    written = spec.model_dump(by_alias=True, exclude_defaults=True, exclude={"name", "enabled"})
    rule.name, rule.severity, rule.enabled = spec.name, spec.severity, spec.enabled
    rule.metric = spec.query.metric if spec.kind.is_evaluated else ""
    rule.spec, rule.version = written, spec.version
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError:
        raise Invalid("name", f"There is a rule {rule.name!r} already.") from None
