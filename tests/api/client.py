"""A program that speaks to the API with a token."""

import json
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.test import Client

from metrics.models import Team
from tests import make


class Program:
    """Sends JSON as a holder of a token of `scope`; without a scope, as nobody."""

    def __init__(self, scope: str | None, name: str = "job", teams: Sequence[Team] = ()) -> None:
        self.token = make.token(name, scope, teams) if scope else ""
        self.http = Client(raise_request_exception=True)

    def post(self, path: str, body: Any, **headers: str) -> HttpResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(path, raw, content_type="application/json", headers=self._headers(headers))  # type: ignore[return-value]

    def patch(self, path: str, body: Any, **headers: str) -> HttpResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.patch(path, raw, content_type="application/json", headers=self._headers(headers))  # type: ignore[return-value]

    def put(self, path: str, **headers: str) -> HttpResponse:
        return self.http.put(path, headers=self._headers(headers))  # type: ignore[return-value]

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.http.delete(path, headers=self._headers(headers))  # type: ignore[return-value]

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.http.get(path, query, headers=self._headers({}))  # type: ignore[return-value]

    def _headers(self, others: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **others} if self.token else others


def body(response: HttpResponse) -> Any:
    return json.loads(response.content)


def fields(response: HttpResponse) -> list[tuple[int | None, str]]:
    """Return index and field of each error, having checked that a sentence says it."""
    assert body(response)["detail"].endswith(".")
    return [(one["index"], one["field"]) for one in body(response)["errors"]]
