"""The pages of silences, of maintenance, and of what one is not being told, as a person uses them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from metrics.access.principal import SYSTEM
from metrics.actions import rules, silences, sources, withholding
from metrics.alerts.matchers import parse
from metrics.models import Alert, Maintenance, MaintenanceSpan, Rule, Silence
from tests import make
from tests.html_form import form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

NEW, PATCHES = "/silences/new/", "/maintenance/new/"
EVERY = {"name": "host", "value": ".*", "isRegex": True, "isEqual": True}
"""A matcher of every alert."""
TYPED = {"matchers": 'host="a"', "hours": "4", "comment": "Disks <are> swapped."}


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make.user("eve", is_staff=True))
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def alert(name: str = "Disk full", **fields: Any) -> Alert:
    condition = {"kind": "threshold", "above": 90}
    rule = rules.create(SYSTEM, {"name": name, "query": {"metric": "disk_used"}, "condition": condition})
    return Alert.objects.create(rule=rule, key="x", since_ms=0, seen_at_ms=0, labels={"host": "a"}, **fields)


def typed(editor: Client, path: str, **changes: str) -> dict[str, str]:
    return {**form(text(editor.get(path)), path), **changes}


def test_what_mutes_an_alert_is_not_for_other_teams(editor: Client) -> None:
    """They see that it is muted, and nothing that somebody of another team wrote."""
    one, now = alert(state="firing"), timezone.now()
    times = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=1)}
    theirs = {"matchers": [EVERY], "by": "user bob", "for_everyone": False}
    Silence.objects.create(comment="Secret racks", **theirs, **times)
    row = Maintenance.objects.create(comment="Secret patches", **theirs)
    MaintenanceSpan.objects.create(maintenance=row, **times)
    page = text(editor.get(f"/alerts/{one.pk}/"))
    assert "It is silenced.</p>" in page
    assert "There is maintenance.</p>" in page
    for shown in (page, text(editor.get("/alerts/"))):
        assert "Secret" not in shown
        assert "silenced" in shown
        assert "silenced until" not in shown
    Silence.objects.update(for_everyone=True)
    page = text(editor.get(f"/alerts/{one.pk}/"))
    assert "It is silenced: Secret racks" in page
    assert "silenced until" in page


def test_a_silence_is_made_from_an_alert_extended_and_ended(editor: Client) -> None:
    one = alert(state="firing")
    page = text(editor.get(f"/alerts/{one.pk}/"))
    assert f"/silences/new/?alert={one.pk}" in page
    path = f"{NEW}?alert={one.pk}"
    page = text(editor.get(path))
    assert "alertname=&quot;Disk full&quot;, host=&quot;a&quot;" in page
    assert "Mutes 1 alert of those" in page
    given = typed(editor, path, comment="Disks <are> swapped.", hours="4")
    assert editor.post(path, given).status_code == 302
    silence = Silence.objects.get()
    assert abs((silence.ends_at - timezone.now()) - timedelta(hours=4)) < timedelta(minutes=10)
    said = f"Alerts that match are not told until {silence.ends_at:%-d %b %H:%M} UTC."
    assert said in text(editor.get("/silences/"))
    for shown in ("/alerts/", f"/alerts/{one.pk}/"):
        assert "silenced until" in text(editor.get(shown))
    page = text(editor.get("/silences/"))
    assert "Disks &lt;are&gt; swapped." in page
    assert "Active" in page
    assert "out of date" in text(editor.post(f"/silences/{silence.pk}/extend/", {"hours": "7"}, follow=True))
    editor.post(f"/silences/{silence.pk}/extend/", {"hours": "24"})
    silence.refresh_from_db()
    assert silence.ends_at - timezone.now() > timedelta(hours=27)
    edit = f"/silences/{silence.pk}/edit/"
    assert editor.post(edit, typed(editor, edit, comment="It takes longer.")).status_code == 302
    assert [one.comment for one in Silence.objects.all()] == ["It takes longer."]
    editor.post(f"/silences/{silence.pk}/end/")
    silence.refresh_from_db()
    assert silence.ends_at <= timezone.now()
    assert "Over" in text(editor.get("/silences/"))


def test_several_alerts_are_silenced_together(editor: Client) -> None:
    first, other = alert(state="firing"), alert("CPU busy", state="firing")
    Alert.objects.filter(pk=other.pk).update(labels={"host": "b", "core": "1"})
    page = text(editor.get(f"{NEW}?alert={first.pk}&alert={other.pk}&alert=999999&alert=x"))
    assert "alertname=~&quot;CPU busy|Disk full&quot;, host=~&quot;a|b&quot;<" in page
    assert "Mutes 2 alerts of those" in page
    assert editor.get(f"{NEW}?alert=987654321").status_code == 404


def test_hours_are_counted_from_now_once_it_has_begun(editor: Client) -> None:
    now = timezone.now()
    silence = silences.set(SYSTEM, parse("host=a"), None, now + timedelta(minutes=5), "x")
    Silence.objects.update(starts_at=now - timedelta(days=2))
    edit = f"/silences/{silence.pk}/edit/"
    assert editor.post(edit, typed(editor, edit, hours="4")).status_code == 302
    ends_at = Silence.objects.latest("ends_at").ends_at
    assert timedelta(hours=3, minutes=50) < ends_at - now < timedelta(hours=4, minutes=10)


def test_what_it_would_mute_is_shown_while_one_types(editor: Client) -> None:
    alert(state="firing")
    for matchers, said in (
        ("host=a", "Mutes 1 alert of those"),
        ("host=b", "Nothing that is bad now matches"),
        ("host", "is no matcher such as"),
        ("host=~.*", "At least one has to not match an empty value"),
        ("", "Type what to match"),
    ):
        answer = editor.post(f"{NEW}?do=look", {"matchers": matchers}, headers={"HX-Request": "true"})
        assert said in text(answer)
    assert "Mutes 1 alert" in text(editor.post(f"{NEW}?do=look", {"matchers": "host=a"}))
    assert not Silence.objects.exists()


def test_what_is_wrong_stands_beside_its_field(editor: Client) -> None:
    refused = editor.post(NEW, {"matchers": "host=~(", "hours": "", "until": "soon", "comment": "x"})
    assert refused.status_code == 422
    assert "2 things to put right" in text(refused)
    assert "is no regular expression" in text(refused)
    refused = editor.post(NEW, {"matchers": "host=a", "hours": "1", "comment": ""})
    assert "A reason has 1 to 500 characters." in text(refused)


def test_viewers_only_look(client: Client) -> None:
    silence = silences.set(SYSTEM, parse("host=a"), None, timezone.now() + timedelta(hours=1), "x")
    client.force_login(make.user("vera"))
    assert "End now" not in text(client.get("/silences/"))
    for path in (NEW, PATCHES, f"/silences/{silence.pk}/edit/", "/on-call/new/"):
        assert client.get(path).status_code == 403
    assert client.post(f"/silences/{silence.pk}/end/").status_code == 403
    assert client.get("/silences/00000000-0000-0000-0000-000000000000/edit/").status_code == 404


def test_maintenance_is_made_changed_and_removed(editor: Client) -> None:
    start = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT22:00")
    changes = {"matchers": "host=a", "comment": "Patches", "start": start, "lasts": "90m", "repeat": "FREQ=WEEKLY"}
    assert editor.post(PATCHES, typed(editor, PATCHES, **changes)).status_code == 302
    row = Maintenance.objects.get()
    assert (row.lasts_s, row.repeat, row.time_zone) == (5400, "FREQ=WEEKLY", "UTC")
    assert "Patches" in text(editor.get("/maintenance/"))
    edit = f"/maintenance/{row.pk}/edit/"
    assert editor.post(edit, typed(editor, edit, repeat="other", rule="FREQ=MONTHLY;BYDAY=1SU")).status_code == 302
    assert 'value="FREQ=MONTHLY;BYDAY=1SU"' in text(editor.get(edit))
    refused = editor.post(edit, typed(editor, edit, rule="daily", lasts="x"))
    assert refused.status_code == 422
    refused = editor.post(edit, typed(editor, edit, rule="daily"))
    assert "is no rule such as FREQ=WEEKLY;BYDAY=SU" in text(refused)
    editor.post(f"/maintenance/{row.pk}/delete/")
    assert not Maintenance.objects.exists()


def test_of_too_many_that_are_taken_the_oldest_are_listed(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.actions.untold.TAKEN_MOST", 2)
    now = timezone.now()
    for hours in (1, 2, 3):
        alert(f"Taken {hours} ago", state="firing", acknowledged_at=now - timedelta(hours=hours))
    page = text(editor.get("/untold/"))
    assert "And 1 more" in page
    assert [f"Taken {hours} ago" in page for hours in (1, 2, 3)] == [False, True, True]


def test_everything_that_keeps_quiet_is_on_one_page(editor: Client) -> None:
    assert "you are told everything that you asked for" in text(editor.get("/untold/"))
    now = timezone.now()
    silence = silences.set(SYSTEM, parse("host=a"), None, now + timedelta(hours=1), "Disks are swapped")
    one = alert("Taken one", state="firing", acknowledged_at=now, acknowledged_by="user ann", reason="on it")
    now = timezone.now()
    found = withholding.reasons([one], now.timestamp())[one.pk]
    withholding.note([withholding.Note(each, one, "firing:1") for each in found], now.timestamp())
    Rule.objects.filter(pk=alert("Disabled one").rule_id).update(enabled=False)
    row = Maintenance.objects.create(matchers=[], by="user ann", comment="Patches", problem="It is no calendar.")
    MaintenanceSpan.objects.create(maintenance=row, starts_at=now - timedelta(days=9), ends_at=now + timedelta(days=1))
    source = sources.create(SYSTEM, "host", "Failing one", 10, {})
    type(source).objects.filter(pk=source.pk).update(last_error="Nobody answers.")
    page = text(editor.get("/untold/"))
    for said in (
        "Disks are swapped",
        "Taken one",
        "on it",
        "Disabled one",
        "Patches",
        "It is no calendar.",
        "Failing one",
        "Nobody answers.",
        "They withheld 1 notification.",
        f"/silences/#silence-{silence.pk}",
    ):
        assert said in page
    assert page.index("Patches") < page.index("Disks are swapped")
    assert "Patches" not in text(editor.get("/untold/?kind=silence"))
