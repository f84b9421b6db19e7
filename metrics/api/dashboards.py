"""Managing dashboards, their widgets and their revisions.

A change says in If-Match which revision it is based on (RFC 9110, 13.1.1): who was slower is refused with 412.
"""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema, Status
from ninja.errors import HttpError

from metrics.access.policy import visible
from metrics.access.sharing import Access, Text
from metrics.actions import dashboards as actions
from metrics.api.body import MAKING, ONE, READING, Body, Refused
from metrics.api.tokens import edit, principal_of, read
from metrics.models import Dashboard, Revision
from metrics.widgets.spec import DashboardSpec, OnPhone, WidgetSpec
from metrics.widgets.variables import VariableSpec

router = Router(tags=["manage"], auth=read)

CHANGING: dict[Any, Any] = {frozenset({400, 401, 403, 404, 412, 413, 422, 428, 503}): Refused}
ETAG = re.compile(r'^(?:W/)?"(\d{1,9})"$')


class DashboardChanges(Body):
    """The fields to set; what is left out stays as it is. `widgets` are all of them, matched by their keys."""

    slug: str = ""
    title: Text = ""
    description: Text = ""
    range: str = ""
    tags: list[Text] = Field([])
    access: Access = Access()
    variables: list[VariableSpec] = Field([])
    widgets: list[WidgetSpec] = Field([])


class WidgetChanges(Body):
    """The fields of a widget to set; what is left out stays as it is, and a config is replaced as a whole."""

    key: str = ""
    kind: str = ""
    title: Text = ""
    config: dict[str, Any] = Field({})
    x: int = 0
    y: int = 0
    w: int = 1
    h: int = 1
    repeat: str = ""
    phone: OnPhone = Field(default_factory=OnPhone)


class Copy(Body):
    """A copy's own address and title."""

    slug: str
    title: Text


class DashboardOut(DashboardSpec):
    """A dashboard, and the number of its newest revision, which is the ETag as well."""

    id: int
    revision: int


class DashboardList(Schema):
    dashboards: list[DashboardOut]


class DeletedOut(Schema):
    """A dashboard that can still be restored; `deleted_at` is Unix seconds."""

    id: int
    title: str
    deleted_at: float


class DeletedList(Schema):
    deleted: list[DeletedOut]


class RevisionOut(Schema):
    """A revision: its number, the user and the time; `at` is Unix seconds."""

    number: int
    by: str
    at: float
    summary: str


class RevisionWhole(RevisionOut):
    spec: dict[str, Any] = Field(description="The dashboard as it was.")


class RevisionList(Schema):
    revisions: list[RevisionOut]


class WidgetKey(Schema):
    key: str


class WidgetOut(WidgetSpec):
    """A widget, and the number of the newest revision of its dashboard, which is the ETag as well."""

    revision: int


@router.get("dashboards", response={200: DashboardList, **READING})
def list_dashboards(request: HttpRequest) -> dict[str, Any]:
    """The dashboards that the token may see, by title."""
    seen = visible(principal_of(request), Dashboard)
    return {"dashboards": [_out(one) for one in seen.prefetch_related("widgets", "teams")]}


@router.post("dashboards", response={201: DashboardOut, **MAKING}, auth=edit)
def create_dashboard(request: HttpRequest, response: HttpResponse, body: DashboardSpec) -> Status[dict[str, Any]]:
    """Make a dashboard with its widgets; those without a place stand in the order given."""
    return Status(201, tagged(response, actions.create(principal_of(request), body.model_dump())))


@router.get("deleted-dashboards", response={200: DeletedList, **READING})
def list_deleted_dashboards(request: HttpRequest) -> dict[str, Any]:
    """The dashboards that were deleted in the last 30 days, the newest first."""
    return {
        "deleted": [
            {"id": one.pk, "title": one.title, "deleted_at": one.deleted_at.timestamp()}
            for one in actions.deleted(principal_of(request))
            if one.deleted_at
        ]
    }


@router.post("deleted-dashboards/{id}/restore", response={200: DashboardOut, **CHANGING}, auth=edit)
def restore_dashboard(request: HttpRequest, response: HttpResponse, id: int) -> dict[str, Any]:
    """Bring a deleted dashboard back as it was."""
    return tagged(response, actions.restore(principal_of(request), id))


@router.get("dashboards/{slug}", response={200: DashboardOut, **ONE})
def get_dashboard(request: HttpRequest, response: HttpResponse, slug: str) -> dict[str, Any]:
    """One dashboard, by its slug or by one that it had before."""
    return tagged(response, actions.find(principal_of(request), slug))


@router.patch("dashboards/{slug}", response={200: DashboardOut, **CHANGING}, auth=edit)
def change_dashboard(request: HttpRequest, response: HttpResponse, slug: str, body: DashboardChanges) -> dict[str, Any]:
    """Change what is given, and leave the rest."""
    changes = body.model_dump(exclude_unset=True)
    return tagged(response, actions.change(principal_of(request), slug, changes, seen_revision(request)))


