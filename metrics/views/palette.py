"""Finding anything: the page, and the options of the dialog that `Ctrl+K` opens."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from metrics.access.policy import CREATE, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import palette as actions
from metrics.actions.palette import Item
from metrics.models import Dashboard
from metrics.views import explore
from metrics.views.access import page
from metrics.views.menu import pages


@require_safe
@page
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """Everything whose name has the words of `q`; for the dialog, the options alone."""
    by, text = of_visitor(request), request.GET.get("q", "").strip()
    found = actions.found(by, text, _pages(by))
    context = {"groups": [(group, [(item, _path(item)) for item in group.items]) for group in found], "text": text}
    is_part = bool(getattr(request, "htmx", False))
    return render(request, f"search/{'_options' if is_part else 'page'}.html", context)


def _path(item: Item) -> str:
    return explore.address_of(item.metric, item.labels) if item.metric else item.path


def _pages(by: Principal) -> list[Item]:
    own = [
        ("Annotations", "annotations"),
        ("Account", "account"),
        ("Notifications", "notifications"),
        ("How you are told", "notification-settings"),
    ]
    new = [("Add a dashboard", "dashboard-new")] if may(by, CREATE, Dashboard) else []
    named = [*((title, name) for title, name, _ in pages(by)), *new, *own]
    return [Item(title, path=reverse(name)) for title, name in named]
