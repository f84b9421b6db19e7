"""Silences: making, changing and ending them, and what they withhold."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.access.principal import SYSTEM, Principal, of_user
from metrics.access.sharing import Access
from metrics.actions import rules, silences, withholding
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.alerts.matchers import parse
from metrics.models import Alert, AuditEntry, Silence, Team, Withheld
from tests import make

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The moment that it is, in a list."""
    moment = [NOW]
    monkeypatch.setattr("metrics.actions.silences.time.time", lambda: moment[0].timestamp())
    return moment


def person(name: str, *teams: str, edits: bool = True) -> Principal:
    user = make.user(name, is_staff=edits)
    for team in teams:
        user.groups.add(Team.objects.get(name=team))
    return of_user(user)


def silence(by: Principal = SYSTEM, text: str = "host=a", **changes: Any) -> Silence:
    given: dict[str, Any] = {"starts_at": None, "ends_at": NOW + HOUR, "comment": "Disks are swapped.", **changes}
    return silences.set(by, parse(text), **given)


def alert(name: str = "Disk full", access: Access | None = None, state: str = "firing", **labels: str) -> Alert:
    document = {"name": name, "query": {"metric": "disk_used"}, "condition": {"kind": "threshold", "above": 90}}
    rule = rules.create(SYSTEM, {**document, "labels": {"tier": "db"}}, access)
    return Alert.objects.create(
        rule=rule, key=name, since_ms=0, seen_at_ms=0, state=state, labels={**labels, "tier": "db"}, series=labels
    )


def reasons(*alerts: Alert, at: datetime = NOW) -> list[list[str]]:
    found = withholding.reasons(alerts, at.timestamp())
    return [[one.text for one in found.get(alert.pk, [])] for alert in alerts]


@pytest.mark.parametrize(
    ("text", "changes", "fields"),
    [
        ("", {}, ["matchers"]),
        ("a=~.*", {}, ["matchers"]),
        ("a!=b", {}, ["matchers"]),
        ("a=b", {"comment": "  "}, ["comment"]),
        ("a=b", {"comment": "x" * 501}, ["comment"]),
        ("a=b", {"comment": "\0"}, ["comment"]),
        ("a=b", {"ends_at": NOW}, ["ends_at"]),
        ("a=b", {"starts_at": NOW + HOUR}, ["ends_at"]),
        ("a=b", {"access": Access(teams=["nobody"])}, ["access.teams"]),
        ("", {"comment": "", "ends_at": NOW}, ["matchers", "ends_at", "comment"]),
    ],
)
def test_what_can_not_be_is_refused(text: str, changes: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        silence(text=text, **changes)
    assert [field for field, _ in refused.value.all] == fields
    assert not Silence.objects.exists()


@pytest.mark.parametrize("text", ["host=", "host=~(", "host"])
def test_a_text_that_is_no_matcher_is_refused(text: str) -> None:
    if text == "host=":
        assert silences.read(text)
        return
    with pytest.raises(Invalid, match=r"^matchers: .*\.$"):
        silences.read(text)


@pytest.mark.parametrize(
    ("changes", "keeps"),
    [
        pytest.param({"ends_at": NOW + 3 * HOUR}, True, id="a later end"),
        pytest.param({"comment": "It takes longer."}, True, id="another reason"),
        pytest.param({"starts_at": NOW, "ends_at": NOW + 2 * HOUR}, True, id="the same start"),
        pytest.param({"starts_at": NOW + HOUR / 2}, False, id="another start"),
        pytest.param({"text": "host=b"}, False, id="other matchers"),
    ],
)
def test_it_keeps_its_id_or_a_new_one_is_made(changes: dict[str, Any], keeps: bool, clock: list[datetime]) -> None:
    old = silence()
    clock[0] += HOUR / 4
    new = silence(id=str(old.pk), **changes)
    old.refresh_from_db()
    assert (new.pk == old.pk) is keeps
    assert old.ends_at == (new.ends_at if keeps else clock[0])
    verbs = [entry.verb for entry in AuditEntry.objects.filter(noun="silence").order_by("pk")]
    assert verbs == (["create", "change"] if keeps else ["create", "expire", "create"])


def test_one_that_has_not_begun_may_begin_at_another_time(clock: list[datetime]) -> None:
    old = silence(starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
    assert silences.state(old, NOW) == "pending"
    new = silence(id=str(old.pk), starts_at=NOW + HOUR / 2)
    assert (new.pk, new.starts_at) == (old.pk, NOW + HOUR / 2)
    assert reasons(alert(host="a")) == [[]]
    silences.expire(SYSTEM, str(old.pk))
    old.refresh_from_db()
    assert (old.starts_at, old.ends_at) == (NOW, NOW)


def test_one_that_is_over_is_made_anew(clock: list[datetime]) -> None:
    old = silence()
    clock[0] += 2 * HOUR
    new = silence(id=str(old.pk), ends_at=clock[0] + HOUR)
    assert new.pk != old.pk
    assert new.starts_at == clock[0]
    assert [silences.state(one, clock[0]) for one in silences.listed(SYSTEM)] == ["active", "expired"]


def test_ending_one_twice_changes_nothing(clock: list[datetime]) -> None:
    made = silence()
    silences.expire(SYSTEM, str(made.pk))
    clock[0] += HOUR
    silences.expire(SYSTEM, str(made.pk))
    made.refresh_from_db()
    assert made.ends_at == NOW
    assert AuditEntry.objects.filter(verb="expire").count() == 1


def test_only_editors_make_and_end_them() -> None:
    made = silence()
    viewer = person("vera", edits=False)
    with pytest.raises(Forbidden):
        silence(viewer)
    with pytest.raises(Forbidden):
        silences.expire(viewer, str(made.pk))
    assert silences.expire(person("eve"), str(made.pk)).pk == made.pk


def test_one_of_a_team_is_for_its_people() -> None:
    make.team("ops")
    made = silence(access=Access(everyone=False, teams=["ops"]))
    assert silences.find(person("ed", "ops"), str(made.pk)) == made
    for id in (str(made.pk), "no such id"):
        with pytest.raises(Missing):
            silences.find(person(f"eve {id}"), id)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host=a", True),
        ("host=b", False),
        ("tier=db", True),
        ('alertname="Disk full"', True),
        ("metric=disk_used, severity=~warn.*", True),
        ("host=a, alertname=other", False),
    ],
)
def test_labels_of_an_alert_are_matched(text: str, expected: bool) -> None:
    silence(text=text)
    assert reasons(alert(host="a")) == [["Disks are swapped."] if expected else []]


