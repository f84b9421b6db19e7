"""The pages of alerts and rules, as a person uses them."""

import html
import re
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from metrics.access.principal import SYSTEM, Principal, alike, of_user
from metrics.access.sharing import Access
from metrics.actions import alert_list, evaluation, rehearsals, rules
from metrics.actions.alert_list import Asked
from metrics.health import store as health
from metrics.models import Alert, Incident, Rule
from metrics.times import datetime_of
from tests import caches, make
from tests.html_form import chosen_from, form
from tests.make import accepted, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]

TYPED = {
    "query-metric": "disk_used",
    "query-labels": "host: a",
    "condition-above": "90",
    "condition-clear_below": "80",
    "rule-name": "Disk full",
    "rule-severity": "critical",
    "rule-enabled": "on",
    "everyone": "on",
}

THEIRS = {
    "name": "Theirs",
    "query": {"metric": "theirs"},
    "condition": {"kind": "threshold", "above": 90},
    "severity": "critical",
}
PEOPLE: list[tuple[str, dict[str, bool], bool]] = [
    ("ada", {}, False),
    ("bob", {}, False),
    ("cyd", {}, True),
    ("eve", {"is_staff": True}, True),
    ("fay", {"is_staff": True}, True),
    ("gus", {"is_superuser": True}, False),
]
"""People by their names, their rights, and whether they are in the team."""
AGE = re.compile(r"<td data-label=\"For\">[^<]*</td>")


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make.user("eve", is_staff=True))
    return client


NEW = "/rules/new/?kind=threshold"


def typed(editor: Client, path: str = NEW, **changes: str) -> dict[str, str]:
    """Return what a browser sends of the form at `path` when this is typed into it."""
    return {**form(text(editor.get(path)), path), **TYPED, **changes}


def firing(value: float = 95) -> Alert:
    rules.create(
        SYSTEM,
        {
            "name": "Disk <full>",
            "query": {"metric": "disk_used"},
            "condition": {"kind": "threshold", "above": 90},
            "severity": "critical",
        },
    )
    now = time.time()
    accepted([sample("disk_used", value, now, host="<b>a</b>")], now=now)
    evaluation.evaluate(now)
    return Alert.objects.get()


def text(response: Any) -> str:
    return str(response.content.decode())


