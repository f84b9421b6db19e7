"""How teams answer alerts: how they gather them, and who is told step by step."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status

from metrics.actions import escalation_specs as actions
from metrics.alerts.escalation import Quiet, Step, meaning
from metrics.api.body import CHANGING, ONE, Body, Text
from metrics.api.tokens import edit, principal_of, read
from metrics.models import Escalation

router = Router(tags=["alerts"])

INSTALLATION = "installation"
TeamName = Annotated[
    Text, Path(description="Name of a team, or installation for all that say nothing.", max_length=100)
]


class EscalationIn(Body):
    """How a team answers; the docs on alerts describe it. A field that is left out has its default."""

    group_by: list[Text] | None = None
    gather: Text | None = None
    steps: list[dict[str, Any]] | None = None
    repeat: Text | None = None
    quiet: dict[str, Any] | None = None


class EscalationOut(Schema):
    """How a team answers, and what that `means` in a sentence; `own` says whether it says so itself."""

    team: str
    own: bool
    means: str
    group_by: list[str]
    gather: str
    steps: list[Step]
    repeat: str | None
    quiet: Quiet | None


@router.get("escalations/{team}", auth=read, response={200: EscalationOut, **ONE}, by_alias=True)
def get_escalation(request: HttpRequest, team: TeamName) -> dict[str, Any]:
    """How a team answers."""
    return _out(actions.find(principal_of(request), _name(team)))


@router.put("escalations/{team}", auth=edit, response={200: EscalationOut, **CHANGING}, by_alias=True)
def put_escalation(request: HttpRequest, team: TeamName, body: EscalationIn) -> dict[str, Any]:
    """Have a team answer in this way."""
    document = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    return _out(actions.put(principal_of(request), _name(team), document))


@router.delete("escalations/{team}", auth=edit, response={204: None, **ONE})
def reset_escalation(request: HttpRequest, team: TeamName) -> Status[None]:
    """Have a team answer as the installation does again, and that as usual."""
    actions.reset(principal_of(request), _name(team))
    return Status(204, None)


def _name(team: str) -> str:
    return "" if team == INSTALLATION else team


def _out(escalation: Escalation) -> dict[str, Any]:
    return {
        "team": escalation.team.name if escalation.team else INSTALLATION,
        "own": escalation.pk is not None,
        "means": meaning(actions.spec_of(escalation)),
        **actions.facts(escalation),
    }
