"""No endpoint lets a token do what it is not for: each is asked with every token that it has to refuse."""

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from ninja import NinjaAPI
from redis import Redis

from metrics.access.policy import CHANGE, CREATE, NEEDS, SEE, SEE_CONFIG
from metrics.access.principal import ROLE_OF_SCOPE, SYSTEM, Principal, of_token
from metrics.actions import heartbeats
from metrics.api import alertmanagers, api, foreign, influxdb, telemetry
from metrics.models import (
    Alert,
    AlertWebhook,
    Annotation,
    Channel,
    Dashboard,
    Delivery,
    Escalation,
    Heartbeat,
    Incident,
    Link,
    Maintenance,
    Notification,
    Room,
    Rule,
    Schedule,
    Screen,
    Series,
    Silence,
    Source,
    Token,
)
from tests import caches, make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ANYBODYS = {
    *(("GET", "/ping"), ("HEAD", "/ping"), ("GET", "/health"), ("GET", "/ready")),
    ("POST", "/api/v1/alerts/webhook/{key}"),
    *(("GET", "/-/healthy"), ("HEAD", "/-/healthy"), ("GET", "/-/ready"), ("HEAD", "/-/ready")),
}
"""Where the clients of InfluxDB and of Alertmanager ask whether somebody is there; and what a key in it opens."""
ANY = "any"
"""Granted by every token."""
SCOPES = {
    ("POST", "/api/v1/samples"): "push",
    ("POST", "/api/v1/write"): "push",
    ("POST", "/api/v1/collectd"): "push",
    ("POST", "/api/put"): "push",
    ("GET", "/query"): "push",
    ("POST", "/query"): "push",
    ("PUT", "/metrics/{path:group}"): "push",
    ("POST", "/metrics/{path:group}"): "push",
    ("DELETE", "/metrics/{path:group}"): "push",
    ("POST", "/api/v2/write"): "push",
    ("POST", "/write"): "push",
    ("POST", "/v1/metrics"): "push",
    ("GET", "/api/v1/series"): "read",
    ("GET", "/api/v1/range"): "read",
    ("GET", "/api/v1/source-kinds"): "edit",
    ("GET", "/api/v1/sources"): "edit",
    ("POST", "/api/v1/sources"): "edit",
    ("POST", "/api/v1/sources/test"): "edit",
    ("GET", "/api/v1/sources/{id}"): "edit",
    ("PATCH", "/api/v1/sources/{id}"): "edit",
    ("DELETE", "/api/v1/sources/{id}"): "edit",
    ("POST", "/api/v1/sources/{id}/test"): "edit",
    ("POST", "/api/v1/sources/{id}/run"): "edit",
    ("GET", "/api/v1/sources/{id}/runs"): "read",
    ("GET", "/api/v1/dashboards"): "read",
    ("POST", "/api/v1/dashboards"): "edit",
    ("GET", "/api/v1/dashboards/{slug}"): "read",
    ("POST", "/api/v1/grafana-dashboards"): "edit",
    ("GET", "/api/v1/dashboards/{slug}.yaml"): "read",
    ("PUT", "/api/v1/dashboards/{slug}.yaml"): "edit",
    ("PATCH", "/api/v1/dashboards/{slug}"): "edit",
    ("DELETE", "/api/v1/dashboards/{slug}"): "edit",
    ("POST", "/api/v1/dashboards/{slug}/copy"): "edit",
    ("GET", "/api/v1/dashboards/{slug}/revisions"): "read",
    ("GET", "/api/v1/dashboards/{slug}/revisions/{number}"): "read",
    ("POST", "/api/v1/dashboards/{slug}/revisions/{number}/restore"): "edit",
    ("POST", "/api/v1/dashboards/{slug}/widgets"): "edit",
    ("GET", "/api/v1/dashboards/{slug}/widgets/{key}"): "read",
    ("PATCH", "/api/v1/dashboards/{slug}/widgets/{key}"): "edit",
    ("DELETE", "/api/v1/dashboards/{slug}/widgets/{key}"): "edit",
    ("GET", "/api/v1/dashboards/{slug}/links"): "edit",
    ("POST", "/api/v1/dashboards/{slug}/links"): "edit",
    ("DELETE", "/api/v1/dashboards/{slug}/links/{id}"): "edit",
    ("GET", "/api/v1/screens"): "edit",
    ("POST", "/api/v1/screens"): "edit",
    ("GET", "/api/v1/screens/{id}"): "edit",
    ("PATCH", "/api/v1/screens/{id}"): "edit",
    ("DELETE", "/api/v1/screens/{id}"): "edit",
    ("POST", "/api/v1/screens/{id}/show-name"): "edit",
    ("GET", "/api/v1/deleted-dashboards"): "read",
    ("POST", "/api/v1/deleted-dashboards/{id}/restore"): "edit",
    ("GET", "/api/v1/channel-kinds"): "edit",
    ("GET", "/api/v1/channels"): "edit",
    ("POST", "/api/v1/channels"): "edit",
    ("GET", "/api/v1/channels/{id}"): "edit",
    ("PATCH", "/api/v1/channels/{id}"): "edit",
    ("DELETE", "/api/v1/channels/{id}"): "edit",
    ("POST", "/api/v1/channels/{id}/test"): "edit",
    ("GET", "/api/v1/deliveries"): "edit",
    ("GET", "/api/v1/deliveries/{id}"): "edit",
    ("GET", "/api/v1/conditions"): "edit",
    ("GET", "/api/v1/rules"): "read",
    ("POST", "/api/v1/rules"): "edit",
    ("GET", "/api/v1/rules/{id}"): "read",
    ("PATCH", "/api/v1/rules/{id}"): "edit",
    ("DELETE", "/api/v1/rules/{id}"): "edit",
    ("GET", "/api/v1/alerts"): "read",
    ("POST", "/api/v1/alerts"): "push",
    ("GET", "/api/v1/alerts/events"): "read",
    ("GET", "/api/v1/alert-webhooks"): "edit",
    ("POST", "/api/v1/alert-webhooks"): "edit",
    ("PATCH", "/api/v1/alert-webhooks/{id}"): "edit",
    ("DELETE", "/api/v1/alert-webhooks/{id}"): "edit",
    ("GET", "/api/v2/status"): ANY,
    ("POST", "/api/v2/alerts"): "push",
    ("GET", "/api/v2/alerts"): "read",
    ("GET", "/api/v2/alerts/groups"): "read",
    ("GET", "/api/v2/receivers"): "read",
    ("GET", "/api/v2/silences"): "read",
    ("POST", "/api/v2/silences"): "edit",
    ("GET", "/api/v2/silence/{id}"): "read",
    ("DELETE", "/api/v2/silence/{id}"): "edit",
    ("GET", "/api/v1/alerts/{id}"): "read",
    ("POST", "/api/v1/alerts/{id}/acknowledge"): "edit",
    ("DELETE", "/api/v1/alerts/{id}/acknowledge"): "edit",
    ("GET", "/api/v1/escalations/{team}"): "read",
    ("PUT", "/api/v1/escalations/{team}"): "edit",
    ("DELETE", "/api/v1/escalations/{team}"): "edit",
    ("GET", "/api/v1/incidents"): "read",
    ("GET", "/api/v1/incidents/{id}"): "read",
    ("PATCH", "/api/v1/incidents/{id}"): "edit",
    ("POST", "/api/v1/incidents/{id}/acknowledge"): "edit",
    ("DELETE", "/api/v1/incidents/{id}/acknowledge"): "edit",
    ("POST", "/api/v1/incidents/{id}/hand-over"): "edit",
    ("POST", "/api/v1/incidents/{id}/resolve"): "edit",
    ("POST", "/api/v1/incidents/{id}/reopen"): "edit",
    ("GET", "/api/v1/annotations"): "read",
    ("POST", "/api/v1/annotations"): "edit",
    ("GET", "/api/v1/annotations/{id}"): "read",
    ("PATCH", "/api/v1/annotations/{id}"): "edit",
    ("DELETE", "/api/v1/annotations/{id}"): "edit",
    ("GET", "/api/v1/silences"): "read",
    ("POST", "/api/v1/silences"): "edit",
    ("GET", "/api/v1/silences/{id}"): "read",
    ("PATCH", "/api/v1/silences/{id}"): "edit",
    ("DELETE", "/api/v1/silences/{id}"): "edit",
    ("GET", "/api/v1/maintenance"): "read",
    ("POST", "/api/v1/maintenance"): "edit",
    ("GET", "/api/v1/maintenance/{id}"): "read",
    ("PATCH", "/api/v1/maintenance/{id}"): "edit",
    ("DELETE", "/api/v1/maintenance/{id}"): "edit",
    ("GET", "/api/v1/schedules"): "read",
    ("POST", "/api/v1/schedules"): "edit",
    ("GET", "/api/v1/schedules/{id}"): "read",
    ("PATCH", "/api/v1/schedules/{id}"): "edit",
    ("DELETE", "/api/v1/schedules/{id}"): "edit",
    ("POST", "/api/v1/schedules/{id}/overrides"): "edit",
    ("DELETE", "/api/v1/schedules/{id}/overrides/{number}"): "edit",
    ("GET", "/api/v1/on-call"): "read",
    ("GET", "/api/v1/heartbeats"): "edit",
    ("POST", "/api/v1/heartbeats"): "edit",
    ("GET", "/api/v1/heartbeats/{id}"): "edit",
    ("PATCH", "/api/v1/heartbeats/{id}"): "edit",
    ("DELETE", "/api/v1/heartbeats/{id}"): "edit",
    ("GET", "/api/v1/heartbeats/{id}/pings"): "edit",
    ("POST", "/api/v1/heartbeats/{id}/rotate"): "edit",
    ("GET", "/api/v1/rooms"): "read",
    ("POST", "/api/v1/rooms"): "edit",
    ("GET", "/api/v1/rooms/{id}"): "read",
    ("PATCH", "/api/v1/rooms/{id}"): "edit",
    ("DELETE", "/api/v1/rooms/{id}"): "edit",
    ("GET", "/api/v1/rooms/{id}/messages"): "read",
    ("POST", "/api/v1/rooms/{id}/messages"): "edit",
    ("POST", "/api/v1/rooms/{id}/files"): "edit",
    ("GET", "/api/v1/rooms/{id}/files/{key}"): "read",
    ("GET", "/api/v1/rooms/{id}/export"): "read",
    ("GET", "/api/v1/messages"): "read",
    ("GET", "/api/v1/notifications"): "edit",
    ("GET", "/api/v1/rooms/{id}/messages/{number}"): "read",
    ("PATCH", "/api/v1/rooms/{id}/messages/{number}"): "edit",
    ("DELETE", "/api/v1/rooms/{id}/messages/{number}"): "edit",
    ("PUT", "/api/v1/rooms/{id}/messages/{number}/reactions/{emoji}"): "edit",
    ("DELETE", "/api/v1/rooms/{id}/messages/{number}/reactions/{emoji}"): "edit",
    ("POST", "/api/v1/notifications"): "edit",
    ("POST", "/api/v1/notifications/read"): "edit",
    ("POST", "/api/v1/ws-ticket"): "read",
}
"""Scopes that a token has to grant, by method and path."""
WHO_MAY = {
    "push": "only tokens with that scope, or with admin,",
    "read": "everyone who is signed in",
    "edit": "only editors and administrators",
}
"""The people who may do what a scope grants, as they are named to a token without it."""


