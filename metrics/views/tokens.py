"""The page of tokens: the list with the last use of each, making one, revoking one."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.access.policy import CHANGE, CREATE, DELETE, SEE, may, visible
from metrics.access.principal import Principal, of_visitor
from metrics.actions import teams, tokens
from metrics.actions.errors import Invalid
from metrics.emoji import MOST
from metrics.models import Token
from metrics.views import humanize
from metrics.views.access import page_for
from metrics.views.menu import people
from metrics.views.refusals import add_errors
from metrics.views.sharing import names_for

DAYS = [("", "never"), ("7", "after 7 days"), ("30", "after 30 days"), ("90", "after 90 days"), ("365", "after a year")]


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(label="Name of the token", max_length=tokens.NAME_MOST, help_text="Such as backup-job.")
    scope = forms.ChoiceField()
    face = forms.CharField(
        max_length=MOST, required=False, help_text="An emoji before its name in rooms, such as 🤖; it may stay empty."
    )
    days = forms.ChoiceField(label="Expires", choices=DAYS, required=False)
    teams = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, by: Principal, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        scopes = [(one.value, f"{one.value}: {one.label}") for one in Token.Scope if may(by, CREATE, Token(scope=one))]
        self.fields["scope"].choices = scopes  # type: ignore[attr-defined]
        self.fields["teams"].choices = [(one, one) for one in sorted(names_for(by))]  # type: ignore[attr-defined]
        of_all = "It acts as a member of these. With none, for all teams."
        self.fields["teams"].help_text = of_all if by.sees_all else "It acts as a member of these."


@require_safe
@page_for(SEE, Token)
def index(request: HttpRequest) -> HttpResponse:
    """The tokens that are valid, or were once."""
    return _list(request)


@require_POST
@page_for(CREATE, Token)
def create(request: HttpRequest) -> HttpResponse:
    """Make a token, and show it, this once."""
    by = of_visitor(request)
    form = TokenForm(by, request.POST)
    if form.is_valid():
        given = form.cleaned_data
        expires_at = timezone.now() + timedelta(days=int(given["days"])) if given["days"] else None
        try:
            secret = tokens.create(
                by, given["name"], given["scope"], teams.named(given["teams"]), expires_at, given["face"]
            )
            return _list(request, secret=secret, name=given["name"])
        except Invalid as problem:
            add_errors(form, problem)
    return _list(request, form=form, status=422)


@require_POST
@page_for(CHANGE, Token)
def set_face(request: HttpRequest) -> HttpResponse:
    """Give a token another face."""
    name = request.POST.get("name", "").replace("\x00", "")
    try:
        tokens.set_face(of_visitor(request), name, request.POST.get("face", "").strip())
        messages.success(request, f"The token {name} has its new face.")
    except Invalid as problem:
        messages.error(request, str(problem))
    return redirect("tokens")


@require_POST
@page_for(DELETE, Token)
def revoke(request: HttpRequest) -> HttpResponse:
    """Make a token useless."""
    name = request.POST.get("name", "").replace("\x00", "")
    tokens.revoke(of_visitor(request), name)
    messages.success(request, f"The token {name} is revoked.")
    return redirect("tokens")


def _list(
    request: HttpRequest, *, form: TokenForm | None = None, secret: str = "", name: str = "", status: int = 200
) -> HttpResponse:
    by, now = of_visitor(request), timezone.now()
    rows = [
        {
            "token": one,
            "teams": [team.name for team in one.teams.all()],
            "used": humanize.ago(one.last_used_at, now.timestamp()) if one.last_used_at else "never",
            "is_over": one.expires_at is not None and one.expires_at <= now,
            "may_change": may(by, CHANGE, one),
            "may_revoke": may(by, DELETE, one),
        }
        for one in visible(by, Token).filter(revoked_at=None).prefetch_related("teams")
    ]
    context = {
        "rows": rows,
        "form": form or TokenForm(by),
        "secret": secret,
        "name": name,
        "tabs": people(by),
    }
    return render(request, "access/tokens.html", context, status=status)
