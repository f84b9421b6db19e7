"""The page that says what people are not being told, and why."""

import time
from collections import Counter

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from metrics.access.principal import of_visitor
from metrics.actions.untold import untold
from metrics.views import humanize
from metrics.views.access import page
from metrics.widgets.untold import WORDS


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """Everything that keeps quiet, the oldest first; htmx fetches the rows anew."""
    now = time.time()
    found = untold(of_visitor(request), now)
    kind, counts = request.GET.get("kind", ""), Counter[str]()
    for one in found:
        counts[one.kind] += one.count
    rows = [
        {
            "one": one,
            "word": WORDS[one.kind][0],
            "age": humanize.age(max(0.0, now - one.since.timestamp())) if one.since else "",
            "left": humanize.age(max(0.0, one.until.timestamp() - now)) if one.until else "",
            "last": humanize.ago(one.last, now),
        }
        for one in found
        if kind in ("", one.kind)
    ]
    context = {
        "rows": rows,
        "total": counts.total(),
        "kind": kind,
        "kinds": sorted(counts.items()),
        "withheld": sum(one.withheld for one in found),
    }
    part = getattr(request, "htmx", False)
    return render(request, "untold/_rows.html" if part else "untold/page.html", context)
