"""Every path of the API by every method, and written almost right: JSON that says what is wrong, never a page."""

import json
from functools import cache
from itertools import product
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern

from metrics.api import api, urls
from metrics.api.file_schemas import SCHEMAS
from tests.api.client import Program, body

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
FOREIGN = {"/write": {"POST"}, "/api/v2/write": {"POST"}, "/v1/metrics": {"POST"}, "/ping": {"GET", "HEAD"}}
FOREIGN |= {"/query": {"GET", "POST"}, "/health": {"GET"}, "/ready": {"GET"}}
ALERTMANAGER = {f"/api/v2/{name}": {"GET"} for name in ("alerts/groups", "status", "receivers")}
ALERTMANAGER |= {"/api/v2/alerts": {"GET", "POST"}, "/api/v2/silences": {"GET", "POST"}}
ALERTMANAGER |= {"/api/v2/silence/{id}": {"GET", "DELETE"}, "/-/healthy": {"GET"}, "/-/ready": {"GET"}}
DOCUMENTS = (
    "/api/docs",
    *(f"/api/v1/{name}.json" for name in ("openapi", "asyncapi", *(f"{folder}/schema" for folder in SCHEMAS))),
)
DOCS = {path: {"GET"} for path in DOCUMENTS}
GROUP = {"/metrics/job/a": {"PUT", "POST", "DELETE"}}


@cache
def takes() -> dict[str, set[str]]:
    """Return the methods that each path takes. Describing the API takes a second, not to be spent by every worker."""
    described = api.get_openapi_schema()["paths"].items()
    ours = {path: {method.upper() for method in methods} for path, methods in described}
    return {
        path.replace("{id}", "1"): methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        for path, methods in {**ours, **FOREIGN, **ALERTMANAGER, **GROUP, **DOCS}.items()
    }


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


CLIENT = Client(enforce_csrf_checks=True)
"""A program, which knows nothing of forms and their tokens."""


def ask(method: str, path: str, **headers: str) -> HttpResponse:
    """Send a request to exactly this path."""
    path, _, query = path.partition("?")
    exact = {"PATH_INFO": path, "QUERY_STRING": query}
    return CLIENT.generic(method, "/", b"{}", content_type="application/json", headers=headers, **exact)  # type: ignore[return-value, arg-type]


def said(response: HttpResponse) -> str:
    """The sentence of a refusal."""
    found = json.loads(response.content)
    sentence = found if isinstance(found, str) else str(found.get("detail") or found.get("message"))
    assert sentence.endswith(".")
    return sentence


def test_all_paths_are_looked_at() -> None:
    named = {str(one.pattern) for group in urls.values() for one in group[0] if isinstance(one, URLPattern)}
    assert len(takes()) == len(named - {"", "metrics/<path:group>"}) + 1


def test_each_method_is_taken_or_405_and_says_which_are() -> None:
    for path, method in product(takes(), METHODS):
        if method in takes()[path] - {"OPTIONS", "GET", "HEAD"}:
            continue  # as what comes of them is looked at below
        response = ask(method, path)
        where = f"{method} {path}"
        if method in takes()[path] - {"OPTIONS"}:
            assert response.status_code not in (404, 405), where
            continue
        assert set(response["Allow"].split(", ")) == takes()[path], where
        assert response.status_code == (204 if method == "OPTIONS" else 405), where
        assert path in said(response) if response.content else method in ("OPTIONS", "HEAD"), where


def test_a_slash_too_many_is_forgiven_without_sending_anybody_elsewhere() -> None:
    for path in takes():
        method = min(takes()[path] - {"HEAD", "OPTIONS"})
        right = ask(method, path)
        assert right.status_code not in (404, 405), path
        doubled = path.replace("/", "//")
        for other in (f"{path}/", f"{path}//", *([doubled, f"{doubled}/"] if path not in GROUP else [])):
            response = ask(method, other)
            assert (response.status_code, response.content) == (right.status_code, right.content), other


def test_a_path_that_there_is_not_is_404_by_every_method() -> None:
    paths = [
        *("/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/sample", "/api/v1/samples/1/2", "/api/v3/write", "//api//x"),
        *("/v1/traces", "/v1/logs", "/v1/metrics/x", "/write/x", "/ping/a/b/c", "/query/x", "/API", "/Metrics/job/a"),
    ]
    for path, method in product(paths, METHODS):
        response = ask(method, path)
        assert response.status_code == 404, (method, path)
        assert method == "HEAD" or said(response).startswith("There is no endpoint /"), (method, path)


@pytest.mark.parametrize(
    ("path", "meant"),
    [("/API/v1/samples", "/api/v1/samples"), ("/Api/V1/Samples/", "/api/v1/samples"), ("/Write", "/write")],
)
def test_another_case_is_told_what_is_meant(path: str, meant: str) -> None:
    assert f"; {meant} is written like this" in said(ask("POST", path))


def test_head_is_as_get_without_a_body() -> None:
    program = Program("read")
    headers = {"Authorization": f"Bearer {program.token}"}
    got, head = (ask(method, "/api/v1/series?metric=a", **headers) for method in ("GET", "HEAD"))
    assert (got.status_code, head.status_code, head.content) == (200, 200, b"")
    assert head["Content-Type"] == got["Content-Type"]


def test_a_push_with_a_slash_too_many_is_stored() -> None:
    program = Program("push")
    response = program.post("/api/v1//samples/", {"samples": [{"metric": "a", "value": 1}]})
    assert (response.status_code, body(response)) == (202, {"accepted": 1})


def test_what_is_pushed_to_the_own_metrics_is_told_so() -> None:
    assert ask("POST", "/metrics").status_code == 405


@pytest.mark.parametrize("path", ["/d/none", "/sources"])
def test_pages_keep_their_own_rules(path: str) -> None:
    response: Any = Client().get(path)
    assert (response.status_code, response["Location"]) == (301, f"{path}/")
