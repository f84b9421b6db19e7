"""The pages of incidents, as a person uses them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from metrics.actions import rooms
from metrics.models import Alert, Incident, Rule
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ABSURD = "<script>alert(1)</script>" + "W" * 60


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make.user("eve", is_staff=True))
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def storm(count: int = 1, title: str = "Disk full", **fields: Any) -> Incident:
    """Make an incident of so many alerts, the first of which is over."""
    incident = make.incident(title)
    incident.checklist = [{"text": "Look at <b>it</b>"}, {"text": "Call"}]
    incident.save()
    rooms.of_incident(incident)
    spec = {"query": {"metric": "m"}, "condition": {"kind": "threshold", "above": 1}, **fields}
    rule = Rule.objects.create(name=title[:100], metric="m", spec=spec, severity="warning")
    Alert.objects.bulk_create(
        Alert(
            rule=rule,
            key=f"{place}",
            series={"host": f"h{place:03}"},
            labels={"host": f"h{place:03}"},
            state="firing" if place or count == 1 else "ok",
            since_ms=AT * 1000,
            seen_at_ms=AT * 1000,
            value=95.0,
            are_told=True,
            incident=incident,
        )
        for place in range(count)
    )
    return incident


def path(incident: Incident) -> str:
    return f"/incidents/{incident.pk}/"


def test_the_list_has_the_open_ones_and_on_demand_all(editor: Client) -> None:
    assert "There was no incident yet" in text(editor.get("/incidents/?all=1"))
    storm(title=ABSURD)
    over = storm(title="Over")
    Incident.objects.filter(pk=over.pk).update(resolved_at=over.opened_at)
    page = text(editor.get("/incidents/"))
    assert "&lt;script&gt;alert(1)" in page
    assert ABSURD not in page
    assert "1 of 1 bad" in page
    assert ">Over</a>" not in page
    assert ">Over</a>" in text(editor.get("/incidents/?all=1"))


def test_one_shows_its_worst_alerts_and_all_on_demand(editor: Client) -> None:
    incident = storm(60, runbook="https://example.com/?a=1&b=2")
    page = text(editor.get(path(incident)))
    assert page.count('<tr id="alert-') == 50
    assert "And 10 more" in page
    assert "https://example.com/?a=1&amp;b=2" in page
    assert "Look at &lt;b&gt;it&lt;/b&gt;" in page
    assert text(editor.get(f"{path(incident)}?all=1")).count('<tr id="alert-') == 60
    part = text(editor.get(path(incident), headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert part.count('<tr id="alert-') == 50


def test_what_rules_say_stands_on_its_page_each_text_once(editor: Client) -> None:
    def said(incident: Incident, query: str = "") -> dict[str, list[str]]:
        words = re.findall(r'<dl class="words">(.*?)</dl>', text(editor.get(path(incident) + query)))
        parts = [part for one in words for part in re.findall(r"<dt>(.*?)</dt>((?:<dd>.*?</dd>)+)", one)]
        return {rule: re.findall("<dd>(.*?)</dd>", texts) for rule, texts in parts}

    assert said(storm(3, title="Silent")) == {}
    alike = storm(3, title="Alike <", text="At {value}, call <b>Ann</b>.")
    assert said(alike) == {"Alike &lt;": ["At 95, call &lt;b&gt;Ann&lt;/b&gt;."]}
    several = storm(8, title="Several", text="Clean {host}.")
    assert said(several) == {"Several": [f"Clean h00{place}." for place in range(1, 6)]}
    assert "And 3 more" in text(editor.get(path(several)))
    assert said(several, "?all=1") == {"Several": [f"Clean h00{place}." for place in (1, 2, 3, 4, 5, 6, 7, 0)]}
    Rule.objects.all().delete()
    assert said(several) == {}


def test_its_runbooks_are_those_of_its_alerts_and_of_their_rules(editor: Client) -> None:
    def runbooks(incident: Incident) -> list[str]:
        (found,) = re.findall(r"<dt>Runbook</dt><dd>(.*?)</dd>", text(editor.get(path(incident)))) or [""]
        return re.findall(r'href="(.*?)"', found)

    assert runbooks(storm(title="None")) == []
    incident = storm(4, runbook="/d/disks/")
    assert runbooks(incident) == ["/d/disks/"]
    alerts = Alert.objects.filter(incident=incident)
    alerts.filter(key="1").update(annotations={"runbook_url": "https://wiki.example.com/?a&b"})
    alerts.filter(key="2").update(annotations={"runbook_url": "javascript:alert(1)"})
    assert runbooks(incident) == ["/d/disks/", "https://wiki.example.com/?a&amp;b"]
    alerts.update(annotations={"runbook_url": "https://wiki.example.com/own"})
    assert runbooks(incident) == ["https://wiki.example.com/own"]


def test_an_open_page_gets_the_buttons_of_how_it_stands_now(editor: Client) -> None:
    incident = storm()

    def buttons() -> list[str]:
        part = text(editor.get(path(incident), headers={"HX-Request": "true"}))
        (found,) = re.findall(r'<hx-partial hx-target="#answers".*?</hx-partial>', part, re.S)
        return re.findall(r'name="do" value="([\w-]+)"', found)

    assert 'id="answers"' in text(editor.get(path(incident)))
    assert "hx-partial" not in text(editor.get(path(incident)))
    assert buttons() == ["take", "hand-over", "resolve"]
    editor.post(f"{path(incident)}answer/", {"do": "take"})
    assert buttons() == ["take", "back", "hand-over", "resolve"]
    editor.post(f"{path(incident)}answer/", {"do": "resolve"})
    assert buttons() == ["reopen"]


def test_how_long_it_lasted_is_said_alike_on_its_page_and_in_its_review(editor: Client) -> None:
    incident = storm()
    taken, over = (incident.opened_at + timedelta(seconds=seconds) for seconds in (89, 111))
    Incident.objects.filter(pk=incident.pk).update(acknowledged_at=taken, resolved_at=over)
    assert ", for 1 min 51 s<" in text(editor.get(path(incident)))
    review = text(editor.get(f"{path(incident)}review/?format=markdown"))
    assert ", after 1 min 51 s\n" in review
    assert "- Taken after: 1 min 29 s\n" in review


def test_what_is_over_comes_behind_all_that_is_open(editor: Client) -> None:
    storm(title="Still there")
    over = storm(title="Over")
    Incident.objects.filter(pk=over.pk).update(resolved_at=over.opened_at)
    page = text(editor.get("/incidents/?all=1"))
    assert page.index(">Still there</a>") < page.index(">Over</a>")


def test_pages_load_no_more_alerts_than_they_show(editor: Client) -> None:
    incident = storm(60)
    with make.loading(Alert) as loaded:
        page = text(editor.get("/incidents/"))
    assert "59 of 60 bad" in page
    assert loaded == []
    with make.loading(Alert) as loaded:
        assert "59 bad" in text(editor.get("/rules/"))
        text(editor.get("/handover/"))
    assert loaded == []
    with make.loading(Alert) as loaded:
        text(editor.get(path(incident), headers={"HX-Request": "true"}))
    assert len(loaded) == 50


def test_those_that_do_not_fit_are_counted(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = storm(9)
    for module in ("metrics.views.incidents", "metrics.actions.alerts"):
        monkeypatch.setattr(f"{module}.LISTED_MOST", 7)
    page = text(editor.get(f"{path(incident)}?all=1"))
    assert page.count('<tr id="alert-') == 7
    assert "And 2 more" in page


def test_it_is_answered_by_buttons(editor: Client) -> None:
    incident, other = storm(), make.user("bob", is_staff=True)

    def press(do: str, **fields: str) -> Incident:
        answer = editor.post(f"{path(incident)}answer/", {"do": do, **fields})
        assert answer["Location"] == path(incident)
        return Incident.objects.get(pk=incident.pk)

    taken = press("take", reason="on it", hours="4")
    assert (taken.acknowledged_by, taken.reason) == ("user eve", "on it")
    assert taken.acknowledged_until is not None
    assert Alert.objects.get().acknowledged_by == "user eve"
    assert press("hand-over", to=other.username).acknowledged_by == "user bob"
    assert press("back").acknowledged_by == ""
    assert [bool(one.get("done_by")) for one in press("tick", place="1", done="1").checklist] == [False, True]
    assert press("resolve", reason="known").resolved_by == "user eve"
    assert press("reopen").resolved_at is None
    page = text(editor.get(path(incident)))
    assert "eve took it until" in page
    assert "eve resolved it: known" in page


def test_buttons_of_a_page_that_is_behind_take_nothing_from_others(editor: Client) -> None:
    incident = storm()

    def press(page: str, do: str) -> str:
        (form,) = re.findall(r'<form class="box form take".*?</form>', page, re.S)
        (had_by,) = re.findall(r'name="had_by" value="([^"]*)"', form)
        return text(editor.post(f"{path(incident)}answer/", {"do": do, "had_by": had_by, "to": "eve"}, follow=True))

    free = text(editor.get(path(incident)))
    assert "It is yours." in press(free, "take")
    mine = text(editor.get(path(incident)))
    Incident.objects.update(acknowledged_by="user bob")
    for page, do in ((free, "take"), (mine, "back"), (mine, "hand-over")):
        assert "bob took it just before you; nothing was changed." in press(page, do), do
    assert "It is yours." in press(text(editor.get(path(incident))), "take")

    (item,) = re.findall(r'name="text" value="(Look[^"]*)"', free)
    assert item == "Look at &lt;b&gt;it&lt;/b&gt;"
    Incident.objects.update(checklist=[{"text": "Wait"}, {"text": "Call"}])
    late = {"do": "tick", "place": "0", "done": "1", "text": "Look at <b>it</b>"}
    assert "The checklist was changed just before" in text(editor.post(f"{path(incident)}answer/", late, follow=True))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"do": "hand-over", "to": "nobody"}, "there is no user"),
        ({"do": "tick", "place": "7"}, "2 items"),
        ({"do": "tick", "place": "seven"}, "out of date"),
        ({"do": "tick", "place": "--1"}, "out of date"),
        ({"do": "tick", "place": "²"}, "out of date"),
        ({"do": "tick", "place": "9" * 5000}, "out of date"),
        ({"do": "explode"}, "out of date"),
        ({"do": "take", "hours": "nan"}, "out of date"),
        ({"do": "take", "hours": "5"}, "out of date"),
        ({"do": "take", "reason": "x" * 501}, "at most 500 characters"),
    ],
)
def test_what_can_not_be_done_is_said(editor: Client, fields: dict[str, str], sentence: str) -> None:
    answer = editor.post(f"{path(storm())}answer/", fields, follow=True)
    assert sentence in text(answer)


def test_viewers_look_and_answer_nothing_and_strangers_sign_in_first(client: Client) -> None:
    incident = storm()
    answer = client.get(path(incident))
    assert answer["Location"] == f"/sign-in/?next={path(incident)}"
    client.force_login(make.user("vic"))
    assert 'value="take"' not in text(client.get(path(incident)))
    page = text(client.post(f"{path(incident)}answer/", {"do": "take"}, follow=True))
    assert "only editors" in page
    assert client.get("/incidents/987654321/").status_code == 404


def test_a_review_is_a_draft_of_what_happened(editor: Client) -> None:
    incident = storm(3, title="Disk `full`")
    editor.post(f"{path(incident)}answer/", {"do": "take", "reason": "on it"})
    editor.post(f"{path(incident)}answer/", {"do": "resolve"})
    page = text(editor.get(f"{path(incident)}review/"))
    assert "eve took it: on it" in page
    answer = editor.get(f"{path(incident)}review/?format=markdown")
    assert answer["Content-Type"].startswith("text/plain")
    draft = text(answer)
    assert draft.startswith("# Disk \\`full\\`\n\nA draft. Times are ")
    assert "- Severity: warning, with 3 alerts" in draft
    assert "- Ended by: eve" in draft
    assert "- People: eve" in draft
    assert "`Disk 'full'{host=\"h001\"}`: firing, last 95" in draft
    assert "## What is to be done" in draft