READ: dict[str, tuple[str, type[Model] | str]] = {
    "alert-webhooks": (SEE, AlertWebhook),
    "alerts": (SEE, Alert),
    "annotations": (SEE, Annotation),
    "channel-kinds": (CREATE, Channel),
    "channels": (SEE, Channel),
    "conditions": (CREATE, Rule),
    "dashboards": (SEE, Dashboard),
    "deleted-dashboards": (SEE, Dashboard),
    "deliveries": (SEE, Delivery),
    "escalations": (SEE, Escalation),
    "heartbeats": (CHANGE, Heartbeat),
    "incidents": (SEE, Incident),
    "links": (SEE, Link),
    "maintenance": (SEE, Maintenance),
    "messages": (SEE, Room),
    "notifications": (CREATE, Notification),
    "on-call": (SEE, Schedule),
    "range": (SEE, Series),
    "rooms": (SEE, Room),
    "rules": (SEE, Rule),
    "runs": (SEE, Source),
    "schedules": (SEE, Schedule),
    "screens": (SEE, Screen),
    "series": (SEE, Series),
    "silences": (SEE, Silence),
    "source-kinds": (CREATE, Source),
    "sources": (SEE_CONFIG, Source),
}
"""The verb and thing that the policy has to allow for reading each noun. A heartbeat has its key: others could ping."""


