"""Paths and methods as clients write them: none is answered with a page for people, or by sending it elsewhere."""

import re
from collections.abc import Callable, Iterable, Set
from functools import lru_cache, wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, URLPattern, URLResolver, resolve
from django.views.decorators.csrf import csrf_exempt

from metrics.api.file_schemas import SCHEMAS
from metrics.api.otlp import as_status
from metrics.api.refusals import Form, Refusal, as_json

OURS = re.compile(r"/+(?:api|metrics|ping|write|query|v1|health|ready|-|alertmanager)(?:/|$)", re.IGNORECASE)
"""Paths that programs call. All others are of pages, and Django's own rules hold for them."""
PREFIX = re.compile(r"/alertmanager(?=/(?:api/v[12]/|-/))")
"""In front of what is asked of an Alertmanager, as many are set up."""
SLASHES = re.compile("//+")
READ = frozenset({"GET", "HEAD"})
NO_OPERATION = {
    "openapi-json": READ,
    "openapi-view": READ,
    "asyncapi-json": READ,
    **{f"{folder}-schema": READ for folder in SCHEMAS},
}
"""Views that would answer any method, and which they should answer."""

Urls = tuple[list[URLResolver | URLPattern], str, str]
View = Callable[..., HttpResponse]


def forgive(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that has a path with a slash too many or too few mean the one that there is; 404 if there is none.

    A redirect would not do: a client that follows one sends its POST again as a GET, without its body.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if OURS.match(path) and not _is_known(path):
            known = next(filter(_is_known, _likely(path)), "")
            if not known:
                return no_such_endpoint(request, as_status if path.startswith("/v1/") else as_json)
            request.path_info = known
        return get_response(request)

    return answer


def operations(urls: Urls, form: Form) -> Urls:
    """Return the `urls` of a NinjaAPI, whose views now answer HEAD, OPTIONS and, in `form`, methods they don't take."""
    for one in urls[0]:
        assert isinstance(one, URLPattern)
        known = NO_OPERATION.get(one.name or "", frozenset())
        one.callback = no_such_endpoint if one.name == "api-root" else _answering(one.callback, known, form)
    return urls


def _answering(view: View, methods: Set[str], form: Form) -> View:
    """Return `view`, which takes `methods`, or if there are none says with 405 and `Allow` which it takes."""

    @csrf_exempt  # a token is sent on purpose
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
        if methods and request.method not in methods:
            return _not_allowed(request, methods, form)
        response = view(request, *args, **given)
        if response.status_code != 405:
            return response
        allowed = {*response["Allow"].split(", ")}
        if request.method == "HEAD" and "GET" in allowed:
            request.method = "GET"
            try:
                return view(request, *args, **given)
            finally:
                request.method = "HEAD"  # so servers leave the body out
        return _not_allowed(request, allowed, form)

    return answer


def _not_allowed(request: HttpRequest, allowed: Iterable[str], form: Form) -> HttpResponse:
    methods = ", ".join(sorted({*allowed, "OPTIONS", *(["HEAD"] if "GET" in allowed else [])}))
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": methods})
    response = form(request, Refusal(405, f"{request.path} does not take {request.method}, but {methods}."))
    response["Allow"] = methods
    return response


def no_such_endpoint(request: HttpRequest, form: Form = as_json) -> HttpResponse:
    """Answer 404 in `form`, whatever the method, and say which path may have been meant."""
    meant = next(filter(_is_known, _likely(request.path_info.lower())), "")
    hint = f"{meant} is written like this" if meant else "/api/docs lists what there is"
    return form(request, Refusal(404, f"There is no endpoint {request.path}; {hint}."))


def _likely(path: str) -> Iterable[str]:
    path = PREFIX.sub("", SLASHES.sub("/", path), count=1)
    return path, path.rstrip("/"), f"{path}/"


@lru_cache(maxsize=256)  # a program asks for the same again and again, and Django looks it up anyway
def _is_known(path: str) -> bool:
    try:
        return resolve(path).func is not no_such_endpoint
    except Resolver404:
        return False
