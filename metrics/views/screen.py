"""The page of a screen, `/screen/`: a code to pair it with, and then the dashboard that editors have it show.

It is for the screen whose cookie the browser has, whoever else is signed in beside it.
"""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from metrics.access import screens
from metrics.access.principal import address_of, of_screen
from metrics.actions import screens as actions
from metrics.actions.errors import NoAnswer, TooOften
from metrics.models import Screen
from metrics.redis_state import pairing
from metrics.views import qr, shown_page

NOTHING_YET = "Nothing is chosen for this screen yet."
DELETED = "The dashboard of this screen was deleted."


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The wall of a paired screen, or the code of one that is not."""
    request.user = AnonymousUser()
    secret = request.COOKIES.get(screens.COOKIE, "")
    screen = screens.opened(secret)
    if screen is not None:
        answer = _paired(request, screen)
        # Some displays start with a clock that is years behind, and drop what they keep from then once it is right. So
        # the cookie begins anew with what an open page asks later, and not with the page.
        return _kept(answer, secret) if request.method == "HEAD" else answer
    if request.method == "HEAD":  # an open page asks whether the server answers
        return HttpResponse()
    try:
        return _code(request, secret)
    except TooOften as problem:
        return render(request, "screen/refused.html", {"sentence": problem, "wait_s": problem.wait_s}, status=429)
    except NoAnswer as problem:
        return render(request, "screen/refused.html", {"sentence": problem, "wait_s": 20}, status=503)


@require_safe
def state(request: HttpRequest) -> HttpResponse:
    """Whether a page (`?shows=`) still is the one that the screen shows: it asks every few seconds, and loads anew."""
    request.user = AnonymousUser()
    secret = request.COOKIES.get(screens.COOKIE, "")
    screen = screens.opened(secret)
    try:
        shows = actions.shows(screen) if screen is not None else actions.code_of(Screen.digest_of(secret))
    except NoAnswer as problem:
        return HttpResponse(str(problem), status=503, content_type="text/plain")
    if secret and shows != request.GET.get("shows"):
        return HttpResponse(headers={"HX-Refresh": "true"})
    over_tls = "" if request.is_secure() or not settings.SESSION_COOKIE_SECURE else _address(request, "screen")
    context = {"is_paired": screen is not None, "has_cookie": bool(secret), "over_tls": over_tls}
    return render(request, "screen/_waiting.html", context)


def _paired(request: HttpRequest, screen: Screen) -> HttpResponse:
    request.GET = QueryDict()  # editors say what it shows; the address has at most a theme, which is for a script
    request.principal = of_screen(screen, address_of(request))  # type: ignore[attr-defined]
    if screen.shown is None:
        return _nothing(request, screen, DELETED if screen.dashboard is not None else NOTHING_YET)
    more = {"shows": actions.shows(screen)}
    return shown_page.shown(request, screen.shown, "screen/wall.html", "/ws/screen/", more=more)


def _nothing(request: HttpRequest, screen: Screen, sentence: str) -> HttpResponse:
    context = {"screen": screen, "sentence": sentence, "shows": actions.shows(screen), "is_paired": True}
    return render(request, "screen/nothing.html", {**context, "has_cookie": True})


def _code(request: HttpRequest, secret: str) -> HttpResponse:
    """Return the page with the code that goes with `secret`, or with a new one of both."""
    code = actions.code_of(Screen.digest_of(secret)) if secret else ""
    if not code:  # also a new secret: none is kept that somebody else may have put there
        secret = Screen.new_secret()
        code = actions.new_code(Screen.digest_of(secret), address_of(request))
    address = _address(request, "screens")
    context = {
        "code": pairing.shown(code),
        "address": address.partition("://")[2],
        "qr": qr.code(f"{address}?code={pairing.shown(code)}"),
        "shows": code,
        "minutes": pairing.HOLDS_S // 60,
        "is_paired": False,
        "has_cookie": True,
    }
    return _kept(render(request, "screen/code.html", context), secret)


def _address(request: HttpRequest, name: str) -> str:
    return qr.root(request) + reverse(name)


def _kept(response: HttpResponse, secret: str) -> HttpResponse:
    """Have the browser keep the secret of a screen, out of reach of scripts."""
    response.set_cookie(
        screens.COOKIE,
        secret,
        max_age=screens.COOKIE_AGE_S,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return response