def endpoints() -> Iterator[tuple[str, str]]:
    for of, root in ((api, "/api"), (foreign, ""), (influxdb, ""), (alertmanagers, ""), (telemetry, "")):
        yield from endpoints_of(of, root)


def endpoints_of(of: NinjaAPI, root: str) -> Iterator[tuple[str, str]]:
    for prefix, router, *_ in of._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    yield method, "/".join([root, *filter(None, (prefix, path.strip("/")))])


def test_every_endpoint_is_looked_at() -> None:
    assert sorted(endpoints()) == sorted({*SCOPES, *ANYBODYS})


def test_a_scope_lets_read_what_the_policy_lets_its_role_see() -> None:
    wrong = []
    for (method, path), scope in SCOPES.items():
        if method == "GET" and path.startswith("/api/v1/"):
            nouns = [part for part in path.split("/") if part.partition(".")[0] in READ]
            verb, thing = READ["runs" if "runs" in path else "links" if "links" in path else nouns[0]]
            if NEEDS[thing][verb] != ROLE_OF_SCOPE[Token.Scope(scope)]:
                wrong.append(f"{path}: {scope}, but who may {verb} {thing} is {NEEDS[thing][verb]}")
    assert wrong == []


@pytest.fixture
def tokens() -> dict[str, str]:
    """A token of each scope, and one that is revoked; there is something that they could change."""
    found = {scope: make.token(scope, scope) for scope in Token.Scope.values}
    found["revoked"] = make.token("revoked", "admin")
    make.revoke_token("revoked")
    make.source(name="theirs")
    heartbeats.create(SYSTEM, "theirs", every_s=60)
    make.stored("up", {10: 1}, job="backup")
    return found


