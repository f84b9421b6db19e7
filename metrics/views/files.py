"""Files of rooms: taken from a page's script, and given to browsers to be saved or shown, and never run."""

from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods, require_POST

from metrics.access.principal import Principal, of_visitor
from metrics.actions import files
from metrics.actions.errors import Forbidden, Invalid, Missing, TooLarge, TooOften
from metrics.files import sent
from metrics.views.access import page
from metrics.views.refusals import beside

STATUSES: dict[type[Exception], int] = {Forbidden: 403, Missing: 404, TooLarge: 413, Invalid: 422, TooOften: 429}
"""The first that fits counts."""


def taken(request: HttpRequest, take: Callable[[Principal, "UploadedFile[bytes]"], dict[str, Any]]) -> JsonResponse:
    """Have `take` take the file that was sent, and answer with what it returns; a refusal is `{"detail": sentence}`."""
    by = of_visitor(request)
    if by.kind != "user":
        return JsonResponse({"detail": "You are signed out. Sign in again to send files."}, status=401)
    given = request.FILES.get("file")
    try:
        if given is None or given.size is None:
            raise Invalid("file", "file: it is missing.")
        return JsonResponse(take(by, given), status=201)
    except tuple(STATUSES) as problem:
        status = next(status for kind, status in STATUSES.items() if isinstance(problem, kind))
        return JsonResponse({"detail": beside("file", str(problem))}, status=status)


@require_POST
def upload(request: HttpRequest, id: int) -> HttpResponse:
    """Take a file for a message that is being written."""

    def take(by: Principal, given: "UploadedFile[bytes]") -> dict[str, Any]:
        files.check_size(given.size or 0)
        return dict(files.document(files.upload(by, id, given.name or "", given.read())))

    return taken(request, take)


@require_http_methods(["GET", "HEAD", "DELETE"])
@page
def file(request: HttpRequest, id: int, key: str, name: str) -> HttpResponse:
    """A file; deleted, one that its owner did not send. `name` is for people: the key is what counts."""
    by = of_visitor(request)
    if request.method == "DELETE":
        files.withdraw(by, id, key)
        return HttpResponse(status=204)
    found = files.find(by, id, key)
    return sent(files.content(found), found.type, found.name, is_shown=found.type != files.FILE)
