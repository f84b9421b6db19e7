"""Signing out, pages that are not for everyone, and the refusals of actions as pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from metrics.access.policy import check
from metrics.access.principal import of_visitor
from metrics.actions import access
from metrics.actions.errors import Forbidden, Missing

P = ParamSpec("P")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and everything that was opened with it."""
    access.sign_out(request)
    return redirect("sign-in")


def page(view: Callable[Concatenate[HttpRequest, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Have `view` shown to people who are signed in; Forbidden and Missing become the pages that say so."""

    @login_required
    @wraps(view)
    def shown(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Forbidden as problem:
            raise PermissionDenied(str(problem)) from None
        except Missing as problem:
            raise Http404(str(problem)) from None

    return shown


def page_for(verb: str, thing: type[Model] | str) -> Callable[[Callable[..., Any]], Callable[..., HttpResponseBase]]:
    """Have a view shown to those who may do `verb` to any `thing`."""

    def decorate(view: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
        @page
        @wraps(view)
        def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            check(of_visitor(request), verb, thing)
            answer = view(request, *args, **kwargs)
            assert isinstance(answer, HttpResponseBase)
            return answer

        return shown

    return decorate
