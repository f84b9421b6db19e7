"""The page that a shift hands over to the next one; it writes itself."""

import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from metrics.access.principal import of_visitor
from metrics.actions import handovers as actions
from metrics.views.access import page

HOURS = (4, 8, 12, 24, 72)


@require_safe
@page
def handover(request: HttpRequest) -> HttpResponse:
    """The hand-over of the last `?hours=8`, as a page, or with `?format=markdown` as a file."""
    asked = request.GET.get("hours", "")
    is_number = asked.isascii() and asked.isdecimal() and len(asked) < 6
    hours = min(max(int(asked), 1), actions.HOURS_MOST) if is_number else actions.HOURS_USUAL
    text = actions.markdown(of_visitor(request), hours, time.time())
    if request.GET.get("format") == "markdown":
        answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="hand-over.md"'
        return answer
    return render(request, "alert/handover.html", {"text": text, "hours": hours, "choices": HOURS})