class TestRules:
    def test_a_condition_is_chosen_first(self, editor: Client) -> None:
        chosen = chosen_from(editor.get(NEW.partition("?")[0]).content.decode())
        assert chosen[:3] == ["Values", "threshold", "missing"]
        assert "received" not in chosen

    def test_one_is_made_changed_and_removed(self, editor: Client) -> None:
        assert "There are no rules yet" in text(editor.get("/rules/"))
        assert "threshold" in text(editor.get("/rules/new/"))
        page = text(editor.get("/rules/new/?kind=threshold&metric=disk_used&label=host=a"))
        assert 'value="disk_used"' in page
        assert "host: a" in page
        more = re.findall("<summary>(More about .*)</summary>", page)
        assert more
        assert len(more) == len({*more} - {"More about it"})
        made = editor.post(NEW, typed(editor))
        assert (made.status_code, made["Location"]) == (302, "/rules/"), text(made)
        rule = Rule.objects.get()
        assert rules.document_of(rule) == {
            "name": "Disk full",
            "query": {"metric": "disk_used", "labels": {"host": "a"}},
            "condition": {"kind": "threshold", "above": 90, "clear_below": 80},
            "severity": "critical",
            "enabled": True,
        }
        listed = text(editor.get("/rules/"))
        assert "disk_used{host=&quot;a&quot;} above 90" in listed
        page = text(editor.get(f"/rules/{rule.pk}/edit/"))
        assert 'value="80' in page
        changed = typed(editor, f"/rules/{rule.pk}/edit/", **{"condition-above": "95"})
        assert editor.post(f"/rules/{rule.pk}/edit/", changed).status_code == 302
        assert Rule.objects.get().spec["condition"]["above"] == 95
        assert editor.post(f"/rules/{rule.pk}/edit/", changed).status_code == 409
        assert "Delete Disk full?" in text(editor.get(f"/rules/{rule.pk}/delete/"))
        assert editor.post(f"/rules/{rule.pk}/delete/").status_code == 302
        assert not Rule.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"rule-name": ""}, "It has to be given"),
            ({"condition-above": "lots"}, "It has to be a number"),
            ({"condition-above": "", "condition-clear_below": ""}, "Above or below has to be given, or both"),
            ({"query-metric": ""}, "It has to be given"),
            ({"rule-for": "soon"}, "is not a period"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_saved(
        self, editor: Client, changes: dict[str, str], sentence: str
    ) -> None:
        answer = editor.post(NEW, typed(editor, **changes))
        assert answer.status_code == 422
        assert sentence in text(answer)
        assert not Rule.objects.exists()

    def test_a_rehearsal_says_what_it_would_have_done(self, editor: Client) -> None:
        now = time.time()
        values = [95 if hour % 24 < 2 else 50 for hour in range(72)]
        samples = [sample("disk_used", value, now - 3600 * (72 - n), host="a") for n, value in enumerate(values)]
        accepted(samples, now=now)
        answer = text(editor.post(f"{NEW}&do=rehearse", typed(editor, **{"rule-no_data": "keep"})))
        assert "<dt>Alerts</dt><dd>3</dd>" in answer
        assert "<dd>1 of 1</dd>" in answer
        assert "disk_used" in answer
        assert not Rule.objects.exists()

    def test_a_rehearsal_has_a_bar_for_each_hour_in_which_it_would_have_told(self, editor: Client) -> None:
        now = time.time() // 3600 * 3600
        values = [95 if hour % 24 in (2, 12, 13) else 50 for hour in range(72)]
        times = [now - 3600 * (72 - n) for n in range(72)]
        accepted([sample("disk_used", value, at, host="a") for value, at in zip(values, times, strict=True)], now=now)
        answer = text(editor.post(f"{NEW}&do=rehearse", typed(editor, **{"rule-no_data": "keep"})))
        begun = Counter(f"{datetime_of(times[n]):%H:00}" for n in range(72) if values[n] > 90 >= values[n - 1])
        assert len(begun) == 2
        assert dict(re.findall(r"<title>(\d\d:00): (\d+)</title>", answer)) == dict.fromkeys(begun, "3")
        assert answer.count('class="hour"') + answer.count('class="hour night"') == 24
        assert answer.count('class="hour night"') == 8
        night = [name for name in begun if name < "06:00" or name >= "22:00"]
        assert answer.count('class="hour-bar night"') == len(night)
        label = re.search(r'aria-label="Told by hour:([^"]*)"', answer)
        assert label
        assert all(f" 3 from {name}" in label[1] for name in begun)

    def test_rules_are_rehearsed_so_often_at_most(self, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rehearsals, "PER_MINUTE", 2)
        accepted([sample("disk_used", 50, time.time(), host="a")], now=time.time())
        given = typed(editor)
        for _ in range(2):
            assert "Rules are rehearsed" not in text(editor.post(f"{NEW}&do=rehearse", given))
        refused = editor.post(f"{NEW}&do=rehearse", given)
        assert refused.status_code == 429
        assert "Rules are rehearsed 2 times a minute at most; try again in " in text(refused)
        swapped = editor.post(f"{NEW}&do=rehearse", given, headers={"HX-Request": "true"})
        assert (swapped.status_code, "at most; try again in" in text(swapped)) == (200, True)

    def test_what_is_explored_leads_to_a_rule_of_it(self, editor: Client) -> None:
        accepted([sample("disk_used", 50, time.time(), host="a b")], now=time.time())
        page = text(editor.get("/explore/?metric=disk_used&label=host=a%20b"))
        link = html.unescape(re.search(r'href="(/rules/new/[^"]*)"', page)[1])  # type: ignore[index]
        assert f"kind=threshold&{link.partition('?')[2]}" in html.unescape(text(editor.get(link)))
        form = text(editor.get(f"{link}&kind=threshold"))
        assert 'value="disk_used"' in form
        assert "host: a b" in form

    def test_viewers_look_and_make_none(self, client: Client) -> None:
        client.force_login(make.user("vic"))
        assert client.get("/rules/").status_code == 200
        assert client.get("/rules/new/").status_code == 403


class TestAlerts:
    def test_it_is_listed_looked_at_taken_and_given_back(self, editor: Client) -> None:
        alert = firing()
        page = text(editor.get("/alerts/"))
        assert "Disk &lt;full&gt;" in page
        assert "host=&lt;b&gt;a&lt;/b&gt;" in page
        assert "firing" in page
        one = f"/alerts/{alert.pk}/"
        page = text(editor.get(one))
        assert "bad is above 90" in page
        refused = editor.post(f"{one}acknowledge/", {"reason": "on it", "hours": "nan"}, follow=True)
        assert "out of date" in text(refused)
        assert Alert.objects.get().acknowledged_at is None
        taken = editor.post(f"{one}acknowledge/", {"reason": "on it", "hours": "4"})
        assert taken["Location"] == one
        alert.refresh_from_db()
        assert (alert.acknowledged_by, alert.reason) == ("user eve", "on it")
        assert alert.acknowledged_until is not None
        assert "on it" in text(editor.get("/alerts/"))
        editor.post(f"{one}acknowledge/", {"back": "1", "next": "list"})
        alert.refresh_from_db()
        assert alert.acknowledged_at is None

    def test_its_page_says_what_is_wrong_and_takes_an_answer_before_the_chart(self, editor: Client) -> None:
        page = editor.get(f"/alerts/{firing().pk}/").content.decode()
        places = [page.index(f'id="{name}"') for name in ("state", "answer", "chart", "moves")]
        assert places == sorted(places)

    def test_its_page_has_the_text_of_its_rule_filled_in(self, editor: Client) -> None:
        alert = firing()
        assert "Its rule says" not in text(editor.get(f"/alerts/{alert.pk}/"))
        rules.change(
            SYSTEM, alert.rule_id, {"text": "{host} has {value}: call <b>Ann</b>.", "runbook": "/d/disks/?a&b"}
        )
        page = text(editor.get(f"/alerts/{alert.pk}/"))
        said = "&lt;b&gt;a&lt;/b&gt; has 95: call &lt;b&gt;Ann&lt;/b&gt;."
        assert f"<dt>Its rule says</dt><dd>{said}</dd>" in page
        assert 'href="/d/disks/?a&amp;b"' in page
        Alert.objects.update(annotations={"summary": "It came with it."})
        assert "Its rule says" not in text(editor.get(f"/alerts/{alert.pk}/"))
        Rule.objects.all().delete()
        assert editor.get(f"/alerts/{alert.pk}/").status_code == 404

    def test_an_open_page_has_the_answers_of_how_it_stands_now(self, editor: Client) -> None:
        alert = firing()
        one = f"/alerts/{alert.pk}/"

        def answers() -> list[str]:
            part = text(editor.get(f"{one}?part=state", headers={"HX-Request": "true"}))
            (found,) = re.findall(r'<hx-partial hx-target="#answer".*?</hx-partial>', part, re.S)
            return re.findall(r"has taken it|<button[^>]*>(?:[^<]*)", found)

        page = text(editor.get(one))
        assert 'id="answer"' in page
        assert "hx-partial" not in page
        assert [one.rpartition(">")[2] for one in answers()] == ["Acknowledge"]
        editor.post(f"{one}acknowledge/", {"reason": "on it"})
        assert [one.rpartition(">")[2] for one in answers()] == ["has taken it", "Give it back"]
        Alert.objects.update(state="ok")
        assert answers() == []

    def test_all_is_well(self, editor: Client) -> None:
        assert "There are no rules yet" in text(editor.get("/alerts/"))
        rules.create(SYSTEM, {"name": "x", "query": {"metric": "m"}, "condition": {"kind": "missing"}})
        assert "All is well" in text(editor.get("/alerts/"))

    def test_viewers_see_it_and_take_none(self, client: Client) -> None:
        alert = firing()
        client.force_login(make.user("vic"))
        page = text(client.get("/alerts/"))
        assert 'form="take"' not in page
        assert '<form id="group" class="box form chosen" hidden' in page  # for who may take some later, see choosing.js
        assert client.post(f"/alerts/{alert.pk}/acknowledge/").status_code == 403
        assert client.get("/alerts/987654321/").status_code == 404

    def test_several_are_taken_for_one_reason(self, editor: Client) -> None:
        first = firing()
        now = time.time()
        accepted([sample("disk_used", 96, now, host=host) for host in ("b", "c")], now=now)
        evaluation.evaluate(now)
        second, third = Alert.objects.exclude(pk=first.pk).order_by("pk")
        page = text(editor.get("/alerts/"))
        assert page.count('name="alert"') == 3
        Alert.objects.filter(pk=third.pk).update(acknowledged_by="user bob", acknowledged_at=datetime_of(now))
        given = {"alert": [first.pk, second.pk, third.pk, "x"], "reason": "on it", "hours": "1", "next": "q=disk"}
        refused = editor.post("/alerts/acknowledge/", {**given, "hours": "0"}, follow=True)
        assert "out of date" in text(refused)
        answer = editor.post("/alerts/acknowledge/", given)
        assert answer["Location"] == "/alerts/?q=disk"
        taken = Alert.objects.filter(acknowledged_by="user eve")
        assert {(one.pk, one.reason) for one in taken} == {(first.pk, "on it"), (second.pk, "on it")}
        page = text(editor.get("/alerts/"))
        assert "2 alerts are yours." in page
        assert "bob has taken it already" in page
        editor.post("/alerts/acknowledge/", {"reason": "x"})
        assert "Choose alerts first." in text(editor.get("/alerts/"))

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("?q=DISK", True),
            ("?q=host%3D%3Cb", True),
            ("?q=host%3Dz", False),
            ("?q=disk+full+nothing", False),
            ("?by=rule", True),
            ("?by=incident&severity=critical", True),
            ("?by=colour", True),
        ],
    )
    def test_the_list_is_found_through_and_grouped(self, editor: Client, query: str, shown: bool) -> None:
        alert = firing()
        page = text(editor.get(f"/alerts/{query}"))
        assert (f'id="alert-{alert.pk}"' in page) is shown
        assert ('<h2 class="group">' in page) is (query in ("?by=rule", "?by=incident&severity=critical"))

    def test_open_pages_are_sent_the_rows_of_the_page_with_nothing_of_one_person(self, client: Client) -> None:
        """Rows are equal for all principals of a key, on the page, fetched, and sent."""
        firing()
        team = Group.objects.create(name="db")
        rules.create(SYSTEM, THEIRS, Access(everyone=False, teams=["db"]))
        now = time.time()
        accepted([sample("theirs", 95, now, host="c")], now=now)
        evaluation.evaluate(now)
        asked = Asked.of({"q": "host", "by": "rule", "x": "1"})
        keys: dict[Principal, set[str]] = {}
        for name, rights, teams in PEOPLE:
            user = make.user(name, **rights)
            user.groups.set([team] if teams else [])
            client.force_login(user)
            page = text(client.get("/alerts/?q=host&by=rule&x=1"))
            assert re.search(r"\?personal=1&amp;list=alerts&amp;q=host&amp;by=rule&amp;listed=\d+-\w+\"", page)
            fetched = text(client.get("/alerts/?q=host&by=rule", headers={"HX-Request": "true"}))
            assert fetched.count("</hx-partial>") == 3  # the counts of the menu, beside the rows
            key = alike(of_user(user))
            rows = alert_list.html(key, asked, time.time())
            assert AGE.sub("", rows.strip()) in AGE.sub("", page)
            assert rows.strip() in fetched
            assert "csrf" not in rows
            assert ('form="take"' in rows) is ("data-may-acknowledge" in rows) is bool(rights)
            assert 'id="take"' in page  # for who may take them later
            keys.setdefault(key, set()).add(rows)
        assert [len(rows) for rows in keys.values()] == [1] * 4
        assert (
            len({AGE.sub("", one) for rows in keys.values() for one in rows}) == 3
        )  # editors of the team see all there is

    def test_what_was_drawn_serves_all_who_may_see_the_same_until_alerts_change(
        self, editor: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        firing()
        read: list[Principal] = []

        def current(by: Principal) -> list[Alert]:
            read.append(by)
            return []

        monkeypatch.setattr("metrics.actions.alerts.current", current)
        ada, bob = (of_user(make.user(name)) for name in ("ada", "bob"))
        now = time.time()
        for by, query, at in [(ada, "", now), (bob, "", now + 1), (bob, "x", now + 9), (ada, "x", now + 9)]:
            alert_list.html(by, Asked(text=query), at)
        assert read == [alike(ada)]
        alert_list.html(ada, Asked(), now + alert_list.CACHED_S)
        health.next_number_of("alerts")
        alert_list.html(bob, Asked(), now + alert_list.CACHED_S)
        assert len(read) == 3

    def test_of_a_reading_the_last_parts_are_remembered_and_each_is_drawn_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reading = alert_list.Reading(SYSTEM, time.time())
        drawn: list[str] = []
        with ThreadPoolExecutor() as threads:

            def render(_: str, context: dict[str, Any]) -> str:
                drawn.append(context["list"].asked.text)
                together.append(threads.submit(reading.html, context["list"].asked))  # it waits, and gets the same
                return f"<p>{drawn[-1]}</p>"

            together: list[Future[str]] = []
            monkeypatch.setattr(alert_list, "render_to_string", render)
            texts = [str(number) for number in range(alert_list.DRAWN_MOST + 1)]
            for text in texts:
                assert reading.html(Asked(text=text)) == together[-1].result() == f"<p>{text}</p>"
            assert [reading.html(Asked(text=text)) for text in texts[1:]] == [f"<p>{text}</p>" for text in texts[1:]]
            assert drawn == texts
            reading.html(Asked(text=texts[0]))
        assert drawn == [*texts, texts[0]]

    def test_what_stands_behind_it_is_listed_and_says_so_itself(self, editor: Client) -> None:
        alert = firing()
        front = {"rule": alert.rule.name, "labels": ["host"]}
        condition = {"kind": "threshold", "above": 1}
        rules.create(SYSTEM, {"name": "Site", "query": {"metric": "site"}, "condition": condition, "behind": [front]})
        now = time.time()
        accepted([sample("site", 2, now, host="<b>a</b>")], now=now)
        evaluation.evaluate(now)
        assert "1 alert stands behind this" in text(editor.get(f"/alerts/{alert.pk}/"))
        other = Alert.objects.get(rule__name="Site")
        assert "which is told instead" in text(editor.get(f"/alerts/{other.pk}/"))

    @pytest.mark.parametrize("is_hidden", [True, False])
    def test_what_stands_behind_it_or_in_front_of_it_is_not_for_other_teams(
        self, editor: Client, is_hidden: bool
    ) -> None:
        """The rules in front and behind are each, in turn, of a team that the reader is not in."""
        front = firing()
        given = {"rule": front.rule.name, "labels": ["host"]}
        condition = {"kind": "threshold", "above": 1}
        rules.create(SYSTEM, {"name": "Site", "query": {"metric": "site"}, "condition": condition, "behind": [given]})
        now = time.time()
        accepted([sample("site", 2, now, host="<b>a</b>")], now=now)
        evaluation.evaluate(now)
        other = Alert.objects.get(rule__name="Site")
        Rule.objects.filter(pk=other.rule_id).update(for_everyone=not is_hidden)
        assert ("stands behind this" in text(editor.get(f"/alerts/{front.pk}/"))) is not is_hidden
        Rule.objects.filter(pk=other.rule_id).update(for_everyone=True)
        Rule.objects.filter(pk=front.rule_id).update(for_everyone=not is_hidden)
        Incident.objects.update(for_everyone=not is_hidden)
        caches.forget()
        shown = text(editor.get(f"/alerts/{other.pk}/"))
        assert ("It stands behind another alert, which is told instead." in shown) is is_hidden
        assert ("Disk &lt;full&gt;" in shown) is not is_hidden
