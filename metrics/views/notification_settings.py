"""How one is told: which kinds show in the page, which come as Web Push, and when it is quiet."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from metrics.access.principal import of_visitor
from metrics.actions import notification_settings as actions
from metrics.actions.errors import Invalid
from metrics.views import access


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
    context = {
        "form": form,
        "kinds": actions.kinds_of(by.pk or 0),
        "has_chosen_zone": bool(chosen.time_zone),
    }
    return render(request, "notification/settings.html", context, status=422 if form.errors else 200)


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
