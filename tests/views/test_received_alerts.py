"""The pages of alerts that others evaluate, and of their rules."""

import time
from typing import Any

import pytest
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import received_alerts
from metrics.ingest.alerts import SentAlert
from metrics.models import Alert, Rule
from tests import make
from tests.html_form import form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make.user("eve", is_staff=True))
    return client


def receive(**annotations: str) -> Alert:
    now = time.time()
    sent = SentAlert({"alertname": "Disk <full>", "node": "a"}, annotations, now, now + 60, "https://prom/graph")
    received_alerts.receive(SYSTEM, [sent], now)
    return Alert.objects.get()


def text(response: Any) -> str:
    return str(response.content.decode())


def test_its_rule_is_listed_and_has_what_can_be_given_to_it(editor: Client) -> None:
    receive()
    rule = Rule.objects.get()
    assert "received from watchfloor" in text(editor.get("/rules/"))
    path = f"/rules/{rule.pk}/edit/"
    page = text(editor.get(path))
    assert "Its alerts are received from watchfloor." in page
    assert "Which series" not in page
    assert "Rehearse" not in page
    typed = {**form(page, path), "rule-text": "Call {node}.", "rule-runbook": "https://wiki/disk", "rule-name": "Disks"}
    assert editor.post(path, typed).status_code == 302
    rule.refresh_from_db()
    assert (rule.name, rule.spec["text"], rule.spec["condition"]["kind"]) == ("Disks", "Call {node}.", "received")
    assert editor.post(f"{path}?do=rehearse", typed).status_code == 422


def test_nobody_is_offered_to_make_one(editor: Client) -> None:
    for path in ("/rules/new/", "/rules/new/?kind=received"):
        page = text(editor.get(path))
        assert "?kind=threshold" in page
        assert "?kind=received" not in page


def test_its_page_has_the_words_that_came_with_it_and_no_chart(editor: Client) -> None:
    alert = receive(summary="It is <b>full</b>", runbook_url="https://wiki/own", dashboard="x")
    page = text(editor.get(f"/alerts/{alert.pk}/"))
    assert "It is &lt;b&gt;full&lt;/b&gt;" in page
    assert 'href="https://wiki/own"' in page
    assert 'href="https://prom/graph"' in page
    assert 'id="chart"' not in page


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/logout", "data:x", "https://a@b/"])
def test_no_address_that_came_with_it_leads_astray(editor: Client, url: str) -> None:
    page = text(editor.get(f"/alerts/{receive(runbook_url=url).pk}/"))
    assert f'href="{url}"' not in page
