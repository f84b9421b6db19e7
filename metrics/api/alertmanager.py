"""Alertmanager's API of version 2, so that programs that send alerts to one send them here, and its tools work here.

Statuses, bodies and words are those of Alertmanager: errors are a JSON string, or `{"code", "message"}` for what could
not be read.
"""

import time
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from metrics.access.policy import visible
from metrics.actions import audience, listed_alerts, silences, withholding
from metrics.actions.errors import Invalid, Missing
from metrics.actions.listed_alerts import EVERYONE, Listed
from metrics.alerts import matchers
from metrics.alerts.matchers import BadMatcher, Matcher
from metrics.api import alertmanager_documents as documents
from metrics.api.alert_push import NotAlerts, take
from metrics.api.alertmanager_silences import Unreadable, read_silence
from metrics.api.refusals import Refusal
from metrics.api.tokens import Foreign, principal_of, push
from metrics.ingest import alertmanager
from metrics.models import Silence, Team, Token
from metrics.sources.expect import compile
from metrics.times import datetime_of

router = Router()

ANY, READ, EDIT = Foreign(None), Foreign(Token.Scope.READ), Foreign(Token.Scope.EDIT)
BOOLEANS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}
JSON = "application/json"


@router.post("api/v2/alerts", auth=push)
def post_alerts(request: HttpRequest) -> HttpResponse:
    """Take alerts; of a batch with some that can't be taken, the others are taken."""
    _check_type(request)
    try:
        take(request, alertmanager.parse)
    except NotAlerts as problem:
        raise Unreadable(400, 400, f'parsing alerts body from "" failed, because {problem}') from None
    return HttpResponse()


@router.get("api/v2/alerts", auth=READ)
def get_alerts(request: HttpRequest) -> HttpResponse:
    """The alerts that are bad."""
    now = time.time()
    return _answer([documents.alert(request, one, now) for one in _chosen(request, now)])


@router.get("api/v2/alerts/groups", auth=READ)
def get_groups(request: HttpRequest) -> HttpResponse:
    """The alerts that are bad, by those who are told of them and by the labels that these group by."""
    now, by = time.time(), principal_of(request)
    found = [(one, documents.alert(request, one, now)) for one in _chosen(request, now)]
    names = {team.name: audience.of_teams([team]).group_by for team in visible(by, Team)}
    return _answer(documents.groups(found, {**names, EVERYONE: audience.of_teams([]).group_by}))


@router.get("api/v2/status", auth=ANY)
def get_status(request: HttpRequest) -> HttpResponse:
    """The version, and a configuration."""
    return _answer(documents.status(_receivers(request)))


@router.get("api/v2/receivers", auth=READ)
def get_receivers(request: HttpRequest) -> HttpResponse:
    """Those who may be told: the teams, and everyone."""
    return _answer([{"name": name} for name in _receivers(request)])


@router.get("api/v2/silences", auth=READ)
def get_silences(request: HttpRequest) -> HttpResponse:
    """The silences whose matchers have the names and values of the filters, but for those that nobody can read."""
    filters, now = _filters(request), datetime_of(time.time())
    readable = [one for one in silences.listed(principal_of(request)) if withholding.matchers_of(one) is not None]
    found = [one for one in readable if matchers.match(filters, _as_labels(one))]
    return _answer([documents.silence(one, now) for one in sorted(found, key=lambda one: documents.order(one, now))])


@router.post("api/v2/silences", auth=EDIT)
def post_silence(request: HttpRequest) -> HttpResponse:
    """Make a silence, or change the one whose id is given."""
    _check_type(request)
    by = principal_of(request)
    try:
        asked = read_silence(request.body, time.time())
        author = asked.author.removesuffix(f" ({by.name})")
        made = silences.set(
            by, asked.matchers, asked.starts_at, asked.ends_at, asked.comment, id=asked.id, author=author
        )
    except Missing:
        return _answer("silence not found", 404)
    except Invalid as problem:
        return _answer(f"silence invalid: {problem}", 400)
    return _answer({"silenceID": str(made.pk)})


@router.get("api/v2/silence/{id}", auth=READ)
def get_silence(request: HttpRequest, id: str) -> HttpResponse:
    """One silence."""
    try:
        found = silences.find(principal_of(request), id)
    except Missing:
        return _answer("silence not found", 404)
    return _answer(documents.silence(found, datetime_of(time.time())))


@router.delete("api/v2/silence/{id}", auth=EDIT)
def delete_silence(request: HttpRequest, id: str) -> HttpResponse:
    """End a silence."""
    try:
        silences.expire(principal_of(request), id)
    except Missing:
        return _answer("silence not found", 404)
    return HttpResponse()


@router.api_operation(["GET", "HEAD"], "-/healthy")
def healthy(request: HttpRequest) -> HttpResponse:
    """Say that there is somebody to send alerts to."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


@router.api_operation(["GET", "HEAD"], "-/ready")
def ready(request: HttpRequest) -> HttpResponse:
    """Say that alerts can be stored; 503 if the database does not answer."""
    Token.objects.exists()
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


def as_alertmanager(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The form of a refusal: the sentence alone, as a JSON string."""
    first = refusal.errors[0].message if refusal.errors else refusal.detail
    return _answer(first, refusal.status)


def as_go(request: HttpRequest, error: Any) -> HttpResponse:
    """The form of what could not be read."""
    return _answer({"code": error.code, "message": str(error)}, error.status)


def _answer(document: Any, status: int = 200) -> HttpResponse:
    return JsonResponse(document, safe=False, status=status)


def _check_type(request: HttpRequest) -> None:
    kind = (request.content_type or "application/octet-stream").lower()
    if kind != JSON:
        raise Unreadable(415, 415, f'unsupported media type "{kind[:100]}", only [{JSON}] are allowed')


def _receivers(request: HttpRequest) -> list[str]:
    return listed_alerts.receivers(team.name for team in visible(principal_of(request), Team))


def _chosen(request: HttpRequest, now: float) -> list[Listed]:
    """Return the alerts that the query asks for. None is ever inhibited or unprocessed."""
    active, silenced = _flag(request, "active"), _flag(request, "silenced")
    for name in ("inhibited", "unprocessed", "muted"):
        _flag(request, name)
    try:
        pattern = compile(request.GET["receiver"]) if request.GET.get("receiver") else None
    except ValueError as problem:
        raise Unreadable(400, 400, f"failed to parse receiver param: {problem}") from None
    found = listed_alerts.listed(principal_of(request), _filters(request), now)
    return [
        one
        for one in found
        if (active if one.is_active else silenced or not one.silenced_by)
        and (pattern is None or any(pattern.fullmatch(name) for name in one.receivers))
    ]


def _flag(request: HttpRequest, name: str) -> bool:
    text = request.GET.get(name)
    if not text:
        return True
    if text.lower() not in BOOLEANS:
        raise Unreadable(422, 601, f'{name} in query must be of type boolean: "{text[:40]}"')
    return BOOLEANS[text.lower()]


def _filters(request: HttpRequest) -> list[Matcher]:
    try:
        return [matchers.parse_one(text) for text in request.GET.getlist("filter")]
    except BadMatcher as problem:
        raise Unreadable(400, 400, f"bad matcher format: {problem}") from None


def _as_labels(silence: Silence) -> dict[str, str]:
    return {one.name: one.value for one in withholding.matchers_of(silence) or ()}
