"""Silences and maintenance as reasons to withhold alerts, and how often each one withheld some.

Notifications are withheld, and nothing else: an alert is looked at as before, and shown.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Literal, get_args

from django.db.models import Count, Max, Q

from metrics.actions import odd_rows
from metrics.actions.alert_labels import labels_of
from metrics.alerts import matchers
from metrics.alerts.matchers import BadMatcher, Matcher
from metrics.models import Alert, MaintenanceSpan, Rule, Silence, Withheld
from metrics.models.silence import Withholding
from metrics.times import datetime_of, seconds_of

Kind = Literal["silence", "maintenance", "flapping", "behind", "no data"]
KEPT = timedelta(days=400)
UNREADABLE = "This release can't read its matchers, so it withholds nothing: enter them anew."


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: the `id` of a silence or a maintenance, as text, and the `text` that `by` gave for it.

    Of an alert that flaps it is its own id, of one behind another that of the one in front, of one without data as most
    are that of the incident that says so; nobody gave these.

    It holds from `since` until `until` (Unix seconds).
    """

    kind: Kind
    id: str
    text: str
    by: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Note:
    """A reason for which people were not told of a change of `alert`; `key` names the change, which counts once."""

    reason: Reason
    alert: Alert
    key: str


@dataclass(frozen=True, slots=True)
class Counted:
    """How many notifications a thing withheld, and when the `last` one (a datetime)."""

    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Active:
    """A reason that holds now, and the alerts that it is one for."""

    reason: Reason
    matchers: Sequence[Matcher]
    reach: frozenset[int] | None

    def concerns(self, rule: Rule, teams: frozenset[int], labels: dict[str, str]) -> bool:
        return is_in_reach(self.reach, rule, teams) and matchers.match(self.matchers, labels)


def reasons(alerts: Sequence[Alert], at: float) -> dict[int, list[Reason]]:
    """Return the reasons not to tell people of each of `alerts` at a time, by their ids; others are left out.

    Three queries, however many alerts there are; `rule` of each should be selected.
    """
    active = [one for find in ACTIVE for one in find(at)]
    if not active or not alerts:
        return {}
    teams = teams_of(alerts)
    found = {}
    for alert in alerts:
        labels = labels_of(alert)
        those = [one.reason for one in active if one.concerns(alert.rule, teams[alert.rule_id], labels)]
        if those:
            found[alert.pk] = those
    return found


def is_in_reach(reach: frozenset[int] | None, rule: Rule, teams: frozenset[int]) -> bool:
    """Return whether alerts of `rule`, which is of `teams` (ids), are seen by somebody of the teams in `reach`."""
    return reach is None or rule.for_everyone or bool(reach & teams)


def teams_of(alerts: Iterable[Alert]) -> dict[int, frozenset[int]]:
    """Return the ids of the teams of each alert's rule, by the rule's id, in a query for those that need it."""
    found: dict[int, set[int]] = {alert.rule_id: set() for alert in alerts}
    private = {alert.rule_id for alert in alerts if not alert.rule.for_everyone}
    if private:
        for rule, team in Rule.teams.through.objects.filter(rule_id__in=private).values_list("rule_id", "team_id"):
            found[rule].add(team)
    return {rule: frozenset(teams) for rule, teams in found.items()}


def reach_of(thing: Withholding) -> frozenset[int] | None:
    """Return the teams (ids) of the maker of `thing`; None for one who sees all."""
    return None if thing.reach is None else frozenset(thing.reach)


def matchers_of(thing: Withholding) -> list[Matcher] | None:
    """Return the matchers of `thing`; None if this release can't read it, and then it withholds nothing."""
    try:
        if thing.reach is not None and not all(isinstance(one, int) for one in thing.reach):
            raise BadMatcher("The reach is a list of the ids of teams.")
        if not thing.matchers:
            raise BadMatcher("There is no matcher.")
        return matchers.from_json(thing.matchers)
    except (BadMatcher, TypeError) as problem:
        odd_rows.left_out(thing, problem)
        return None


def texts_of(thing: Withholding) -> list[str]:
    """Return the matchers of `thing` as they are typed; none if this release can't read it."""
    return [str(one) for one in matchers_of(thing) or ()]


def note(notes: Sequence[Note], at: float) -> None:
    """Count that people were not told of changes, in the transaction of these."""
    rows = [
        Withheld(kind=one.reason.kind, thing=one.reason.id, alert=one.alert, key=one.key, at=datetime_of(at))
        for one in notes
    ]
    Withheld.objects.bulk_create(rows, ignore_conflicts=True)


def counts(things: Iterable[tuple[str, str]], since: float = 0.0) -> dict[tuple[str, str], Counted]:
    """Return how many notifications each of `things` withheld since a time (Unix seconds), by kind and id.

    Things of kinds that withhold nothing, and those that withheld nothing, are left out.
    """
    ids: dict[str, list[str]] = {kind: [] for kind in get_args(Kind)}
    for kind, id in things:
        if kind in ids:
            ids[kind].append(id)
    asked = [Q(kind=kind, thing__in=those) for kind, those in ids.items() if those]
    if not asked:
        return {}
    rows = Withheld.objects.filter(reduce(or_, asked), at__gte=datetime_of(since)).values_list("kind", "thing")
    return {(kind, thing): Counted(count, last) for kind, thing, count, last in rows.annotate(Count("pk"), Max("at"))}


def forget(now: float) -> None:
    """Remove the notes that are older than `KEPT` at `now` (Unix seconds)."""
    Withheld.objects.filter(at__lt=datetime_of(now) - KEPT).delete()


def _silences(at: float) -> list[Active]:
    moment = datetime_of(at)
    running = Silence.objects.filter(starts_at__lte=moment, ends_at__gt=moment)
    return _active("silence", ((one, one.starts_at, one.ends_at) for one in running))


def _maintenance(at: float) -> list[Active]:
    moment = datetime_of(at)
    spans = MaintenanceSpan.objects.select_related("maintenance")
    running = spans.filter(starts_at__lte=moment, ends_at__gt=moment, maintenance__enabled=True)
    return _active("maintenance", ((one.maintenance, one.starts_at, one.ends_at) for one in running))


def _active(kind: Kind, running: Iterable[tuple[Withholding, datetime, datetime]]) -> list[Active]:
    """Return the things that hold, each with its start and its end; one that can't be read holds nothing."""
    found = []
    for one, starts_at, ends_at in running:
        given = matchers_of(one)
        if given is not None:
            reason = Reason(kind, str(one.pk), one.comment, one.by, seconds_of(starts_at), seconds_of(ends_at))
            found.append(Active(reason, given, reach_of(one)))
    return found


ACTIVE: list[Callable[[float], list[Active]]] = [_silences, _maintenance]
"""Functions that return what holds at a time, in a query each."""
