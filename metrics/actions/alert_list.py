"""The list of alerts that are bad now, drawn once for all people who may see the same alerts.

So pages that load it and pages that are open show the same. One reading of the alerts serves all parts of the list. The
reading and the drawn parts are cached until alerts change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from threading import Lock
from urllib.parse import urlencode

from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from redis import RedisError

from metrics.access.policy import ACKNOWLEDGE, may
from metrics.access.principal import Principal, alike
from metrics.actions import alerts, holding, withholding
from metrics.actions.alert_rows import Row, row
from metrics.actions.fact_cache import FactCache
from metrics.health import store as health
from metrics.models import Alert, Rule

CACHED_S = 10.0
"""Values, times, and who is told change without a change of state."""
READ_MOST, DRAWN_MOST = 20, 5
"""How many readings are remembered, each for all who may see the same, and of each how many parts as they are drawn."""
NUMBER_DIGITS, DIGEST_DIGITS = 16, 12


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of the list that a page asks for, as in its address; an empty text is all.

    Alerts have the `severity`, are of the `team` (its name) and have all words of `text` in their names or labels. They
    are `grouped` by incident or by rule.
    """

    severity: str = ""
    team: str = ""
    text: str = ""
    grouped: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        """Return what a query asks for, whatever else it has."""
        grouped = query.get("by", "")
        return cls(
            severity=query.get("severity", ""),
            team=query.get("team", ""),
            text=query.get("q", ""),
            grouped=grouped if grouped in GROUPED else "",
        )

    @property
    def query(self) -> str:
        """The query that asks for it."""
        given = {"severity": self.severity, "team": self.team, "q": self.text, "by": self.grouped}
        return urlencode({name: value for name, value in given.items() if value})

    def has(self, alert: Alert) -> bool:
        """Return whether an alert is in this part of the list."""
        return (
            self.severity in ("", alert.severity)
            and (not self.team or any(one.name == self.team for one in alert.rule.teams.all()))
            and _has(alert, self.text.casefold().split())
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts of the list that belong together: the `title` and the `address` of what they belong to, and the `rows`."""

    title: str
    address: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class AlertList:
    """The list as `templates/alert/_rows.html` draws it: `groups` of alerts that nobody has taken, and those `taken`.

    `asked` is the part of the list that this is, of alerts that are `total`, of these `severities` and `teams`.
    `may_acknowledge` says whether the reader may take some at all, `has_rules` whether anything is looked at. `listed`
    says which changes are in it, and for whom it was drawn, see `listed`.
    """

    asked: Asked
    groups: list[Group]
    taken: list[Row]
    total: int
    severities: list[str]
    teams: list[str]
    may_acknowledge: bool
    has_rules: bool
    listed: str

    @property
    def query(self) -> QueryDict:
        """The query of the address of a page that asks for it."""
        return QueryDict(self.asked.query)


class Reading:
    """All alerts that `by` may see, as they are at `now` (Unix seconds), of which each part of the list is made."""

    def __init__(self, by: Principal, now: float) -> None:
        self._listed = f"{_number()}-{_digest(by)}"
        every = alerts.current(by)
        muted = withholding.reasons(every, now)
        seen = holding.seen(by, (reason for those in muted.values() for reason in those))
        self._rows = {one: row(one, now, muted.get(one.pk, ()), seen) for one in every}
        self._severities = [one for one in alerts.SEVERITIES if any(alert.severity == one for alert in every)]
        self._teams = sorted({team.name for one in every for team in one.rule.teams.all()})
        self._may_acknowledge = may(by, ACKNOWLEDGE, Alert)
        self._has_rules = Rule.objects.exists()
        self._drawn: dict[Asked, str] = {}
        self._drawing = Lock()  # threads that ask together for the same part need it drawn once

    def list(self, asked: Asked) -> AlertList:
        """Return the part of the list that was `asked` for, the worst alerts first."""
        rows = {one: line for one, line in self._rows.items() if asked.has(one)}
        return AlertList(
            asked=asked,
            groups=_groups({one: line for one, line in rows.items() if not one.acknowledged_at}, asked.grouped),
            taken=[line for one, line in rows.items() if one.acknowledged_at],
            total=len(self._rows),
            severities=self._severities,
            teams=self._teams,
            may_acknowledge=self._may_acknowledge,
            has_rules=self._has_rules,
            listed=self._listed,
        )

    def html(self, asked: Asked) -> str:
        """Return the HTML of that part, which is drawn once."""
        with self._drawing:
            if asked not in self._drawn:
                drawn = render_to_string("alert/_rows.html", {"list": self.list(asked)})
                if len(self._drawn) >= DRAWN_MOST:
                    del self._drawn[next(iter(self._drawn))]  # the oldest
                self._drawn[asked] = drawn
            return self._drawn[asked]


def of(by: Principal, asked: Asked, now: float) -> AlertList:
    """Return the part of the list that `by` asked for, as it is at `now` (Unix seconds), the worst alerts first."""
    return Reading(by, now).list(asked)


def html(by: Principal, asked: Asked, now: float) -> str:
    """Return the HTML of the part of the list that `by` asked for, for pages that show it already.

    It is as alerts were at `now` (Unix seconds), or up to `CACHED_S` before if none has changed since.
    """
    everyone = alike(by)
    return _cache.get(now, lambda: Reading(everyone, now), everyone).html(asked)


def listed(by: Principal, said: str) -> int | None:
    """Return how often alerts had changed in the list that a page says it shows, at least.

    None if it does not say so as a list of `by` does: somebody may see something else by now.
    """
    number, _, digest = said.partition("-")
    is_number = number.isascii() and number.isdecimal() and len(number) < NUMBER_DIGITS
    return int(number) if is_number and digest == _digest(by) else None


def forget() -> None:
    """Remember nothing any more."""
    _cache.forget()


def _number() -> int:
    try:
        return health.number_of("alerts")
    except RedisError:  # what pages are sent is newer, and the notice says why nothing comes
        return 0


def _digest(by: Principal) -> str:
    """Return a few characters that stand for all who may see the same as `by`."""
    teams = None if by.teams is None else sorted(by.teams)
    return sha256(repr((replace(alike(by), teams=None), teams)).encode()).hexdigest()[:DIGEST_DIGITS]


def _groups(rows: Mapping[Alert, Row], by: str) -> list[Group]:
    """Return the `rows` of alerts in groups by a way of `GROUPED`; without one all together."""
    if not by:
        return [Group("", "", list(rows.values()))] if rows else []
    found: dict[tuple[str, str], list[Row]] = {}
    for alert, line in rows.items():
        found.setdefault(GROUPED[by](alert), []).append(line)
    return [Group(title, address, lines) for (title, address), lines in found.items()]


def _of_incident(alert: Alert) -> tuple[str, str]:
    found = alert.incident
    return (found.title, reverse("incident", args=[found.pk])) if found else ("In no incident", "")


def _of_rule(alert: Alert) -> tuple[str, str]:
    return alert.rule.name, f"{reverse('rules')}#rule-{alert.rule_id}"


GROUPED: dict[str, Callable[[Alert], tuple[str, str]]] = {"incident": _of_incident, "rule": _of_rule}
"""Ways to group the list, by their names in its address."""


def _has(alert: Alert, words: Sequence[str]) -> bool:
    """Whether an alert has all of `words` in its name or its labels, such as host=web-1."""
    if not words:
        return True
    labels = " ".join(f"{name}={value}" for name, value in alert.labels.items())
    said = f"{alert.rule.name} {labels}".casefold()
    return all(word in said for word in words)


_cache = FactCache[Reading]("alerts", CACHED_S, READ_MOST)
