"""The pages of users: the list, one user, inviting, and joining by an invitation."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.access.policy import CHANGE, CREATE, SEE
from metrics.access.principal import address_of, of_visitor, role_of
from metrics.actions import teams, users
from metrics.actions.errors import Invalid
from metrics.models import Invitation, Team
from metrics.views import humanize
from metrics.views.access import page_for
from metrics.views.menu import people
from metrics.views.refusals import add_errors

ROLE_HELP = (
    "A viewer sees, an editor also makes and changes dashboards, sources and heartbeats, an administrator everything."
)


class TeamsField(forms.MultipleChoiceField):
    """Checkboxes of the teams, by name."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=lambda: [(name, name) for name in Team.objects.order_by("name").values_list("name", flat=True)],
            **kwargs,
        )


class InviteForm(forms.Form):
    """The account that somebody is invited to."""

    note = forms.CharField(label="For", max_length=users.NOTE_MOST, required=False, help_text="A name, to know it by.")
    role = forms.ChoiceField(choices=[(name, name) for name in users.ROLES], help_text=ROLE_HELP)
    teams = TeamsField(required=False)


class UserForm(forms.Form):
    """The role and the teams of a user."""

    role = forms.ChoiceField(choices=[(name, name) for name in users.ROLES], help_text=ROLE_HELP)
    teams = TeamsField(required=False)
    is_active = forms.BooleanField(
        label="May sign in", required=False, help_text="Unchecked, the account is kept, and signed out everywhere."
    )


class JoinForm(forms.Form):
    """An account that an invitation is for."""

    secret = forms.CharField(label="Invitation", max_length=100)
    name = forms.CharField(label="User name", max_length=150)
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 8 characters, and no common word or name of yours.",
    )
    again = forms.CharField(
        label="Password, once more", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )


@require_safe
@page_for(SEE, User)
def index(request: HttpRequest) -> HttpResponse:
    """All users and the open invitations."""
    return _list(request)


@require_POST
@page_for(CREATE, Invitation)
def invite(request: HttpRequest) -> HttpResponse:
    """Make an invitation, and show its link, this once."""
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _list(request, form=form, status=422)
    made = form.cleaned_data
    secret = users.invite(of_visitor(request), made["role"], teams.named(made["teams"]), made["note"])
    # Behind the # it is sent to no server, and so is in no log.
    link = request.build_absolute_uri(reverse("join")) + f"#{secret}"
    return _list(request, link=link, link_for=made["note"])


@require_POST
@page_for(CREATE, Invitation)
def withdraw(request: HttpRequest, id: int) -> HttpResponse:
    """Make an invitation useless."""
    users.withdraw(of_visitor(request), id)
    messages.success(request, "The invitation is withdrawn.")
    return redirect("users")


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(CHANGE, User)
def user(request: HttpRequest, id: int) -> HttpResponse:
    """Change a user."""
    found = users.find(id)
    facts = users.facts(found)
    initial = {"role": facts["role"], "teams": facts["teams"], "is_active": facts["active"]}
    form = UserForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            users.change(
                of_visitor(request),
                id,
                role=given["role"],
                teams=teams.named(given["teams"]),
                is_active=given["is_active"],
            )
        except Invalid as problem:
            add_errors(form, problem)
        else:
            messages.success(request, f"{found.get_username()} is saved.")
            return redirect("users")
    context = {"form": form, "found": found, "tabs": people(of_visitor(request))}
    return render(request, "access/user.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Make the account that an invitation is for, and sign in."""
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = users.accept(given["secret"], given["name"], given["password"], given["again"], address_of(request))
        except Invalid as problem:
            add_errors(form, problem)
        else:
            login(request, made, backend="django.contrib.auth.backends.ModelBackend")
            return redirect("home")
    return render(request, "access/join.html", {"form": form}, status=422 if form.errors else 200)


def _list(
    request: HttpRequest, *, form: InviteForm | None = None, link: str = "", link_for: str = "", status: int = 200
) -> HttpResponse:
    now = timezone.now().timestamp()
    rows = [
        {
            "user": one,
            "role": str(role_of(one)) if one.is_active else "off",
            "teams": [team.name for team in one.groups.all()],
            "last": humanize.ago(one.last_login, now) if one.last_login else "never",
        }
        for one in User.objects.order_by("username").prefetch_related("groups")
    ]
    context = {
        "rows": rows,
        "invitations": Invitation.objects.filter(expires_at__gt=timezone.now()).prefetch_related("teams"),
        "form": form or InviteForm(initial={"role": "viewer"}),
        "link": link,
        "link_for": link_for,
        "tabs": people(of_visitor(request)),
    }
    return render(request, "access/users.html", context, status=status)
