"""Pictures of dashboards: uploaded by the editor's script, and given to those who may see the dashboard."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from metrics.access import links, screens
from metrics.access.principal import Principal, address_of, of_link, of_screen, of_visitor
from metrics.actions import pictures
from metrics.actions.errors import Invalid, Missing, TooLarge
from metrics.files import sent
from metrics.views.access import page
from metrics.views.files import taken


@require_POST
def upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a picture for a widget."""

    def take(by: Principal, given: "UploadedFile[bytes]") -> dict[str, Any]:
        if not given.size:
            raise Invalid("file", "file: it is empty.")
        if given.size > pictures.BYTES_MOST:
            raise TooLarge("file", f"file: a picture has at most {pictures.BYTES_MOST // 1024**2} MB.")
        made = pictures.upload(by, slug, given.read())
        url = reverse("dashboard-picture", args=[slug, made.hash])
        return {"hash": made.hash, "url": url, "width": made.width, "height": made.height}

    return taken(request, take)


@require_safe
def picture(request: HttpRequest, slug: str, hash: str) -> HttpResponseBase:
    """A picture of a dashboard. The picture behind an address never changes, so browsers keep it.

    Widgets are the same bytes for all who see the dashboard, so this is the address of it on pages of links and of
    screens, too.
    """
    by = _without_session(request, slug)
    if by is None:
        return page(_picture)(request, slug, hash)
    request.principal = by  # type: ignore[attr-defined]
    try:
        return _picture(request, slug, hash)
    except Missing as problem:
        raise Http404(str(problem)) from None


def _without_session(request: HttpRequest, slug: str) -> Principal | None:
    """Return the link or the screen that shows the dashboard `slug` in this browser."""
    if link := links.to_dashboard(request.COOKIES, slug):
        return of_link(link, address_of(request))
    screen = screens.opened(request.COOKIES.get(screens.COOKIE, ""))
    shows = screen is not None and screen.shown is not None and screen.shown.slug == slug
    return of_screen(screen, address_of(request)) if screen is not None and shows else None


def _picture(request: HttpRequest, slug: str, hash: str) -> HttpResponse:
    found = pictures.find(of_visitor(request), slug, hash)
    return sent(bytes(found.data), found.type, "picture", is_shown=True)
