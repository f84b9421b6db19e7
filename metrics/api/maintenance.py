"""Maintenance: windows in which nobody is told of what matches."""

import time
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Router, Schema, Status

from metrics.access.sharing import Access
from metrics.actions import maintenance as actions
from metrics.actions import silences, withholding
from metrics.actions.errors import Invalid
from metrics.actions.maintenance import Window
from metrics.actions.teams import access_of
from metrics.alerts import matchers
from metrics.api.body import CHANGING, MAKING, ONE, READING, Body, Text
from metrics.api.silences import GIVEN, Given, MatcherIn, read_matchers
from metrics.api.tokens import edit, principal_of, read
from metrics.every import seconds
from metrics.models import Maintenance
from metrics.times import seconds_of

router = Router(tags=["alerts"])

Id = Annotated[int, Path(description="The maintenance's id.", ge=1, le=2**63 - 1)]
WINDOWS_LISTED = 10


class WindowFields(Body):
    time_zone: Text = Field("UTC", max_length=50, description="Where the clocks hang.")
    start: Text | None = Field(None, max_length=30, description="Local time at which the first begins.")
    lasts: Text = Field("1h", max_length=20, description="How long each is, such as 90m.")
    repeat: Text = Field("", max_length=actions.REPEAT_MOST, description="Rule (RRULE) by which it comes again.")
    url: Text = Field("", max_length=2000, description="Instead of a start: the address of a calendar.")


class MaintenanceIn(WindowFields):
    matchers: Given = Field(description=GIVEN)
    comment: Text = Field(max_length=silences.COMMENT_MOST, description="The work that is done.")
    access: Access | None = Field(None, description="The people who may see it.")


class MaintenanceChanges(Body):
    """Some of the fields; those that are left out stay as they are."""

    matchers: Given | None = Field(None, description=GIVEN)
    comment: Text | None = Field(None, max_length=silences.COMMENT_MOST, description="The work that is done.")
    time_zone: Text | None = Field(None, max_length=50, description="Where the clocks hang.")
    start: Text | None = Field(None, max_length=30, description="Local time at which the first begins.")
    lasts: Text | None = Field(None, max_length=20, description="How long each is, such as 90m.")
    repeat: Text | None = Field(None, max_length=actions.REPEAT_MOST, description="Rule by which it comes again.")
    url: Text | None = Field(None, max_length=2000, description="Instead of a start: the address of a calendar.")
    enabled: bool | None = None
    access: Access | None = Field(None, description="The people who may see it.")


class WindowOut(Schema):
    """A window, in Unix seconds."""

    start: float
    end: float


class MaintenanceOut(Schema):
    """Maintenance. `calendar` is where one elsewhere is; `problem` is why that can't be read."""

    id: int
    matchers: list[MatcherIn]
    comment: str
    by: str
    time_zone: str
    start: str
    lasts_s: int
    repeat: str
    calendar: str
    problem: str
    good_at: float | None
    enabled: bool
    windows: list[WindowOut]
    access: Access


class MaintenanceList(Schema):
    maintenance: list[MaintenanceOut]


@router.get("maintenance", auth=read, response={200: MaintenanceList, **READING})
def list_maintenance(request: HttpRequest) -> dict[str, Any]:
    """All that the token may see, with the windows to come."""
    rows = list(actions.listed(principal_of(request)))
    return {"maintenance": _out(rows)}


@router.get("maintenance/{id}", auth=read, response={200: MaintenanceOut, **ONE})
def get_maintenance(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One, with the windows to come."""
    return _out([actions.find(principal_of(request), id)])[0]


@router.post("maintenance", auth=edit, response={201: MaintenanceOut, **MAKING})
def create_maintenance(request: HttpRequest, body: MaintenanceIn) -> Status[dict[str, Any]]:
    """Have nobody told of the alerts that match, in windows."""
    window = _window(body.time_zone, body.start, body.lasts, body.repeat, body.url)
    made = actions.create(principal_of(request), read_matchers(body.matchers), window, body.comment, body.access)
    return Status(201, _out([made])[0])


@router.patch("maintenance/{id}", auth=edit, response={200: MaintenanceOut, **CHANGING})
def change_maintenance(request: HttpRequest, id: Id, body: MaintenanceChanges) -> dict[str, Any]:
    """Change what is given; windows that are over stay."""
    by = principal_of(request)
    old = actions.find(by, id)
    given = silences.kept(old) if body.matchers is None else read_matchers(body.matchers)
    start = body.start if body.start is not None else old.start or None
    window = _window(
        body.time_zone or old.time_zone,
        start,
        f"{old.lasts_s or 3600}s" if body.lasts is None else body.lasts,
        old.repeat if body.repeat is None else body.repeat,
        None if body.url is None and body.start is None and old.url else body.url or "",
    )
    comment = old.comment if body.comment is None else body.comment
    enabled = old.enabled if body.enabled is None else body.enabled
    return _out([actions.change(by, id, given, window, comment, enabled, body.access)])[0]


@router.delete("maintenance/{id}", auth=edit, response={204: None, **ONE})
def delete_maintenance(request: HttpRequest, id: Id) -> Status[None]:
    """Remove one with its windows."""
    actions.delete(principal_of(request), id)
    return Status(204, None)


def _window(time_zone: str, start: str | None, lasts: str, repeat: str, url: str | None) -> Window:
    try:
        first = datetime.fromisoformat(start) if start else None
    except ValueError:
        first, start = None, "?"
    if start and (first is None or first.tzinfo is not None):
        raise Invalid("start", "start: it has to be a local time, such as 2026-11-30T22:00.")
    try:
        lasts_s = seconds(lasts)
    except ValueError as problem:
        raise Invalid("lasts", f"lasts: {problem}") from None
    return Window(time_zone, first, lasts_s, repeat, url)


def _out(rows: list[Maintenance]) -> list[dict[str, Any]]:
    now = time.time()
    spans = actions.spans([one.pk for one in rows], now, now + actions.AHEAD.total_seconds())
    return [
        {
            "id": one.pk,
            "matchers": matchers.to_json(withholding.matchers_of(one) or ()),
            "comment": one.comment,
            "by": one.by,
            "time_zone": one.time_zone,
            "start": one.start,
            "lasts_s": one.lasts_s,
            "repeat": one.repeat,
            "calendar": one.place,
            "problem": one.problem,
            "good_at": seconds_of(one.good_at),
            "enabled": one.enabled,
            "windows": [{"start": start, "end": end} for start, end in spans[one.pk][:WINDOWS_LISTED]],
            "access": access_of(one),
        }
        for one in rows
    ]
