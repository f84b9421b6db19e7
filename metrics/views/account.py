"""One's own account: the password, and where one is signed in."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from metrics.access.policy import visible
from metrics.access.principal import of_visitor
from metrics.actions import account, dashboard_list
from metrics.actions.errors import Missing
from metrics.models import Dashboard, Session
from metrics.views import browsers, humanize


@dataclass(frozen=True, slots=True)
class Row:
    """One browser that is signed in: its `name` in forms, what it is, where, since when, how long `ago` it was seen."""

    name: str
    browser: str
    agent: str
    address: str
    since: Any
    ago: str
    is_this: bool


class PasswordForm(PasswordChangeForm):
    """Django's. A wrong present password counts like a failed sign-in, so that a found screen can't be tried out."""

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(_who(request), data)
        self._request = request
        for field, label in (("old_password", "Present password"), ("new_password2", "New password, once more")):
            self.fields[field].label = label
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
        self.fields["new_password1"].help_text = "At least 8 characters, and no common word or name of yours."
        self.fields["new_password2"].help_text = ""

    def clean_old_password(self) -> str:
        given = str(self.cleaned_data["old_password"])
        if authenticate(self._request, username=self.user.get_username(), password=given) is None:
            raise ValidationError("This is not your present password.")
        return given


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The account; posted, a new password, with which every other browser is signed out."""
    form = PasswordForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            update_session_auth_hash(request, form.save())
            account.password_changed(of_visitor(request), _who(request))
        messages.success(request, "Your password is changed. Every other browser is signed out.")
        return redirect("account")
    by = of_visitor(request)
    starts = {"starts": visible(by, Dashboard).only("slug", "title"), "start": dashboard_list.start_page(by)}
    context = {"form": form, "rows": _rows(request), **starts}
    return render(request, "account/page.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def start_page(request: HttpRequest) -> HttpResponse:
    """Choose the page that is seen first."""
    try:
        dashboard_list.choose_start_page(of_visitor(request), request.POST.get("slug", ""))
        messages.success(request, "Your start page is saved.")
    except Missing as problem:
        messages.error(request, str(problem))
    return redirect("account")


@require_POST
@login_required
def end_session(request: HttpRequest) -> HttpResponse:
    """Sign out one browser."""
    ended = account.end(of_visitor(request), _who(request), request.POST.get("session", ""))
    messages.success(request, "That browser is signed out." if ended else "That browser was signed out already.")
    return redirect("account")


@require_POST
@login_required
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Sign out every browser, this one included."""
    account.end(of_visitor(request), _who(request))
    logout(request)
    return redirect("sign-in")


def _who(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _rows(request: HttpRequest) -> list[Row]:
    now = timezone.now()
    found = account.sessions_of(_who(request), now)
    return sorted((_row(one, request, now.timestamp()) for one in found), key=lambda row: not row.is_this)


def _row(session: Session, request: HttpRequest, now: float) -> Row:
    is_this = session.session_key == request.session.session_key
    return Row(
        name=account.name_of(session),
        browser=browsers.name(session.browser),
        agent=session.browser,
        address=session.address or "unknown",
        since=session.since,
        ago="now" if is_this else humanize.ago(session.seen_at, now),
        is_this=is_this,
    )
