"""Rules of alerts that others evaluate: each is made by the first alert with its name, for the teams of its sender."""

import hashlib
import json
from collections.abc import Iterable, Iterator

from django.db import IntegrityError, transaction

from metrics.access.principal import Principal
from metrics.actions import rules
from metrics.actions.errors import Invalid
from metrics.alerts.received import Received
from metrics.models import Rule, Team

RULES_MOST = 2000
"""Names of alerts; more would be names that a program makes up as it goes."""
TITLE_MOST = 80
UNNAMED = "Unnamed alert"
NAMES_TRIED = 20


def of(by: Principal, names: Iterable[str]) -> dict[str, Rule | None]:
    """Return the rule of each of `names` of alerts that `by` sends, made if there is none; None if there are too many.

    Called in the transaction in which the alerts are written.
    """
    keys = {key_of(by, name): name for name in names}
    found: dict[str, Rule | None] = {keys[rule.received or ""]: rule for rule in Rule.objects.filter(received__in=keys)}
    missing = {key: name for key, name in keys.items() if name not in found}
    if missing:
        room = RULES_MOST - Rule.objects.exclude(received=None).count()
        teams = list(Team.objects.filter(pk__in=by.teams or ()).order_by("name"))
        for place, (key, name) in enumerate(missing.items()):
            found[name] = _made(by, teams, key, name) if place < room else None
    return found


def key_of(by: Principal, name: str) -> str:
    """Return which alerts those with `name` are that `by` sends: the same for whoever acts for the same teams."""
    return key_for(by.teams or (), name)


def key_for(teams: Iterable[int], name: str) -> str:
    """Return which alerts those with `name` are that somebody sends who acts for `teams`, their ids."""
    return hashlib.sha256(json.dumps([name, sorted(teams)]).encode()).hexdigest()


def _made(by: Principal, teams: list[Team], key: str, name: str) -> Rule | None:
    condition = {"kind": Received.kind, "alertname": name[:1000], "sender": by.name[:200]}
    for title in _titles(name, teams):
        if Rule.objects.filter(name=title).exists():
            continue
        rule = Rule(received=key, for_everyone=not teams)
        try:
            with transaction.atomic():
                rules.add(by, rule, rules.checked({"name": title, "condition": condition}), teams)
        except (IntegrityError, Invalid):  # somebody was faster, with the same alert or with the name
            known = Rule.objects.filter(received=key).first()
            if known is not None:
                return known
            continue
        return rule
    return None


def _titles(name: str, teams: list[Team]) -> Iterator[str]:
    """Yield names for a rule: that of its alerts, and others for when a rule has it."""
    title = " ".join(name.split())[:TITLE_MOST] or UNNAMED
    yield title
    if teams:
        yield f"{title} ({', '.join(team.name for team in teams)})"[:100]
    yield f"{title} (received)"
    for number in range(2, NAMES_TRIED):
        yield f"{title} (received {number})"