def test_it_holds_from_its_start_until_before_its_end() -> None:
    one = alert(host="a")
    made = silence()
    assert [bool(reasons(one, at=at)[0]) for at in (NOW - HOUR, NOW, NOW + HOUR / 2, NOW + HOUR)] == [
        False,
        True,
        True,
        False,
    ]
    (reason,) = withholding.reasons([one], NOW.timestamp())[one.pk]
    assert (reason.kind, reason.id, reason.by) == ("silence", str(made.pk), "watchfloor")
    assert (reason.since, reason.until) == (NOW.timestamp(), (NOW + HOUR).timestamp())


def test_nobody_mutes_alerts_that_they_do_not_see() -> None:
    make.team("ops")
    make.team("night")
    secret, anyones = alert("Secret", Access(everyone=False, teams=["ops"]), host="a"), alert("Open", host="a")
    eve, ed = person("eve", "night"), person("ed", "ops")
    assert [one.pk for one in silences.muted(eve, parse("host=a"), 10).alerts] == [anyones.pk]
    made = silence(eve)
    assert reasons(secret, anyones) == [[], ["Disks are swapped."]]
    longer = silence(ed, id=str(made.pk), ends_at=NOW + 2 * HOUR)
    assert longer.pk != made.pk
    assert reasons(secret, anyones) == [["Disks are swapped."], ["Disks are swapped."]]
    silences.expire(ed, str(longer.pk))
    silence(SYSTEM)
    assert reasons(secret, anyones) == [["Disks are swapped."], ["Disks are swapped."]]


def test_one_that_mutes_what_somebody_does_not_see_is_changed_by_others(clock: list[datetime]) -> None:
    for team in ("ops", "night"):
        make.team(team)
    alert("Secret", Access(everyone=False, teams=["ops"]), host="a")
    eve, ed = person("eve", "night"), person("ed", "ops", "night")
    of_all, of_ops, of_night = silence(), silence(ed), silence(eve)
    for one in (of_all, of_ops):
        with pytest.raises(Forbidden, match=r"^This silence mutes alerts that you may not see: end it, or make a sil"):
            silence(eve, id=str(one.pk), ends_at=NOW + 2 * HOUR)
        assert silence(ed, id=str(one.pk), ends_at=NOW + 3 * HOUR).ends_at == NOW + 3 * HOUR
    assert silence(eve, id=str(of_night.pk), ends_at=NOW + 2 * HOUR).pk == of_night.pk
    ended = silences.expire(eve, str(of_ops.pk))
    assert silence(eve, id=str(ended.pk)).reach == silences.reach_of(eve)


def test_what_it_would_mute_now_is_shown() -> None:
    alert("Gone", state="ok", host="a")
    there = [alert(f"There {number}", host="a") for number in range(3)]
    found = silences.muted(SYSTEM, parse("host=a"), 2)
    assert (len(found.alerts), found.total) == (2, len(there))
    assert silences.muted(SYSTEM, [], 2).total == 0


@pytest.mark.parametrize("count", [1, 5])
def test_many_alerts_cost_as_many_queries_as_one(count: int) -> None:
    make.team("ops")
    for number in range(count):
        alert(f"Rule {number}", Access(everyone=False, teams=["ops"]), host="a")
        silence(text=f"host=a,n!={number}")
    alerts = list(Alert.objects.select_related("rule"))
    with CaptureQueriesContext(connection) as asked:
        assert len(withholding.reasons(alerts, NOW.timestamp())) == count
    assert len(asked) <= QUERIES_MOST


QUERIES_MOST = 3


def test_what_was_withheld_is_counted_once() -> None:
    one, made = alert(host="a"), silence()
    found = withholding.reasons([one], NOW.timestamp())[one.pk]
    for key, at in (("firing:1", NOW), ("firing:1", NOW), ("ok:2", NOW + HOUR)):
        withholding.note([withholding.Note(each, one, key) for each in found], at.timestamp())
    named = "silence", str(made.pk)
    other = [("silence", "x"), ("rule", str(made.pk))]
    counted = withholding.counts([*other, named])[named]
    assert (counted.count, counted.last) == (2, NOW + HOUR)
    assert withholding.counts([named], (NOW + HOUR / 2).timestamp())[named].count == 1
    assert withholding.counts(other) == {}
    withholding.forget((NOW + timedelta(days=500)).timestamp())
    silences.forget((NOW + timedelta(days=500)).timestamp())
    assert (Withheld.objects.count(), Silence.objects.count()) == (0, 0)
