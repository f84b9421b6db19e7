"""Managing rules of alerts."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Router, Schema, Status

from metrics.access.policy import visible
from metrics.access.sharing import Access
from metrics.actions import rules as actions
from metrics.actions.teams import access_of
from metrics.alerts.registry import offered
from metrics.alerts.rule import Behind
from metrics.api.body import CHANGING, MAKING, ONE, READING, Body, Text
from metrics.api.tokens import edit, principal_of, read
from metrics.kind_groups import CONDITIONS
from metrics.models import Rule

router = Router(tags=["alerts"], auth=edit)

Id = Annotated[int, Path(description="The rule's id.", ge=1, le=2**63 - 1)]


class RuleFields(Body):
    """A rule; the docs on alerts describe its query and its conditions."""

    query: dict[str, Any] | None = Field(None, description="The series to look at: metric, labels, function, over.")
    queries: list[dict[str, Any]] | None = Field(None, description="More queries, for the expression; each has a name.")
    expression: Text | None = Field(
        None, description="A calculation with the named queries, whose result is looked at instead."
    )
    unit: Text | None = Field(None, description="Unit of what is calculated.")
    condition: dict[str, Any] | None = Field(None, description="The condition that is bad: a kind, and its fields.")
    for_: Text | None = Field(None, alias="for", description="How long it has to be bad, such as 5m.")
    clear_for: Text | None = Field(None, description="How long it has to be good again, such as 5m.")
    no_data: Text | None = Field(None, description="The state of a series without samples: nodata, ok or keep.")
    severity: Text | None = Field(None, description="info, warning or critical.")
    labels: dict[Text, Text] | None = Field(None, description="Added to the series' own.")
    text: Text | None = Field(None, description="The text to say; {value} and {label} are replaced.")
    runbook: Text | None = Field(None, description="Address of a page that says what to do.")
    checklist: list[Text] | None = Field(
        None, description="Steps that are to be done; each incident begins with these."
    )
    behind: list[Behind] | None = Field(None, description="Rules in front: while they tell people, this one does not.")
    enabled: bool | None = None
    team: Text | None = Field(None, description="The one team that is told, instead of access.")
    access: Access | None = Field(None, description="The people who may see it; its teams are told.")

    def document(self) -> dict[str, Any]:
        return self.dict(exclude_unset=True, by_alias=True, exclude={"team", "access"})

    def shared_with(self, *, everyone: bool = True) -> Access | None:
        """Return the people who may see it; with a team alone, `everyone` or that team."""
        return Access(everyone=everyone, teams=[self.team]) if self.team else self.access


class RuleIn(RuleFields):
    name: Text = Field(max_length=100)


class RuleChanges(RuleFields):
    """Some of the fields of a rule; those that are left out stay as they are."""

    name: Text | None = Field(None, max_length=100)
    revision: int | None = Field(
        None, description="The revision that this is based on: refused if there is a newer one."
    )


class RuleOut(Schema):
    id: int
    name: str
    query: dict[str, Any]
    queries: list[dict[str, Any]]
    expression: str
    unit: str | None = None
    condition: dict[str, Any]
    for_: str | None = Field(None, alias="for")
    clear_for: str | None = None
    no_data: str
    severity: str
    labels: dict[str, str]
    text: str
    runbook: str
    checklist: list[str]
    behind: list[Behind]
    enabled: bool
    access: Access
    revision: int


class RuleList(Schema):
    rules: list[RuleOut]


class ConditionKind(Schema):
    """A condition, and what its fields are, as a JSON schema."""

    kind: str
    group: str
    about: str
    config: dict[str, Any] = Field(alias="schema")


class ConditionList(Schema):
    conditions: list[ConditionKind]


@router.get("conditions", response={200: ConditionList, **READING}, by_alias=True)
def list_conditions(request: HttpRequest) -> dict[str, Any]:
    """The conditions that a rule may have."""
    return {"conditions": [actions.about(kind) for kind in CONDITIONS.in_order(offered().values())]}


@router.post("rules", response={201: RuleOut, **MAKING}, by_alias=True)
def create_rule(request: HttpRequest, body: RuleIn) -> Status[dict[str, Any]]:
    """Make a rule, which looks at samples from now on."""
    made = actions.create(principal_of(request), body.document(), body.shared_with())
    return Status(201, _out(made))


@router.get("rules", auth=read, response={200: RuleList, **READING}, by_alias=True)
def list_rules(request: HttpRequest) -> dict[str, Any]:
    """The rules that the token may see, by name."""
    return {"rules": [_out(one) for one in visible(principal_of(request), Rule).prefetch_related("teams")]}


@router.get("rules/{id}", auth=read, response={200: RuleOut, **ONE}, by_alias=True)
def get_rule(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One rule."""
    return _out(actions.find(principal_of(request), id))


@router.patch("rules/{id}", response={200: RuleOut, **CHANGING}, by_alias=True)
def change_rule(request: HttpRequest, id: Id, body: RuleChanges) -> dict[str, Any]:
    """Change what is given; the rest stays, and so do its alerts."""
    document = body.document()
    document.pop("revision", None)
    by = principal_of(request)
    access = body.shared_with(everyone=actions.find(by, id).for_everyone)
    return _out(actions.change(by, id, document, access, body.revision))


@router.delete("rules/{id}", response={204: None, **ONE})
def delete_rule(request: HttpRequest, id: Id) -> Status[None]:
    """Remove a rule with its alerts."""
    actions.delete(principal_of(request), id)
    return Status(204, None)


def _out(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.pk,
        **actions.whole(rule),
        "access": access_of(rule),
        "revision": rule.revision,
    }
