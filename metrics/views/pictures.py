"""Pictures of dashboards: uploaded by the editor's script, and given to those who may see the dashboard."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from metrics.access.principal import of_visitor
from metrics.actions import pictures
from metrics.actions.errors import Invalid, TooLarge
from metrics.files import sent
from metrics.views.access import page
from metrics.views.files import STATUSES
from metrics.views.refusals import beside


@require_POST
def upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a picture for a widget; a refusal is `{"detail": sentence}`."""
    by = of_visitor(request)
    if by.kind != "user":
        return JsonResponse({"detail": "You are signed out. Sign in again to upload pictures."}, status=401)
    given = request.FILES.get("file")
    try:
        if given is None or not given.size:
            raise Invalid("file", "file: it is missing, or empty.")
        if given.size > pictures.BYTES_MOST:
            raise TooLarge("file", f"file: a picture has at most {pictures.BYTES_MOST // 1024**2} MB.")
        made = pictures.upload(by, slug, given.read())
    except tuple(STATUSES) as problem:
        status = next(status for kind, status in STATUSES.items() if isinstance(problem, kind))
        return JsonResponse({"detail": beside("file", str(problem))}, status=status)
    url = reverse("dashboard-picture", args=[slug, made.hash])
    return JsonResponse({"hash": made.hash, "url": url, "width": made.width, "height": made.height}, status=201)


@require_safe
@page
def picture(request: HttpRequest, slug: str, hash: str) -> HttpResponse:
    """A picture of a dashboard. What is behind its address never changes, so browsers keep it."""
    found = pictures.find(of_visitor(request), slug, hash)
    return sent(bytes(found.data), found.type, "picture", is_shown=True)
