"""The API as a whole: its routers, and how it answers what goes wrong.

Every refusal but 405 has the same body: `{"detail": sentence, "errors": [{"index", "field", "message"}]}`, where
`errors` is there only if something in the request is to blame.
"""

from collections.abc import Sequence
from typing import Any

from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from metrics.actions.problems import Invalid
from metrics.actions.push import StillRunningError
from metrics.api import dashboards, samples, series, sources
from metrics.api.push import TooFastError
from metrics.ingest.json_samples import NotJson
from metrics.sample import BadSamples

RETRY_AFTER_S = "5"
STILL_RUNNING_S = "1"

api = NinjaAPI(
    title="Watchfloor",
    version="1",
    description="Push samples, read series, manage sources and dashboards. Make a token with `manage.py token`.",
    docs_url="docs",
    openapi_url="v1/openapi.json",
    urls_namespace="api",
)
api.add_router("v1", samples.router)
api.add_router("v1", series.router)
api.add_router("v1", sources.router)
api.add_router("v1", dashboards.router)


def _answer(request: HttpRequest, status: int, detail: str, errors: list[dict[str, Any]] | None = None) -> HttpResponse:
    body: dict[str, Any] = {"detail": detail}
    if errors is not None:
        body["errors"] = errors
    return api.create_response(request, body, status=status)


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = _answer(request, 401, "No valid token was sent; the header is Authorization: Bearer TOKEN.")
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(NotJson)
def _not_json(request: HttpRequest, error: NotJson) -> HttpResponse:
    return _answer(request, 400, str(error))


@api.exception_handler(BadSamples)
def _bad_samples(request: HttpRequest, error: BadSamples) -> HttpResponse:
    errors = [{"index": one.index, "field": one.field, "message": one.message} for one in error.problems]
    return _answer(request, 422, "Nothing was stored: the request has bad samples.", errors)


@api.exception_handler(TooFastError)
def _too_fast(request: HttpRequest, error: TooFastError) -> HttpResponse:
    response = _answer(request, 429, str(error))
    response["Retry-After"] = str(error.wait_s)
    return response


@api.exception_handler(StillRunningError)
def _still_running(request: HttpRequest, error: StillRunningError) -> HttpResponse:
    response = _answer(request, 409, "The first push with this Idempotency-Key is still in progress.")
    response["Retry-After"] = STILL_RUNNING_S
    return response


@api.exception_handler(Invalid)
def _invalid(request: HttpRequest, error: Invalid) -> HttpResponse:
    return _answer(request, 422, str(error), [{"index": None, "field": error.field, "message": str(error)}])


@api.exception_handler(ValidationError)
def _validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [
        {"index": None, "field": _field(one["loc"]), "message": one["msg"].removeprefix("Value error, ")}
        for one in error.errors
    ]
    return _answer(request, 422, f"{errors[0]['field']}: {errors[0]['message']}.", errors)


def _field(place: Sequence[Any]) -> str:
    """Return the name of a field as the sender knows it, without where ninja looked for it."""
    inner = place[2:] if place[0] == "body" else place[1:]
    return ".".join(map(str, inner)) or str(place[0])


@api.exception_handler(DataError)
def _not_storable(request: HttpRequest, error: DataError) -> HttpResponse:
    return _answer(request, 422, "A text in the request has a character that can't be stored, such as NUL.", [])


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    response = _answer(request, 503, "The database does not answer; nothing was stored. Try again.")
    response["Retry-After"] = RETRY_AFTER_S
    return response


def no_such_endpoint(request: HttpRequest, anything: str) -> HttpResponse:
    """Answer 404 in the API's own form."""
    return _answer(request, 404, f"There is no endpoint /api/{anything}; /api/docs lists what there is.")
