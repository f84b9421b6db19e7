"""Webhooks for alerts: making, changing and removing them, and a preview of the alerts in an example."""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from pydantic import ValidationError

from metrics.access.policy import CHANGE, CREATE, DELETE, check, visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import journal, locks, teams
from metrics.actions.errors import Forbidden, Invalid, Missing, check_storable, sentences
from metrics.ingest.alert_mapping import AlertMapping, parse
from metrics.ingest.alerts import NotAlerts, Sent
from metrics.models import AlertWebhook
from metrics.times import datetime_of
from metrics.versioned import upgraded

NAME_MOST = 100
EXAMPLE_MOST = 100_000
ALERTS_SHOWN = 20
TIME_MOST_S = 2.0
"""So long all alerts of an example may take together."""
NOTED_EVERY = timedelta(minutes=1)


def create(
    by: Principal, name: str, mapping: Mapping[str, Any], access: Access | None = None
) -> tuple[AlertWebhook, str]:
    """Make a webhook; return it and the key in its address, which is kept nowhere. Raises Forbidden and Invalid."""
    check(by, CREATE, AlertWebhook)
    key = AlertWebhook.new_secret()
    owners = teams.named((access or Access()).teams)
    teams.check_sharing(by, [], owners)
    made = AlertWebhook(digest=AlertWebhook.digest_of(key), for_everyone=access is None or access.everyone)
    with transaction.atomic():
        _save(made, name, mapping)
        made.teams.set(owners)
        journal.record(by, "create", made, after=facts(made))
    return made, key


def change(by: Principal, id: int, name: str | None, mapping: Mapping[str, Any] | None) -> AlertWebhook:
    """Give a webhook another name or mapping, where they are given. Raises Missing, Forbidden and Invalid."""
    with transaction.atomic():
        webhook = locks.locked(find(by, id))
        check(by, CHANGE, webhook)
        before = facts(webhook)
        _save(webhook, webhook.name if name is None else name, mapping)
        journal.record(by, "change", webhook, before, facts(webhook))
    return webhook


def delete(by: Principal, id: int) -> None:
    """Remove a webhook; its address no longer works. Raises Missing and Forbidden."""
    with transaction.atomic():
        webhook = find(by, id)
        check(by, DELETE, webhook)
        journal.record(by, "delete", webhook, before=facts(webhook))
        webhook.delete()


def find(by: Principal, id: int) -> AlertWebhook:
    """Return the webhook `id`. Raises Missing, also if it is not for `by` to see."""
    found = visible(by, AlertWebhook).prefetch_related("teams").filter(pk=id).first()
    if found is None:
        raise Missing(f"There is no webhook {id}.")
    return found


def of_key(key: str, now: float) -> AlertWebhook:
    """Return the webhook whose address has `key`, and note that it was used. Raises Forbidden."""
    digest = AlertWebhook.digest_of(key)
    found = AlertWebhook.objects.prefetch_related("teams").filter(digest=digest).first()
    if found is None or not secrets.compare_digest(found.digest, digest):
        raise Forbidden("There is no webhook with this key.")
    if found.last_used_at is None or datetime_of(now) - found.last_used_at >= NOTED_EVERY:
        AlertWebhook.objects.filter(pk=found.pk).update(last_used_at=datetime_of(now))
    return found


def principal_of(webhook: AlertWebhook, address: str | None = None) -> Principal:
    """Return whoever sends to `webhook`: without a role, it pushes for the teams of that.

    Raises Forbidden for one that is for nobody: what its team alone saw must not be told to everyone.
    """
    of = frozenset(team.pk for team in webhook.teams.all()) or None
    if of is None and not webhook.for_everyone:
        raise Forbidden(f"The webhook {webhook.name} has no team any more: give it one, or make another.")
    return Principal("webhook", f"webhook {webhook.name}", pk=webhook.pk, teams=of, pushes=True, address=address)


def mapping_of(webhook: AlertWebhook) -> AlertMapping:
    """Return the mapping of `webhook`. Raises ValueError for one that a later release stored."""
    return AlertMapping.model_validate(upgraded(AlertMapping, webhook.mapping, webhook.version))


def document_of(webhook: AlertWebhook) -> dict[str, Any]:
    """Return the mapping of `webhook` as a document, as it is stored if a later release did that; {} if it is none."""
    try:
        return upgraded(AlertMapping, webhook.mapping, webhook.version)
    except ValueError:
        return webhook.mapping if isinstance(webhook.mapping, dict) else {}


def rehearse(mapping: Mapping[str, Any], example: str, now: float) -> Sent:
    """Return the first alerts that a mapping would find in `example`, as it would in a body. Raises Invalid."""
    if len(example) > EXAMPLE_MOST:
        raise Invalid("example", f"example: it has at most {EXAMPLE_MOST} characters.")
    try:
        json.loads(example)
    except json.JSONDecodeError as problem:
        said = f"The example is no JSON: it can't be read from line {problem.lineno}, column {problem.colno} on."
        raise Invalid("example", said) from None
    except (RecursionError, ValueError):
        pass  # which says so itself
    try:
        return parse(_checked(mapping), example.encode(errors="replace"), now, ALERTS_SHOWN, TIME_MOST_S)
    except NotAlerts as problem:
        raise Invalid("example", f"The example has no alerts: {problem}.") from None


def is_readable(webhook: AlertWebhook) -> bool:
    """Return whether this release can read the mapping of `webhook`."""
    try:
        mapping_of(webhook)
    except ValueError:
        return False
    return True


def facts(webhook: AlertWebhook) -> dict[str, Any]:
    """Return what the journal keeps of a webhook."""
    return {"name": webhook.name, "mapping": webhook.mapping, **teams.access_of(webhook).model_dump()}


def _save(webhook: AlertWebhook, name: str, mapping: Mapping[str, Any] | None) -> None:
    check_storable(name, "name")
    if not name.strip() or len(name) > NAME_MOST:
        raise Invalid("name", f"name: it has 1 to {NAME_MOST} characters.")
    webhook.name = name.strip()
    if mapping is not None:
        check_storable(dict(mapping), "mapping")
        webhook.mapping = _checked(mapping).model_dump(mode="json", exclude_defaults=True)
        webhook.version = AlertMapping.version
    try:
        with transaction.atomic():
            webhook.save()
    except IntegrityError:
        raise Invalid("name", f"name: there is a webhook {webhook.name!r} already.") from None


def _checked(mapping: Mapping[str, Any]) -> AlertMapping:
    try:
        return AlertMapping.model_validate(dict(mapping))
    except ValidationError as problem:
        first, *others = sentences(problem, "mapping")
        raise Invalid(*first, *others) from None
