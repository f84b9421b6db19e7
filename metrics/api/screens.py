"""Screens: paired displays, and what each of them shows."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Router, Schema, Status

from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import screens as actions
from metrics.actions.teams import access_of
from metrics.api.body import CHANGING, ONE, READING, TELLING, Body, Text
from metrics.api.tokens import edit, principal_of
from metrics.models import Screen
from metrics.times import seconds_of

router = Router(tags=["manage"], auth=edit)

Id = Annotated[int, Path(description="The screen's id.", ge=1, le=2**63 - 1)]
DASHBOARD = 'The slug of the dashboard that it shows; "" for none.'
RANGE = 'The range that it shows; "" for the usual one of the dashboard.'
ACCESS = "The people whose editors say what it shows."


class ScreenIn(Body):
    """The display that shows `code`, and what it is to show."""

    code: Text = Field(max_length=100, description="The code, with or without its hyphen, in capitals or not.")
    name: Text
    dashboard: Text = Field("", description=DASHBOARD)
    range: str = Field("", description=RANGE)
    access: Access | None = Field(None, description=f"{ACCESS} Else the teams of the token, or everyone.")


class ScreenChanges(Body):
    """Some of the fields; those that are left out stay as they are."""

    name: Text | None = None
    dashboard: Text | None = Field(None, description=DASHBOARD)
    range: str | None = Field(None, description=RANGE)
    access: Access | None = Field(None, description=ACCESS)


class ScreenOut(Schema):
    """A screen; times are Unix seconds. It `is_open` when a page of it is, null if Redis does not say.

    `dashboard` is null if it shows none, or one that the token may not see. `paired_from` is the address from which the
    display asked for its code, if it is known.
    """

    id: int
    name: str
    dashboard: str | None
    range: str
    access: Access
    by: str
    paired_from: str | None
    created_at: float
    last_used_at: float | None
    is_open: bool | None
    is_revoked: bool


class ScreenList(Schema):
    screens: list[ScreenOut]


@router.get("screens", response={200: ScreenList, **READING})
def list_screens(request: HttpRequest) -> dict[str, Any]:
    """The screens that the token may see, those that were revoked in the last 30 days included."""
    return {"screens": [_out(one) for one in actions.listed(principal_of(request))]}


@router.get("screens/{id}", response={200: ScreenOut, **ONE})
def get_screen(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One screen."""
    by = principal_of(request)
    return _out_of(by, actions.find(by, id))


@router.post("screens", response={201: ScreenOut, **TELLING})
def pair_screen(request: HttpRequest, body: ScreenIn) -> Status[dict[str, Any]]:
    """Pair the display that shows a code at /screen/."""
    by = principal_of(request)
    screen = actions.pair(by, body.code, body.name, body.dashboard, body.range, body.access)
    return Status(201, _out_of(by, screen))


@router.patch("screens/{id}", response={200: ScreenOut, **CHANGING})
def change_screen(request: HttpRequest, id: Id, body: ScreenChanges) -> dict[str, Any]:
    """Change what is given, such as the dashboard; the open page follows."""
    by = principal_of(request)
    given = {name: getattr(body, name) for name in body.model_fields_set}
    changes = {name: value for name, value in given.items() if value is not None}
    return _out_of(by, actions.change(by, id, changes))


@router.post("screens/{id}/show-name", response={202: None, **ONE})
def show_name(request: HttpRequest, id: Id) -> Status[None]:
    """Have a screen show its name for ten seconds, where it is open."""
    actions.show_name(principal_of(request), id)
    return Status(202, None)


@router.delete("screens/{id}", response={204: None, **ONE})
def revoke_screen(request: HttpRequest, id: Id) -> Status[None]:
    """Make the credential of a screen useless; its display shows a code again."""
    actions.revoke(principal_of(request), id)
    return Status(204, None)


def _out_of(by: Principal, screen: Screen) -> dict[str, Any]:
    return _out(actions.described(by, [screen])[0])


def _out(listed: actions.Listed) -> dict[str, Any]:
    screen, dashboard = listed.screen, listed.dashboard
    return {
        "id": screen.pk,
        "name": screen.name,
        "dashboard": None if dashboard is None else dashboard.slug,
        "range": screen.range,
        "access": access_of(screen),
        "by": screen.by,
        "paired_from": screen.paired_from,
        "created_at": seconds_of(screen.created_at),
        "last_used_at": seconds_of(screen.last_used_at),
        "is_open": listed.is_open,
        "is_revoked": screen.revoked_at is not None,
    }
