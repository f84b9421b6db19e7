"""The pages that a link opens: the way in, the dashboard as a tab and as a wall, and a widget alone.

They are for whoever has the link, whoever else is signed in beside it. They alone may be shown in frames of other
sites, of those in EMBED_SITES.
"""

from collections.abc import Callable, Container
from functools import wraps
from http.cookies import Morsel
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from metrics.access import links
from metrics.access.principal import address_of, of_link
from metrics.models import Link
from metrics.views import shown_page, widget_page

View = Callable[..., HttpResponse]

OVER = "This link is over: it was revoked or has expired, or its dashboard was deleted."
UNKNOWN = "There is no such link. Open its whole address, with all that stands behind the #."
NOT_OPENED = "Open the whole address of the link again: this browser does not know it, or keeps no cookies here."
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Partitioned(Morsel[str]):
    """A cookie for frames in one other site alone, for `age_s` seconds; with 0 it is removed from them.

    Python knows such cookies from 3.14 on.
    """

    def __init__(self, name: str, value: str, age_s: int) -> None:
        super().__init__()
        self.set(name, value, value)
        for attribute, given in (("max-age", str(age_s)), ("path", "/"), ("samesite", "None")):
            self[attribute] = given
        self["httponly"] = self["secure"] = "true"

    def OutputString(self, attrs: Container[str] | None = None) -> str:
        return f"{super().OutputString(attrs)}; Partitioned"


def framed(view: View) -> View:
    """Let the sites of EMBED_SITES show the answers of `view` in frames."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if settings.EMBED_SITES:
            response._csp_replace = {"frame-ancestors": settings.EMBED_SITES}  # type: ignore[attr-defined]
            response.xframe_options_exempt = True
        return response

    return answer


def opened(view: View) -> View:
    """Give `view` the link whose cookie the request has, as its principal; without one it says why there is no page."""

    @framed
    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, id: int, **kwargs: Any) -> HttpResponse:
        secret = request.COOKIES.get(links.cookie_of(id), "")
        link = links.opened(secret, id)
        request.user = AnonymousUser()
        if link is None:
            is_over = links.is_over(secret, id)
            return refusal(request, OVER if is_over else NOT_OPENED, 410 if is_over else 403)
        request.principal = of_link(link, address_of(request))  # type: ignore[attr-defined]
        try:
            return view(request, link, **kwargs)
        except Http404 as problem:
            return refusal(request, str(problem), 404)

    return answer


def refusal(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    """Return the page that says why a link does not open."""
    return render(request, "link/refused.html", {"sentence": sentence, "is_over": status == 410}, status=status)


@csrf_exempt  # in a frame of another site no cookie comes to compare with; it gives a link to whoever has its secret
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@framed
def enter(request: HttpRequest) -> HttpResponse:
    """The page of `/link/#SECRET`, whose script sends the secret, which no server sees in an address, for a cookie."""
    request.user = AnonymousUser()
    if request.method != "POST":
        return render(request, "link/enter.html")
    secret = request.POST.get("secret", "")
    link = links.opened(secret)
    if link is None:
        is_over = links.is_over(secret)
        return JsonResponse({"detail": OVER if is_over else UNKNOWN}, status=410 if is_over else 404)
    response = JsonResponse({"path": reverse("link-dashboard", args=[link.pk])})
    _set_cookie(request, response, link, secret)
    return response


@opened
def tab(request: HttpRequest, link: Link) -> HttpResponse:
    """The dashboard of a link in a browser's tab, or in a frame."""
    return _dashboard(request, link, "link/tab.html", _in_tab(link))


@opened
def wall(request: HttpRequest, link: Link) -> HttpResponse:
    """The dashboard of a link, filling a screen."""
    return _dashboard(request, link, "dashboard/wall.html", _of_link(link))


@opened
def widget(request: HttpRequest, link: Link, key: str) -> HttpResponse:
    """One widget of a link's dashboard."""
    home = reverse("link-dashboard", args=[link.pk])
    return widget_page.shown(request, link.dashboard.slug, key, home, _in_tab(link))


@opened
def csv(request: HttpRequest, link: Link, key: str) -> HttpResponse:
    """The points of a widget's series as CSV."""
    return widget_page.points(request, link.dashboard.slug, key)


def _of_link(link: Link) -> str:
    """Return what is in the query of each socket of a link's page."""
    return f"&link={link.pk}"


def _in_tab(link: Link) -> str:
    """Return it for a page that is no wall, and says so: it has no person whose tab it would be."""
    return f"{_of_link(link)}&tab=1"


def _dashboard(request: HttpRequest, link: Link, template: str, opened_as: str) -> HttpResponse:
    pages = {"wall_path": reverse("link-wall", args=[link.pk]), "tab_path": reverse("link-dashboard", args=[link.pk])}
    socket = f"/ws/dashboards/{link.dashboard.slug}/"
    return shown_page.shown(request, link.dashboard, template, socket, opened_as, pages)


def _set_cookie(request: HttpRequest, response: HttpResponse, link: Link, secret: str) -> None:
    """Have the browser keep the secret of a link, out of reach of scripts, for as long as the link is valid.

    In a frame of another site a browser keeps it for pages of that site alone (CHIPS): it has to be `Partitioned`,
    which `Secure` belongs to. Browsers take that over https, and from this machine itself.
    """
    left_s = links.COOKIE_AGE_S
    if link.expires_at is not None:
        left_s = min(left_s, max(1, int((link.expires_at - timezone.now()).total_seconds())))
    too_many = links.too_many(request.COOKIES, link.pk)
    is_local = urlsplit(f"//{request.get_host()}").hostname in LOOPBACK
    if settings.EMBED_SITES and request.POST.get("framed") == "1" and (request.is_secure() or is_local):
        for name in too_many:
            response.cookies[name] = Partitioned(name, "", 0)
        response.cookies[links.cookie_of(link.pk)] = Partitioned(links.cookie_of(link.pk), secret, left_s)
        return
    for name in too_many:
        response.delete_cookie(name)
    response.set_cookie(
        links.cookie_of(link.pk),
        secret,
        max_age=left_s,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
