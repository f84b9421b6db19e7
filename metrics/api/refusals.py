"""How a request is refused: a status, a sentence, and what in the request is to blame.

Every protocol has the same refusals, each in a form of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from operator import attrgetter
from typing import Any

from django.db import DataError, Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from metrics import validation
from metrics.actions.errors import Conflict, Forbidden, Invalid, Missing, NoAnswer, TooLarge, TooOften
from metrics.actions.idempotency import StillRunningError
from metrics.api.push import TooFastError
from metrics.api.tokens import NoTokenError
from metrics.database import RETRY_AFTER_S, unavailable
from metrics.group_commit import FullError
from metrics.ingest.influx import BadPrecision
from metrics.ingest.json_samples import NotJson
from metrics.sample import BadSamples, Problem

STILL_RUNNING_S = "1"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused: `detail` is a sentence; `errors` is None if nothing in the request is to blame."""

    status: int
    detail: str
    errors: Sequence[Problem] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Form = Callable[[HttpRequest, Refusal], HttpResponse]


def refuse_in(api: NinjaAPI, form: Form) -> None:
    """Have `api` answer what goes wrong in `form`."""

    def handle(request: HttpRequest, error: Any) -> HttpResponse:
        refused = refusal(error)
        response = form(request, refused)
        for name, value in refused.headers.items():
            response[name] = value
        return response

    for kind in refusal.registry:
        if kind is not object:
            api.add_exception_handler(kind, handle)


def as_json(
    request: HttpRequest, refusal: Refusal, say: Callable[[Problem], str] = attrgetter("message")
) -> HttpResponse:
    """The form of our own API: `{"detail": sentence, "errors": [{"index", "field", "message"}]}`.

    `say` returns the message; `str` has it name the metric, for senders who don't count their samples.
    """
    body: dict[str, Any] = {"detail": refusal.detail}
    if refusal.errors is not None:
        body["errors"] = [{"index": one.index, "field": one.field, "message": say(one)} for one in refusal.errors]
    return JsonResponse(body, status=refusal.status)


@singledispatch
def refusal(error: Exception) -> Refusal:
    """Return how to refuse a request that `error` came of; raise it again, if that is the program's own fault."""
    raise error


@refusal.register
def _(error: HttpError) -> Refusal:
    return Refusal(error.status_code, str(error))


@refusal.register
def _(error: AuthenticationError) -> Refusal:
    return refusal(NoTokenError("Bearer"))


@refusal.register
def _(error: NoTokenError) -> Refusal:
    return Refusal(401, str(error), headers={"WWW-Authenticate": error.challenge})


@refusal.register
def _(error: NotJson) -> Refusal:
    return Refusal(400, str(error))


@refusal.register
def _(error: BadPrecision) -> Refusal:
    return Refusal(400, str(error))


@refusal.register
def _(error: BadSamples) -> Refusal:
    return Refusal(422, "Nothing was stored: the request has bad samples.", error.problems)


@refusal.register
def _(error: TooFastError) -> Refusal:
    return Refusal(429, str(error), headers={"Retry-After": str(error.wait_s)})


@refusal.register
def _(error: StillRunningError) -> Refusal:
    sentence = "The first request with this Idempotency-Key is still in progress."
    return Refusal(409, sentence, headers={"Retry-After": STILL_RUNNING_S})


@refusal.register
def _(error: Invalid) -> Refusal:
    return Refusal(422, str(error), [Problem(None, field, message) for field, message in error.all])


@refusal.register
def _(error: TooLarge) -> Refusal:
    return Refusal(413, str(error), [Problem(None, error.field, str(error))])


@refusal.register
def _(error: Forbidden) -> Refusal:
    return Refusal(403, str(error))


@refusal.register
def _(error: Missing) -> Refusal:
    return Refusal(404, str(error))


@refusal.register
def _(error: Conflict) -> Refusal:
    return Refusal(412, str(error), headers={"ETag": f'"{error.revision}"'})


@refusal.register
def _(error: TooOften) -> Refusal:
    return Refusal(429, str(error), headers={"Retry-After": str(error.wait_s)})


@refusal.register
def _(error: NoAnswer) -> Refusal:
    return Refusal(503, str(error), headers={"Retry-After": RETRY_AFTER_S})


@refusal.register
def _(error: ValidationError) -> Refusal:
    problems = [Problem(None, _field(one["loc"]), f"{validation.message(one)}.") for one in error.errors]
    return Refusal(422, f"{problems[0].field}: {problems[0].message}", problems)


def _field(place: Sequence[Any]) -> str:
    """Return the name of a field as the sender knows it, without where ninja looked for it."""
    inner = place[2:] if place[0] == "body" else place[1:]
    return ".".join(map(str, inner)) or str(place[0])


@refusal.register
def _(error: DataError) -> Refusal:
    return Refusal(422, "A text in the request has a character that can't be stored, such as NUL.", [])


@refusal.register
def _(error: FullError) -> Refusal:
    sentence = "More is sent than the database takes; nothing was stored. Try again."
    return Refusal(503, sentence, headers={"Retry-After": RETRY_AFTER_S})


@refusal.register
def _(error: Error) -> Refusal:
    reason = unavailable(error)
    if not reason:
        raise error
    return Refusal(503, f"{reason}; nothing was stored. Try again.", headers={"Retry-After": RETRY_AFTER_S})
