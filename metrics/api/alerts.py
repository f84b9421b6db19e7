"""Alerts: what is bad now, and who has taken it."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Query, Router, Schema, Status
from ninja.errors import HttpError
from pydantic import AwareDatetime

from metrics.actions import alert_documents, alert_following
from metrics.actions import alerts as actions
from metrics.api.alert_push import NotAlerts, take
from metrics.api.body import ASKING, CHANGING, ONE, Body, Refused, Text
from metrics.api.push import REFUSALS
from metrics.api.tokens import edit, principal_of, push, read
from metrics.ingest.alert_webhooks import parse

router = Router(tags=["alerts"])

Id = Annotated[int, Path(description="The alert's id.", ge=1, le=2**63 - 1)]
After = Annotated[int | None, Query(description="The number that was next the last time.", ge=0, le=2**63 - 1)]
All = Annotated[bool, Query(description="With those that are ok again.")]


class AlertOut(Schema):
    """An alert: a rule on one series. Times are Unix seconds."""

    id: int
    rule: str
    labels: dict[str, str]
    severity: str
    incident: int | None
    state: str
    since: float
    value: float | None
    unit: str
    annotations: dict[str, str]
    link: str
    acknowledged_by: str
    acknowledged_at: float | None
    acknowledged_until: float | None
    reason: str


class AlertList(Schema):
    alerts: list[AlertOut]


class AlertEvents(Schema):
    """Events of alerts and of incidents, in order; without `after`, or if that is too long ago, what is bad instead."""

    events: list[dict[str, Any]] = Field(description="As over /ws/alerts/: see /api/v1/asyncapi.json.")
    next: int = Field(description="The number to ask for the next ones with, as after.")
    more: bool = Field(description="Whether more are there already.")
    begins: int = Field(description="The number of the first event that is kept.")
    lost: str = Field(description="Why events are missing, as a sentence; empty if none are.")
    alerts: list[AlertOut] | None = Field(description="The alerts that people are told of, instead of events.")
    incidents: list[dict[str, Any]] | None = Field(description="The open incidents, instead of events.")


class Taken(Schema):
    accepted: int


SENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["alerts"],
                    "properties": {
                        "alerts": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string", "minLength": 1, "examples": ["Backup failed"]},
                                    "state": {"type": "string", "examples": ["firing", "resolved"]},
                                    "severity": {"type": "string", "examples": ["critical"]},
                                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                                    "text": {"type": "string"},
                                    "description": {"type": "string"},
                                    "runbook": {"type": "string"},
                                    "link": {"type": "string"},
                                    "value": {"type": ["number", "null"]},
                                    "since": {"anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}]},
                                    "holds": {
                                        "type": ["number", "null"],
                                        "description": "Seconds that it holds without being sent anew; else 7 days.",
                                    },
                                },
                            },
                        }
                    },
                }
            }
        },
    }
}


class Reason(Body):
    reason: Text = Field("", max_length=actions.REASON_MOST, description="Why, or what is being done.")


class Acknowledgement(Reason):
    until: AwareDatetime | None = Field(None, description="Until when; else until it ends.")


@router.get("alerts", auth=read, response={200: AlertList, **ASKING})
def list_alerts(request: HttpRequest, all: All = False) -> dict[str, Any]:
    """The alerts that the token may see and that are not ok, the worst first."""
    return {"alerts": [alert_documents.of_alert(one) for one in actions.current(principal_of(request), all)]}


@router.post("alerts", auth=push, response={202: Taken, frozenset(REFUSALS): Refused}, openapi_extra=SENT)
def send_alerts(request: HttpRequest) -> Status[dict[str, int]]:
    """Take alerts that the sender evaluates: in our form, in those of webhooks, or as to an Alertmanager.

    Those of a batch that can't be taken are refused, with 400; the others are taken.
    """
    try:
        return Status(202, {"accepted": take(request, parse)})
    except NotAlerts as problem:
        raise HttpError(400, f"The body has no alerts: {problem}.") from None


@router.get("alerts/events", auth=read, response={200: AlertEvents, **ASKING})
def list_alert_events(request: HttpRequest, after: After = None) -> dict[str, Any]:
    """Changes of alerts and incidents that people were told of, after a number: 500 at most."""
    page = alert_following.page(principal_of(request), after)
    snapshot = page.start.snapshot
    return {
        "events": page.events,
        "next": page.number,
        "more": page.more,
        "begins": page.start.begins,
        "lost": page.start.lost,
        "alerts": snapshot and snapshot.alerts,
        "incidents": snapshot and snapshot.incidents,
    }


@router.get("alerts/{id}", auth=read, response={200: AlertOut, **ONE})
def get_alert(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One alert."""
    return alert_documents.of_alert(actions.find(principal_of(request), id))


@router.post("alerts/{id}/acknowledge", auth=edit, response={200: AlertOut, **CHANGING})
def acknowledge_alert(request: HttpRequest, id: Id, body: Acknowledgement) -> dict[str, Any]:
    """Take an alert, until it ends or until a time. It is looked at as before."""
    return alert_documents.of_alert(actions.acknowledge(principal_of(request), id, body.reason, body.until))


@router.delete("alerts/{id}/acknowledge", auth=edit, response={200: AlertOut, **ONE})
def give_alert_back(request: HttpRequest, id: Id) -> dict[str, Any]:
    """Take an acknowledgement back."""
    return alert_documents.of_alert(actions.give_back(principal_of(request), id))
