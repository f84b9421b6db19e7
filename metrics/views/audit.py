"""The audit log: what people did, filtered by person, thing and time; as a page, and as JSON lines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metrics.access.policy import SEE
from metrics.models import AuditEntry
from metrics.streaming import streamed
from metrics.views.access import page_for

LISTED = 100
EXPORTED_AT_ONCE = 1000
VALUE_SHOWN = 300


class Filter(forms.Form):
    """Which entries are wanted; what is left empty does not matter."""

    by = forms.CharField(required=False, max_length=200, label="Who")
    thing = forms.CharField(required=False, max_length=200, label="What")
    since = forms.DateField(required=False, label="From", widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(required=False, label="To", widget=forms.DateInput({"type": "date"}))

    def entries(self) -> QuerySet[AuditEntry]:
        """Return those, the newest first; none if the form is wrong."""
        if not self.is_valid():
            return AuditEntry.objects.none()
        wanted, given = Q(), self.cleaned_data
        if given["by"]:
            wanted &= Q(by__icontains=given["by"])
        if given["thing"]:
            wanted &= Q(name__icontains=given["thing"]) | Q(noun__iexact=given["thing"])
        if given["since"]:
            wanted &= Q(at__gte=_midnight(given["since"]))
        if given["until"]:
            wanted &= Q(at__lt=_midnight(given["until"] + timedelta(days=1)))
        return AuditEntry.objects.filter(wanted).order_by("-id")


@dataclass(frozen=True, slots=True)
class Change:
    """One field as it was and as it became, as texts; None where there was no such thing, or is none."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One entry, and what it changed."""

    entry: AuditEntry
    changes: tuple[Change, ...]


@require_safe
@page_for(SEE, AuditEntry)
def index(request: HttpRequest) -> HttpResponse:
    """The newest entries that are wanted, or those older than `?before=`, an entry's id."""
    form, before = Filter(request.GET), request.GET.get("before", "")
    found = form.entries()
    if before.isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    entries = list(found[: LISTED + 1])
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "form": form,
        "rows": [Row(one, tuple(changes_of(one))) for one in entries[:LISTED]],
        "older": entries[LISTED - 1].pk if len(entries) > LISTED else None,
        "query": query.urlencode(),
        "is_filtered": any(query.values()),
    }
    return render(request, "audit/list.html", context, status=422 if form.errors else 200)


@require_safe
@page_for(SEE, AuditEntry)
def export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Every entry that is wanted, the oldest first, a JSON object a line."""
    form = Filter(request.GET)
    if not form.is_valid():
        return render(request, "audit/list.html", {"form": form}, status=422)
    name = f"audit-{timezone.localdate():%Y-%m-%d}.jsonl"
    return streamed(request, _lines(form.entries().order_by("id")), "application/x-ndjson", name)


def changes_of(entry: AuditEntry) -> Iterator[Change]:
    """Yield the fields of `entry`, in the order of their names."""
    before, after = entry.before or {}, entry.after or {}
    for field in sorted({*before, *after}):
        yield Change(field, _text(before, field), _text(after, field))


def _text(fields: dict[str, Any], name: str) -> str | None:
    if name not in fields:
        return None
    value = fields[name]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}…"


def _lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    for one in entries.iterator(EXPORTED_AT_ONCE):
        line = {
            "id": one.pk,
            "at": one.at.isoformat(),
            "by": one.by,
            "address": one.address,
            "verb": one.verb,
            "noun": one.noun,
            "thing": one.thing,
            "name": one.name,
            "before": one.before,
            "after": one.after,
        }
        yield json.dumps(line, ensure_ascii=False) + "\n"


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))
