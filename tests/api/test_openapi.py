"""The API describes itself, and its page obeys our content security policy."""

import re
from typing import Any

import pytest
from django.test import Client
from ninja.openapi.schema import OpenAPISchema

from metrics.api import api
from metrics.api.application import Description

pytestmark = pytest.mark.django_db

METHODS = {
    "/api/v1/samples": {"post"},
    "/api/v1/write": {"post"},
    "/api/v1/series": {"get"},
    "/api/v1/range": {"get"},
    "/api/v1/sources": {"get", "post"},
    "/api/v1/sources/{id}": {"get", "patch", "delete"},
    "/api/v1/sources/{id}/runs": {"get"},
    "/api/v1/sources/{id}/run": {"post"},
    "/api/v1/sources/{id}/test": {"post"},
    "/api/v1/sources/test": {"post"},
    "/api/v1/source-kinds": {"get"},
    "/api/v1/dashboards": {"get", "post"},
}


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    return dict(response.json())


def test_every_path_is_there(document: dict[str, Any]) -> None:
    found = {path: set(operations) for path, operations in document["paths"].items()}
    assert {path: found.get(path) for path in METHODS} == METHODS


def test_every_path_that_is_served_is_described(document: dict[str, Any]) -> None:
    served = {
        "/".join(["/api", *filter(None, [prefix, path.strip("/")])])
        for prefix, router in api._routers
        for path in router.path_operations
    }
    assert served == set(document["paths"])


def test_operations_that_answer_the_same_share_a_model() -> None:
    models: dict[str, set[int]] = {}
    for _, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                for model in filter(None, operation.response_models.values()):
                    models.setdefault(str(model.model_fields["response"].annotation), set()).add(id(model))
    assert len(models) > 20
    assert {said: len(made) for said, made in models.items() if len(made) > 1} == {}


def test_the_schema_of_a_model_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    described, made = api.get_openapi_schema(), list[Any]()
    make = OpenAPISchema._create_schema_from_model

    def counted(description: OpenAPISchema, model: Any, *given: Any, **named: Any) -> Any:
        made.append((model, given, *named.items()))
        return make(description, model, *given, **named)

    monkeypatch.setattr(OpenAPISchema, "_create_schema_from_model", counted)
    assert Description(api, api.get_root_path({})) == described
    assert len(made) == len(set(made)) > 20


def test_every_operation_says_what_it_does_and_needs_a_token(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["description"].endswith(".")
            assert operation.get("security") or "{key}" in path  # which is secret by itself


def test_the_body_of_a_push_is_described(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/v1/samples"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["samples"]["items"]["required"] == ["metric", "value"]


def test_its_page_has_nothing_inline_that_the_policy_forbids(client: Client) -> None:
    response = client.get("/api/docs")
    assert response.status_code == 200
    page = response.content.decode()
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)
    runs = [(attributes, text) for attributes, text in scripts if "application/json" not in attributes]
    assert runs
    assert all("src=" in attributes and not text.strip() for attributes, text in runs)
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)


def test_everything_that_its_page_loads_is_served_here(client: Client) -> None:
    page = client.get("/api/docs").content.decode()
    links = re.findall(r'<(?:script|link)[^>]+(?:src|href)="([^"]+)"', page)
    assert links
    for link in links:
        assert link.startswith("/static/") or link.startswith("data:")
        if link.startswith("/static/"):
            response = client.get(link)
            assert response.status_code == 200
            assert response.getvalue()
            response.close()