def rows() -> dict[str, list[object]]:
    Token.objects.update(last_used_at=None)  # that a token was used is noted, also of one that is refused
    return {
        model.__name__: list(model._default_manager.values()) for model in apps.get_app_config("metrics").get_models()
    }


client = Client()
"""For all of them: one that is made anew puts all middlewares together first."""


def ask(method: str, path: str, authorization: str, query: str = "") -> HttpResponse:
    place = re.sub(r"\{path:group\}", "job/backup", path)
    for kind, model in (("sources", Source), ("heartbeats", Heartbeat)):
        if f"{kind}/{{id}}" in place:
            theirs = model._default_manager.get(name="theirs").pk
            place = place.replace(f"{kind}/{{id}}", f"{kind}/{theirs}")
    headers = {"Authorization": authorization} if authorization else {}
    client.cookies.clear()
    return client.generic(method, place + query, "{}", content_type="application/json", headers=headers)  # type: ignore[return-value]


def grants(by: Principal, needed: str) -> bool:
    if needed in (ANY, "push"):
        return by.pushes or needed == ANY
    return by.role >= ROLE_OF_SCOPE[Token.Scope(needed)]


def refused(method: str, path: str, tokens: dict[str, str], holders: dict[str, Principal]) -> list[str]:
    """Return what an endpoint answers that it must not, to whom it has to refuse."""
    found = []

    def expect(status: int, authorization: str, query: str = "", said: str = "") -> None:
        answer = ask(method, path, authorization, query)
        if answer.status_code != status or said not in answer.content.decode(errors="replace"):
            found.append(f"{method} {path}{query} with {authorization!r}: {answer.status_code}, not {status} {said}")

    needed = SCOPES[method, path]
    for scope in Token.Scope:
        if not grants(holders[scope], needed):
            said = f"This token has the scope {scope}; {needed} is needed: {WHO_MAY[needed]} may do this."
            expect(403, f"Bearer {tokens[scope]}", said=said)
    for authorization in (
        "",
        "Bearer",
        "Bearer x",
        f"Bearer {tokens['revoked']}",
        f"Bearer{tokens['admin']}",
        "Basic eDp5",
    ):
        expect(401, authorization)
    in_url = "&".join(f"{name}={tokens['admin']}" for name in ("token", "access_token", "api_key", "authorization"))
    expect(401, "", f"?{in_url}")
    return found


def test_nobody_else_is_let_in(tokens: dict[str, str], redis: Redis) -> None:
    before, wrong = rows(), []
    holders = {token.name: of_token(token) for token in Token.objects.all()}
    for method, path in SCOPES:
        wrong += refused(method, path, tokens, holders)
        redis.flushall()  # wrong tokens are counted
    assert wrong == []
    assert rows() == before


def test_who_has_the_right_token_is_let_in(tokens: dict[str, str], redis: Redis) -> None:
    wrong = []
    for (method, path), scope in SCOPES.items():
        if path.endswith("/test"):  # which waits for a worker
            continue
        with transaction.atomic():
            told = ask(method, path, f"Bearer {tokens['read' if scope == ANY else scope]}").status_code
            transaction.set_rollback(True)
        if told in (401, 403):
            wrong.append(f"{method} {path}: {told}")
        caches.forget()
        redis.flushall()
    assert wrong == []
