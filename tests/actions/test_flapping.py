"""Alerts that flap, and alerts behind others: what is told of them, and when."""

from typing import Any

import pytest

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import announcements, behind, evaluation, rule_index, rules
from metrics.actions.errors import Invalid
from metrics.models import Alert, Incident, Message, Rule, Withheld
from metrics.times import datetime_of
from tests import make
from tests.alerting import push_hosts, rule, told
from tests.make import AT, accepted, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]


@pytest.fixture(autouse=True)
def _ann() -> None:
    make.user("ann")


class TestFlapping:
    NAME = 'Disk full{host="a"}'

    @pytest.fixture(autouse=True)
    def _flaps(self) -> None:
        rule("Disk full", "disk_used")
        for minute in range(15):
            push_hosts(60 * minute, a=1 if minute % 2 else 95)

    def test_it_is_said_once_and_counted(self) -> None:
        assert told() == [
            f"Warning: {self.NAME} is 95.",
            f"Over: {self.NAME}, now 1.",
            f"Warning: {self.NAME} is 95.",
            f"Over: {self.NAME}, now 1.",
            f"Warning: {self.NAME} is 95.",
            f"{self.NAME} flaps: 6 changes in 20 min. You are told again once it calms.",
        ]
        assert list(Withheld.objects.values_list("kind", "thing").distinct()) == [
            ("flapping", str(Alert.objects.get().pk))
        ]
        assert Withheld.objects.count() == 5
        assert Incident.objects.get().resolved_at is None

    @pytest.mark.parametrize(
        ("value", "last", "is_over"),
        [
            (95, "Warning: {} flaps no more, and is firing.", False),
            (1, "Over: {}, now 1.", True),
        ],
    )
    def test_when_it_calms_it_is_told_how_it_is(self, value: float, last: str, is_over: bool) -> None:
        push_hosts(900, a=value)
        count = len(told())
        assert announcements.release(AT + 960) == 0
        assert announcements.release(AT + 1860) == 1
        assert told()[count:] == [last.format(self.NAME)]
        assert (Incident.objects.get().resolved_at is not None) is is_over
        assert announcements.release(AT + 1900) == 0
        assert Alert.objects.get().flaps_since_ms is None

    def test_those_it_is_for_now_are_told_of_it(self) -> None:
        access = Access(everyone=False, teams=[make.team("night").name])
        rules.change(SYSTEM, Rule.objects.get().pk, {}, access)
        alert = Alert.objects.get()
        assert (alert.incident, alert.flaps_since_ms) == (None, None)
        announcements.release(AT + 850)
        said = Message.objects.filter(room__incident=Incident.objects.latest("pk")).earliest("pk").text
        assert said.startswith(f"- **Flaps** `{self.NAME}`")


class TestBehind:
    @pytest.fixture(autouse=True)
    def _rules(self) -> None:
        rule("Host down", "down")
        rule("Disk full", "disk_used", behind=[{"rule": "Host down", "labels": ["host"]}])

    def test_it_is_told_when_the_one_in_front_is_over_and_it_is_still_bad(self) -> None:
        push_hosts(0, "down", a=99)
        push_hosts(1, a=95, b=95)
        front = Alert.objects.get(rule__name="Host down")
        assert told() == ['Warning: Host down{host="a"} is 99.', 'Warning: Disk full{host="b"} is 95.']
        assert [str(one) for one in behind.those_behind(SYSTEM, front)] == ['Disk full{host="a"}']
        assert list(Withheld.objects.values_list("kind", "thing")) == [("behind", str(front.pk))]
        assert announcements.release(AT + 2) == 0
        push_hosts(60, "down", a=1)
        assert announcements.release(AT + 61) == 1
        assert told()[2:] == ['Over: Host down{host="a"}, now 1.', 'Warning: Disk full{host="a"} is 95.']

    def test_what_begins_at_once_is_behind_too_and_what_recovers_is_never_told(self) -> None:
        now = AT
        accepted([sample("disk_used", 95, now, host="a"), sample("down", 99, now, host="a")], now=now)
        evaluation.evaluate(now)
        assert told() == ['Warning: Host down{host="a"} is 99.']
        push_hosts(30, a=1)
        push_hosts(60, "down", a=1)
        announcements.release(AT + 61)
        assert told()[1:] == ['Over: Host down{host="a"}, now 1.']

    def test_one_behind_each_other_is_told(self) -> None:
        rules.change(SYSTEM, Rule.objects.get(name="Host down").pk, {"behind": [{"rule": "Disk full"}]})
        now = AT
        accepted([sample("disk_used", 95, now, host="a"), sample("down", 99, now, host="a")], now=now)
        evaluation.evaluate(now)
        assert len(told()) == 1

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ([{"rule": "x"}], "can't stand behind itself"),
            ([{"rule": "Nothing"}], "no rule 'Nothing'"),
            ([{"rule": "Host down", "labels": ["a b"]}], "can't be the name of a label"),
        ],
    )
    def test_what_can_not_be_in_front_is_refused(self, given: list[Any], sentence: str) -> None:
        with pytest.raises(Invalid, match=sentence):
            rule("x", "m", behind=given)


def each(hosts: list[str]) -> Any:
    """Return a good value for each of `hosts`."""
    return dict.fromkeys(hosts, 50)


class TestNoData:
    @pytest.mark.parametrize(("gone", "alone"), [(6, False), (5, True), (4, True)])
    def test_when_most_have_no_data_that_is_told_once(self, gone: int, alone: bool) -> None:
        rule("Disk full", "disk_used")
        Rule.objects.update(changed_at=datetime_of(AT - 9999))
        rule_index.forget()
        hosts = [f"h{number}" for number in range(gone if gone < 5 else 10)]
        for minute in range(5):
            push_hosts(60 * minute - 240, **each(hosts))
        staying = {} if gone < 5 else each(hosts[gone:])
        for minute in range(1, 8):
            if staying:
                push_hosts(60 * minute, **staying)
            for second in (5, 25, 45):
                evaluation.look(AT + 60 * minute + second)
        assert Alert.objects.filter(state="nodata").count() == gone
        ours = [text for text in told() if text.startswith("Watchfloor gets no data")]
        if alone:
            assert ours == []
            assert told() != []
            return
        assert told() == [
            f"Watchfloor gets no data: {gone} of 10 series have none. People are not told of each of them."
        ]
        assert Withheld.objects.filter(kind="no data").count() == gone
        assert announcements.release(AT + 500) == 0
        push_hosts(540, **each(hosts[2:]))
        evaluation.look(AT + 545)
        announcements.release(AT + 546)
        assert Incident.objects.get(key="no data").resolved_at is not None
        assert told()[1:] == ['No data: Disk full{host="h0"}.', 'No data: Disk full{host="h1"}.']
