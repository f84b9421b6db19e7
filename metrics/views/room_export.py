"""A room as a file."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from metrics.access.principal import of_visitor
from metrics.actions import room_export
from metrics.actions.errors import Invalid
from metrics.streaming import streamed
from metrics.views.access import page


@require_safe
@page
def export(request: HttpRequest, id: int) -> HttpResponseBase:
    """A room as `?format=markdown`, or else `html`, of the span between `from` and `until` if they are given."""
    format = request.GET.get("format", "html")
    since, until = (request.GET.get(name, "") for name in ("from", "until"))
    origin = request.build_absolute_uri("/")[:-1]
    try:
        what = room_export.export(of_visitor(request), id, format, since, until, origin)
    except Invalid as problem:
        return HttpResponse(str(problem), status=422, content_type="text/plain; charset=utf-8")
    return streamed(request, what.parts(), what.type, what.name)
