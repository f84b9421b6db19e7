"""The banner of a wall, the mark on widgets, and what an open page says of having shown an incident."""

import re
from typing import Any

import pytest
from django.test import Client

from metrics.models import Alert, Incident, Sighting
from tests import make
from tests.alerting import push_hosts, rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture(autouse=True)
def _burning(rules_at_once: None) -> None:
    """Two alerts that fire: a critical one for everyone, a warning for a team; and dashboards with and without it."""
    make.team("ops")
    make.dashboard("calm")
    make.dashboard("disks", [make.widget("disk_used")])
    rule("Site <down>", severity="critical")
    rule("Load", "load", teams=["ops"], severity="warning")
    push_hosts(a=95)
    push_hosts(0, "load", b=96)


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make.user("ada"))
    return client


def text(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.parametrize(
    ("query", "is_admin", "names"),
    [
        ("", False, ["Site &lt;down&gt;"]),
        ("?alerts=warning", False, ["Site &lt;down&gt;"]),
        ("?alerts=warning", True, ["Site &lt;down&gt;", "Load"]),
        ("?alerts=nonsense", True, ["Site &lt;down&gt;"]),
        ("?alerts=off", True, []),
    ],
)
def test_it_shows_what_its_viewer_may_see(client: Client, query: str, is_admin: bool, names: list[str]) -> None:
    client.force_login(make.admin() if is_admin else make.user("ada"))
    for path in ("/wall/calm/", "/wall/calm/alerts/"):
        shown = text(client.get(path + query))
        assert re.findall(r'class="what"><b>(.*?)</b>', shown) == names
        assert ("<svg" in shown.partition('class="code"')[2]) == bool(names)
        assert " style=" not in shown


def test_only_the_incidents_of_its_rows_count_as_seen(viewer: Client) -> None:
    push_hosts(600, c=95)
    push_hosts(1200, d=95)
    push_hosts(1800, e=95)
    shown = text(viewer.get("/wall/calm/alerts/"))
    assert "and 1 more" in shown
    newest = Alert.objects.filter(rule__metric="disk_used").order_by("-since_ms")[:3]
    seen = " ".join(map(str, sorted(alert.incident_id or 0 for alert in newest)))
    assert f'data-seen="{seen}"' in shown


def test_it_says_who_has_it_and_leads_to_the_incident(viewer: Client) -> None:
    shown = text(viewer.get("/wall/calm/alerts/"))
    assert "nobody has it" in shown
    incident = Alert.objects.get(rule__metric="disk_used").incident_id
    assert f'href="/incidents/{incident}/"' in shown
    assert f"<title>http://testserver/incidents/{incident}/</title>" in shown
    Alert.objects.update(acknowledged_by="user bob")
    assert "bob has it" in text(viewer.get("/wall/calm/alerts/"))


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/wall/calm/alerts/", None),
        ("/wall/calm/alerts/?follow=1", "/wall/disks/?alerts=critical&amp;follow=1"),
        ("/wall/disks/alerts/?follow=1", "/wall/disks/?alerts=critical&amp;follow=1"),
        ("/wall/calm/alerts/?follow=1&alerts=off", ""),
    ],
)
def test_it_leads_to_the_dashboard_of_what_burns(viewer: Client, path: str, target: str | None) -> None:
    found = re.search(r'data-follow="(.*?)"', text(viewer.get(path)))
    assert (found and found[1]) == target


def test_the_banner_of_a_dashboard_that_is_not_for_them_is_not_there(viewer: Client) -> None:
    make.dashboard("secret", teams=[make.team("night")])
    assert viewer.get("/wall/secret/alerts/").status_code == 404


def test_a_widget_with_an_alert_on_its_series_is_marked(viewer: Client) -> None:
    shown = text(viewer.get("/d/disks/"))
    incident = Alert.objects.get(rule__metric="disk_used").incident_id
    assert f'data-incidents="{incident}"' in shown
    assert "1 alert here, critical: Site &lt;down&gt;" in shown
    assert 'class="on-series' not in text(viewer.get("/d/calm/"))


def test_an_open_page_says_that_it_was_seen(viewer: Client) -> None:
    incident = Incident.objects.exclude(for_everyone=False).get()
    page = f"/incidents/{incident.pk}/"
    assert "nobody has seen it yet" in text(viewer.get(page))
    assert not Sighting.objects.exists()
    assert f'hx-post="{page}seen/"' in text(viewer.get(page))
    assert viewer.post(page + "seen/", {"wall": "w\0", "dashboard": "disks"}).status_code == 422
    assert viewer.post(page + "seen/").status_code == 204
    assert viewer.post(page + "seen/", {"wall": "w1", "dashboard": "disks"}).status_code == 204
    assert list(Sighting.objects.order_by("kind").values_list("kind", "name", "dashboard")) == [
        ("tab", "ada", ""),
        ("wall", "ada", "disks"),
    ]
    assert "on 1 wall and by ada" in text(viewer.get(page))
    secret = Incident.objects.get(for_everyone=False)
    viewer.post(f"/incidents/{secret.pk}/seen/")
    assert not Sighting.objects.filter(incident=secret).exists()
