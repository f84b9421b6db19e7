"""The page of the links of a dashboard: the list, making one, revoking one."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.access.principal import of_visitor
from metrics.actions import links, variables
from metrics.actions.errors import Invalid
from metrics.models import Dashboard
from metrics.views import humanize
from metrics.views.access import page
from metrics.views.refusals import add_errors
from metrics.views.tokens import DAYS
from metrics.widgets.ranges import RANGES_S
from metrics.widgets.variables import ALL

ANY = "any that is chosen"


class LinkForm(forms.Form):
    """A new link; each variable of the dashboard may have values that are fixed."""

    name = forms.CharField(label="Name of the link", max_length=links.NAME_MOST, help_text="Such as lobby.")
    days = forms.ChoiceField(label="Expires", choices=DAYS, required=False)
    range = forms.ChoiceField(required=False, choices=[("", ANY), *((name, f"only {name}") for name in RANGES_S)])

    def __init__(self, dashboard: Dashboard, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        offered = variables.variables_of(dashboard)
        options = variables.options_of(dashboard, offered)
        self.names = [one.name for one in offered]
        for one in offered:
            choices = [*([(ALL, "all")] if one.all else []), *((value, value) for value in options[one.name])]
            made: Any = forms.MultipleChoiceField if one.several else forms.ChoiceField
            help = "Only these; with none, any that is chosen." if one.several else ""
            self.fields[variables.PREFIX + one.name] = made(
                label=one.heading,
                required=False,
                choices=choices if one.several else [("", ANY), *choices],
                help_text=help,
                **(
                    {"widget": forms.SelectMultiple(attrs={"size": min(6, max(2, len(choices)))})}
                    if one.several
                    else {}
                ),
            )

    def values(self) -> dict[str, list[str]]:
        """Return the values that are fixed, by the name of their variable."""
        given = {name: self.cleaned_data[variables.PREFIX + name] for name in self.names}
        return {name: value if isinstance(value, list) else [value] for name, value in given.items() if value}


@require_safe
@page
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """The links of a dashboard that are valid, and those that were so lately."""
    return _list(request, slug)


@require_POST
@page
def create(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a link, and show its address, this once."""
    by = of_visitor(request)
    dashboard, _ = links.listed(by, slug)
    form = LinkForm(dashboard, request.POST)
    if form.is_valid():
        given = form.cleaned_data
        expires_at = timezone.now() + timedelta(days=int(given["days"])) if given["days"] else None
        try:
            link, secret = links.create(by, slug, given["name"], expires_at, given["range"], form.values())
            # Behind the # it is sent to no server, and so is in no log.
            address = request.build_absolute_uri(reverse("link")) + f"#{secret}"
            return _list(request, slug, address=address, name=link.name)
        except Invalid as problem:
            add_errors(form, problem)
    return _list(request, slug, form=form, status=422)


@require_POST
@page
def revoke(request: HttpRequest, slug: str, id: int) -> HttpResponse:
    """Make a link useless."""
    link = links.revoke(of_visitor(request), slug, id)
    messages.success(request, f"The link {link.name} is revoked, also where it is open.")
    return redirect("links", link.dashboard.slug)


def _list(
    request: HttpRequest,
    slug: str,
    *,
    form: LinkForm | None = None,
    address: str = "",
    name: str = "",
    status: int = 200,
) -> HttpResponse:
    dashboard, listed = links.listed(of_visitor(request), slug)
    now = timezone.now().timestamp()
    rows = [
        {
            "link": one.link,
            "is_over": one.is_over,
            "watch": one.watch,
            "by": one.link.by.removeprefix("user "),
            "made": humanize.ago(one.link.created_at, now),
            "used": humanize.ago(one.link.last_used_at, now) if one.link.last_used_at else "never",
            "shows": [one.link.range or "any range", *(f"{name} {', '.join(values)}" for name, values in _fixed(one))],
        }
        for one in listed
    ]
    context = {
        "dashboard": dashboard,
        "rows": rows,
        "form": form or LinkForm(dashboard),
        "address": address,
        "name": name,
        "embed_sites": settings.EMBED_SITES,
    }
    return render(request, "link/list.html", context, status=status)


def _fixed(one: links.Listed) -> list[tuple[str, list[str]]]:
    return sorted(one.link.variables.items())
