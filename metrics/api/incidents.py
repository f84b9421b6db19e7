"""Incidents: alerts that are handled together, and what people do about them."""

from collections.abc import Sequence
from typing import Annotated, Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from ninja import Field, Path, Query, Router, Schema

from metrics.actions import alert_documents
from metrics.actions import incidents as actions
from metrics.actions.gathering import TITLE_MOST
from metrics.api.alerts import Acknowledgement, Reason
from metrics.api.body import ASKING, CHANGING, ONE, Body, Text
from metrics.api.tokens import edit, principal_of, read
from metrics.models import Incident

router = Router(tags=["alerts"])

Id = Annotated[int, Path(description="The incident's id.", ge=1, le=2**63 - 1)]
All = Annotated[bool, Query(description="With those that are over.")]


class SightingOut(Schema):
    """A person's tab that had drawn it, or a wall where they are signed in."""

    kind: str = Field(description="tab or wall.")
    name: str = Field(description="The name of the person.")
    dashboard: str = Field(description="Address of the dashboard; empty for the page of the incident, or of its alert.")
    at: float


class IncidentOut(Schema):
    """An incident. Times are Unix seconds; `room` is the room that has its timeline."""

    id: int
    title: str
    severity: str
    teams: list[str]
    alerts: list[int]
    bad: int = Field(description="How many of its alerts are bad.")
    room: int
    checklist: list[dict[str, Any]]
    opened_at: float
    resolved_at: float | None
    resolved_by: str
    acknowledged_by: str
    acknowledged_at: float | None
    acknowledged_until: float | None
    reason: str
    seen: list[SightingOut]


class IncidentList(Schema):
    incidents: list[IncidentOut]


class HandOver(Reason):
    to: Text = Field(max_length=150, description="The name of a user.")


class IncidentChanges(Body):
    """Some of the fields of an incident; those that are left out stay as they are."""

    title: Text | None = Field(None, max_length=TITLE_MOST)
    severity: Text | None = Field(None, description="info, warning or critical.")
    checklist: list[Text] | None = Field(
        None, description="Steps that are to be done; a step that was done stays done, by its text."
    )


@router.get("incidents", auth=read, response={200: IncidentList, **ASKING})
def list_incidents(request: HttpRequest, all: All = False) -> dict[str, Any]:
    """The incidents that the token may see: those that are open first, of those the newest."""
    return {"incidents": _outs(actions.listed(principal_of(request), all))}


@router.get("incidents/{id}", auth=read, response={200: IncidentOut, **ONE})
def get_incident(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One incident."""
    return _out(actions.find(principal_of(request), id))


@router.patch("incidents/{id}", auth=edit, response={200: IncidentOut, **CHANGING})
def change_incident(request: HttpRequest, id: Id, body: IncidentChanges) -> dict[str, Any]:
    """Change what is given of an incident."""
    changes = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    return _out(actions.change(principal_of(request), id, changes))


@router.post("incidents/{id}/acknowledge", auth=edit, response={200: IncidentOut, **CHANGING})
def acknowledge_incident(request: HttpRequest, id: Id, body: Acknowledgement) -> dict[str, Any]:
    """Take an incident with its alerts, be it somebody else's, until it ends or until a time."""
    return _out(actions.acknowledge(principal_of(request), id, body.reason, body.until))


@router.delete("incidents/{id}/acknowledge", auth=edit, response={200: IncidentOut, **ONE})
def give_incident_back(request: HttpRequest, id: Id) -> dict[str, Any]:
    """Take an acknowledgement back."""
    return _out(actions.give_back(principal_of(request), id))


@router.post("incidents/{id}/hand-over", auth=edit, response={200: IncidentOut, **CHANGING})
def hand_incident_over(request: HttpRequest, id: Id, body: HandOver) -> dict[str, Any]:
    """Give an incident to somebody else, who is told."""
    return _out(actions.hand_over(principal_of(request), id, body.to, body.reason))


@router.post("incidents/{id}/resolve", auth=edit, response={200: IncidentOut, **CHANGING})
def resolve_incident(request: HttpRequest, id: Id, body: Reason) -> dict[str, Any]:
    """End an incident, whatever its alerts do."""
    return _out(actions.resolve(principal_of(request), id, body.reason))


@router.post("incidents/{id}/reopen", auth=edit, response={200: IncidentOut, **CHANGING})
def reopen_incident(request: HttpRequest, id: Id, body: Reason) -> dict[str, Any]:
    """Open an incident again."""
    return _out(actions.reopen(principal_of(request), id, body.reason))


def _out(incident: Incident) -> dict[str, Any]:
    (one,) = _outs([incident])
    return one


def _outs(incidents: Sequence[Incident]) -> list[dict[str, Any]]:
    prefetch_related_objects(incidents, "sightings")
    counts, ids = actions.counts(incidents), actions.ids_of_alerts(incidents)
    return [_document(one, ids[one.pk], counts[one.pk].bad) for one in incidents]


def _document(incident: Incident, alerts: Sequence[int], bad: int) -> dict[str, Any]:
    return {
        **alert_documents.of_incident(incident, [team.name for team in incident.teams.all()]),
        "alerts": alerts,
        "bad": bad,
        "room": incident.room.pk,
        "seen": [
            {"kind": one.kind, "name": one.name, "dashboard": one.dashboard, "at": one.at.timestamp()}
            for one in incident.sightings.all()
        ],
    }
