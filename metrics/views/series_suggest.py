"""Suggestions of series, labels and values while somebody types a query."""

import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from metrics.access.policy import SEE, hidden_from, visible
from metrics.access.principal import of_visitor
from metrics.models import Series, Source
from metrics.views.access import page_for
from metrics.widgets import suggestions

TYPED_MOST = 300


@require_safe
@page_for(SEE, Series)
@never_cache
def suggest(request: HttpRequest) -> HttpResponse:
    """The options for what is typed: `q`; with `metric`, `q` is a line of its labels, or with `names` one of these."""
    by = of_visitor(request)
    typed, metric, hidden = request.GET.get("q", "")[:TYPED_MOST], request.GET.get("metric"), hidden_from(by)
    if metric is not None:
        of_metric = suggestions.suggest_names if "names" in request.GET else suggestions.suggest_labels
        found = {"labels": of_metric(metric, typed, hidden)}
        return render(request, "series/_suggestions.html", found)
    names = dict(visible(by, Source).values_list("pk", "name"))
    series, is_more = suggestions.suggest(typed, time.time(), names, hidden)
    return render(request, "series/_suggestions.html", {"series": series, "is_more": is_more})
