"""A dashboard as a file to keep."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from metrics.access.principal import of_visitor
from metrics.actions import dashboard_files as actions
from metrics.actions import dashboards
from metrics.views.access import page


@require_safe
@page
def export(request: HttpRequest, slug: str) -> HttpResponse:
    """A dashboard as a YAML file."""
    found = dashboards.find(of_visitor(request), slug)
    name = f'attachment; filename="{found.slug}{actions.ENDING}"'
    text = actions.text_of(dashboards.spec_of(found))
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers={"Content-Disposition": name})
