"""How one is told: which kinds show in the page, which come as Web Push and to which browsers, and when it is quiet."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.access.principal import of_visitor
from metrics.actions import notification_settings as actions
from metrics.actions import web_push
from metrics.actions.errors import Invalid
from metrics.views import access, browsers


class QuietForm(forms.Form):
    """The hours without toasts and pushes."""

    quiet_from = forms.TimeField(label="From", required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M"))
    quiet_until = forms.TimeField(label="Until", required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M"))
    time_zone = forms.ChoiceField(choices=lambda: [(name, name) for name in sorted(available_timezones())])


@require_http_methods(["GET", "HEAD", "POST"])
@access.page
def page(request: HttpRequest) -> HttpResponse:
    """The settings; posted, new ones."""
    by = of_visitor(request)
    chosen = actions.choice_of(by.pk or 0)
    initial = {
        "quiet_from": chosen.quiet_from,
        "quiet_until": chosen.quiet_until,
        "time_zone": chosen.time_zone or settings.TIME_ZONE,
    }
    form = QuietForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and _choose(request, form):
        messages.success(request, "Saved.")
        return redirect("notification-settings")
    if not chosen.time_zone:
        form.fields["time_zone"].widget.attrs["data-suggest-zone"] = ""
    context = {
        "form": form,
        "kinds": actions.kinds_of(by.pk or 0),
        "browsers": web_push.subscriptions(by.pk or 0),
        "push_key": web_push.public_key(),
    }
    return render(request, "notification/settings.html", context, status=422 if form.errors else 200)


@require_POST
@access.page
def subscribe(request: HttpRequest) -> HttpResponse:
    """Have this browser show notifications, as its script asks."""
    posted = request.POST
    name = browsers.name(request.headers.get("User-Agent", ""))
    try:
        web_push.subscribe(
            of_visitor(request), posted.get("endpoint", ""), posted.get("p256dh", ""), posted.get("auth", ""), name
        )
    except Invalid as problem:
        return HttpResponse(str(problem), status=422, content_type="text/plain")
    return HttpResponse(status=204)


@require_POST
@access.page
def unsubscribe(request: HttpRequest) -> HttpResponse:
    """Have a browser show none any more: this one, as its script asks, or one of the list."""
    id, endpoint = request.POST.get("id", ""), request.POST.get("endpoint", "")
    if endpoint:
        web_push.unsubscribe(of_visitor(request), endpoint=endpoint)
        return HttpResponse(status=204)
    known = id.isascii() and id.isdigit() and len(id) < 16
    if known and web_push.unsubscribe(of_visitor(request), int(id)):
        messages.success(request, "That browser shows nothing any more.")
    return redirect("notification-settings")


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script that shows what is pushed. It is served here, since it acts for the paths below its own."""
    response = HttpResponse(_worker(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@cache
def _worker() -> str:
    return (settings.BASE_DIR / "static" / "js" / "service-worker.js").read_text()


def _choose(request: HttpRequest, form: QuietForm) -> bool:
    """Save what was chosen; False if it can't be, which the form then says."""
    typed: dict[str, Any] = form.cleaned_data
    quiet = typed["quiet_from"], typed["quiet_until"]
    try:
        actions.choose(
            of_visitor(request),
            request.POST.getlist("shown"),
            request.POST.getlist("pushed"),
            quiet,
            typed["time_zone"] if any(quiet) else "",
        )
    except Invalid as problem:
        form.add_error(problem.field, str(problem))
        return False
    return True
