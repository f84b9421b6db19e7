"""Pictures of dashboards: uploaded by the editor's script, and given to those who may see the dashboard."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from metrics.access import links
from metrics.access.principal import address_of, of_link, of_visitor
from metrics.actions import pictures
from metrics.actions.errors import Invalid, Missing, TooLarge
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
def picture(request: HttpRequest, slug: str, hash: str) -> HttpResponseBase:
    """A picture of a dashboard. What is behind its address never changes, so browsers keep it.

    Widgets are the same bytes for all who see the dashboard, so this is the address of it on pages of links, too.
    """
    link = links.to_dashboard(request.COOKIES, slug)
    if link is None:
        return page(_picture)(request, slug, hash)
    request.principal = of_link(link, address_of(request))  # type: ignore[attr-defined]
    try:
        return _picture(request, slug, hash)
    except Missing as problem:
        raise Http404(str(problem)) from None


def _picture(request: HttpRequest, slug: str, hash: str) -> HttpResponse:
    found = pictures.find(of_visitor(request), slug, hash)
    return sent(bytes(found.data), found.type, "picture", is_shown=True)
