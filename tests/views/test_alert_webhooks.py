"""The pages of webhooks for alerts: made with an example beside it, changed, removed; the address is shown once."""

import itertools
import json
import re
from typing import Any

import pytest
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import alert_webhooks
from metrics.models import Alert, AlertWebhook
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

EXAMPLE = {"monitor": {"name": "Shop", "url": "https://shop.example"}, "up": False, "msg": "No answer"}
TYPED = {
    "webhook-name": "uptime",
    "mapping-name": "monitor.name",
    "mapping-state": "!(up)",
    "mapping-text": "msg",
    "mapping-labels": "url: monitor.url",
    "example": json.dumps(EXAMPLE),
    "everyone": "on",
}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make.user("eve", is_staff=True))
    return client


def look(client: Client, **typed: str) -> str:
    answer = client.post("/alert-webhooks/new/?do=look", {**TYPED, **typed}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("&quot;", '"').strip()


def test_one_is_made_shows_its_address_once_and_takes_what_the_example_gave(client: Client) -> None:
    empty = client.get("/alert-webhooks/").content.decode()
    assert "There are no incoming webhooks yet" in empty
    assert ">Add an incoming webhook</a>" in empty
    assert "Add an incoming webhook" in client.get("/alert-webhooks/new/").content.decode()
    assert look(client).endswith('No answer alertname="Shop" url="https://shop.example"')
    assert not AlertWebhook.objects.exists()
    answer = client.post("/alert-webhooks/new/", TYPED)
    (address,) = re.findall(r'value="http://testserver(/api/v1/alerts/webhook/[\w-]+)"', answer.content.decode())
    listed = client.get("/alert-webhooks/").content.decode()
    assert "uptime" in listed
    assert "nothing yet" in listed
    assert address not in listed
    assert Client().post(address, EXAMPLE, content_type="application/json").status_code == 202
    assert Alert.objects.get().labels == {"alertname": "Shop", "url": "https://shop.example"}
    assert "nothing yet" not in client.get("/alert-webhooks/").content.decode()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"example": ""}, "Paste an example to see the alerts that it gives."),
        ({"example": "{"}, "The example is no JSON: it can't be read from line 1, column 2 on."),
        ({"example": "[]"}, "It gives no alert."),
        ({"example": "x" * 100_001}, "example: it has at most 100000 characters."),
        ({"mapping-name": ""}, "mapping.name: It has to be given."),
        ({"mapping-state": "msg"}, "'no answer' is no state such as firing or resolved"),
        ({"mapping-alerts": "[@, @]", "mapping-name": "nothing"}, "an alert has a name"),
    ],
)
def test_what_is_wrong_is_said_as_one_types(client: Client, typed: dict[str, str], said: str) -> None:
    assert said in look(client, **typed).replace("&#x27;", "'")


def test_one_that_is_over_and_many(client: Client) -> None:
    assert look(client, example=json.dumps({**EXAMPLE, "up": True})).startswith("over Shop")
    assert look(client, example=json.dumps([EXAMPLE] * 25)).endswith("And 5 more.")


def test_one_is_changed_and_removed(client: Client) -> None:
    made, _ = alert_webhooks.create(SYSTEM, "uptime", {"name": "a"})
    path = f"/alert-webhooks/{made.pk}"
    assert 'value="uptime"' in client.get(f"{path}/edit/").content.decode()
    refused = client.post(f"{path}/edit/", {**TYPED, "mapping-name": "(("})
    assert refused.status_code == 422
    assert "1 thing to put right" in refused.content.decode()
    assert client.post(f"{path}/edit/", {**TYPED, "webhook-name": "checks"}).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.mapping["labels"]) == ("checks", {"url": "monitor.url"})
    assert "Delete checks?" in client.get(f"{path}/delete/").content.decode()
    assert client.post(f"{path}/delete/").status_code == 302
    assert not AlertWebhook.objects.exists()


def test_who_may_and_for_whom(client: Client) -> None:
    make.team("night")
    own = make.team("ops")
    eve = make.user("ed", is_staff=True)
    eve.groups.add(own)
    theirs, _ = alert_webhooks.create(SYSTEM, "nights", {"name": "a"}, Access(everyone=False, teams=["night"]))
    client.force_login(eve)
    assert "nights" not in client.get("/alert-webhooks/").content.decode()
    assert client.get(f"/alert-webhooks/{theirs.pk}/edit/").status_code == 404
    form = client.get("/alert-webhooks/new/").content.decode()
    assert 'value="ops"' in form
    assert 'value="night"' not in form
    fields: dict[str, Any] = {name: text for name, text in TYPED.items() if name != "everyone"}
    client.post("/alert-webhooks/new/", {**fields, "teams": ["ops"]})
    made = AlertWebhook.objects.get(name="uptime")
    assert (made.for_everyone, [team.name for team in made.teams.all()]) == (False, ["ops"])
    assert client.post("/alert-webhooks/new/", {**fields, "teams": ["night"], "webhook-name": "x"}).status_code == 422
    viewer = Client()
    viewer.force_login(make.user("vera"))
    for path in ("", "new/", f"{made.pk}/edit/"):
        assert viewer.get(f"/alert-webhooks/{path}").status_code in (403, 404)


@pytest.mark.parametrize("mapping", [[], "check.title", 7, {"name": "a", "labels": ["a"]}, {"other": "x"}])
def test_one_whose_mapping_can_not_be_read_gets_another(client: Client, mapping: Any) -> None:
    made = AlertWebhook.objects.create(name="uptime", mapping=mapping, version=9, digest="x")
    path = f"/alert-webhooks/{made.pk}/edit/"
    page = client.get(path).content.decode()
    assert "read the mapping that is stored" in page
    assert 'value="check.title"' in page
    alert_webhooks.change(SYSTEM, made.pk, "checks", None)
    made.refresh_from_db()
    assert (made.name, made.mapping, made.version) == ("checks", mapping, 9)
    assert "checks" in client.get("/alert-webhooks/").content.decode()
    assert client.post(path, TYPED).status_code == 302
    made.refresh_from_db()
    assert (made.mapping["name"], made.version) == ("monitor.name", 1)
    assert "read the mapping" not in client.get(path).content.decode()


def test_all_alerts_of_an_example_are_looked_at_within_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = {"name": "n", "labels": {"a": "n"}}
    example = json.dumps([{"n": str(number)} for number in range(4800)])
    found = alert_webhooks.rehearse(mapping, example, 0)
    assert (len(found.alerts), found.more) == (20, 4780)
    clock = itertools.count(0.0, 0.05)
    monkeypatch.setattr("metrics.sources.jmespath_values.time.monotonic", lambda: next(clock))
    found = alert_webhooks.rehearse(mapping, example, 0)
    assert len(found.alerts) < 20
    assert {said.rpartition(" ")[2] for said in found.wrong} == {"work"}


def test_what_comes_in_is_called_so_wherever_it_is_named(admin_client: Client) -> None:
    assert re.findall(r'href="/alert-webhooks/">([^<]*)<', admin_client.get("/alerts/").content.decode()) == [
        "Incoming webhooks"
    ]
    assert "<h1>Incoming webhooks</h1>" in admin_client.get("/alert-webhooks/").content.decode()
    new = admin_client.get("/alert-webhooks/new/").content.decode()
    assert '<a href="/alert-webhooks/">Incoming webhooks</a>' in new
    assert "<h1>A new incoming webhook</h1>" in new