@router.delete("dashboards/{slug}", response={204: None, **CHANGING}, auth=edit)
def delete_dashboard(request: HttpRequest, slug: str) -> Status[None]:
    """Delete a dashboard; for 30 days it can be restored."""
    actions.delete(principal_of(request), slug, seen_revision(request))
    return Status(204, None)


@router.post("dashboards/{slug}/copy", response={201: DashboardOut, **CHANGING}, auth=edit)
def copy_dashboard(request: HttpRequest, response: HttpResponse, slug: str, body: Copy) -> Status[dict[str, Any]]:
    """Make a dashboard with the widgets of this one."""
    return Status(201, tagged(response, actions.duplicate(principal_of(request), slug, body.slug, body.title)))


@router.get("dashboards/{slug}/revisions", response={200: RevisionList, **ONE})
def list_revisions(request: HttpRequest, slug: str) -> dict[str, Any]:
    """The newest 200 revisions, the newest first."""
    return {
        "revisions": [_revision(one) for one in actions.find(principal_of(request), slug).revisions.defer("spec")[:200]]
    }


@router.get("dashboards/{slug}/revisions/{number}", response={200: RevisionWhole, **ONE})
def get_revision(request: HttpRequest, slug: str, number: int) -> dict[str, Any]:
    """One revision, with the dashboard as it was."""
    found = actions.find_revision(actions.find(principal_of(request), slug), number)
    return {**_revision(found), "spec": found.spec}


@router.post("dashboards/{slug}/revisions/{number}/restore", response={200: DashboardOut, **CHANGING}, auth=edit)
def restore_revision(request: HttpRequest, response: HttpResponse, slug: str, number: int) -> dict[str, Any]:
    """Give the dashboard the state of this revision, as a new revision."""
    return tagged(response, actions.restore_revision(principal_of(request), slug, number, seen_revision(request)))


@router.post("dashboards/{slug}/widgets", response={201: WidgetKey, **CHANGING}, auth=edit)
def add_widget(request: HttpRequest, response: HttpResponse, slug: str, body: WidgetSpec) -> Status[dict[str, Any]]:
    """Add a widget, in the first gap if it has no place."""
    dashboard, key = actions.add_widget(principal_of(request), slug, body.model_dump(), seen_revision(request))
    _tag(response, dashboard)
    return Status(201, {"key": key})


@router.get("dashboards/{slug}/widgets/{key}", response={200: WidgetOut, **ONE})
def get_widget(request: HttpRequest, response: HttpResponse, slug: str, key: str) -> dict[str, Any]:
    """One widget; its ETag is that of its dashboard."""
    dashboard, widget = actions.find_widget(principal_of(request), slug, key)
    _tag(response, dashboard)
    return {"revision": dashboard.revision, **widget.model_dump()}


@router.patch("dashboards/{slug}/widgets/{key}", response={204: None, **CHANGING}, auth=edit)
def change_widget(
    request: HttpRequest, response: HttpResponse, slug: str, key: str, body: WidgetChanges
) -> Status[None]:
    """Change what is given of a widget, and leave the rest."""
    changes, seen = body.model_dump(exclude_unset=True), seen_revision(request)
    _tag(response, actions.change_widget(principal_of(request), slug, key, changes, seen))
    return Status(204, None)


@router.delete("dashboards/{slug}/widgets/{key}", response={204: None, **CHANGING}, auth=edit)
def delete_widget(request: HttpRequest, response: HttpResponse, slug: str, key: str) -> Status[None]:
    """Remove a widget; restoring a revision brings it back."""
    _tag(response, actions.delete_widget(principal_of(request), slug, key, seen_revision(request)))
    return Status(204, None)


def seen_revision(request: HttpRequest) -> int | None:
    """Return the revision that the change is based on; None for `*`, which stands for any."""
    tag = request.headers.get("If-Match", "").strip()
    if tag == "*":
        return None
    found = ETAG.match(tag)
    if found is None:
        sentence = 'The header If-Match is missing; send the ETag of the dashboard that you change, such as "3".'
        raise HttpError(428, sentence)
    return int(found[1])


def tagged(response: HttpResponse, dashboard: Dashboard) -> dict[str, Any]:
    _tag(response, dashboard)
    return _out(dashboard)


def _tag(response: HttpResponse, dashboard: Dashboard) -> None:
    response["ETag"] = f'"{dashboard.revision}"'


def _out(dashboard: Dashboard) -> dict[str, Any]:
    spec = actions.spec_of(dashboard).model_dump()
    return {"id": dashboard.pk, "revision": dashboard.revision, **spec}


def _revision(revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "by": revision.by,
        "at": revision.at.timestamp(),
        "summary": revision.summary,
    }
