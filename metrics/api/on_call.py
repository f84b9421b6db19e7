"""On call: who it is now, schedules, and overrides."""

import time
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Query, Router, Schema, Status
from pydantic import AwareDatetime

from metrics.access.sharing import Access
from metrics.actions import on_call as actions
from metrics.actions import schedules
from metrics.actions.errors import Invalid
from metrics.actions.on_call import Shift
from metrics.actions.teams import access_of
from metrics.api.body import ASKING, CHANGING, MAKING, ONE, READING, Body, Text
from metrics.api.tokens import edit, principal_of, read
from metrics.models import Override, Schedule
from metrics.times import YEARS, seconds_of

router = Router(tags=["on call"])

AHEAD_S = 28 * 86_400.0
Id = Annotated[int, Path(description="The schedule's id.", ge=1, le=2**63 - 1)]
Number = Annotated[int, Path(description="The override's id.", ge=1, le=2**63 - 1)]
At = Annotated[AwareDatetime | None, Query(description="When; else now.")]
Team = Annotated[str, Query(description="Only the schedules of this team.", max_length=150)]


class ScheduleFields(Body):
    time_zone: Text | None = Field(None, max_length=50, description="Where the clocks hang.")
    layers: list[dict[str, Any]] | None = Field(None, description="People who take turns; the docs describe them.")
    holidays: list[Text] | None = Field(None, description="Days such as 2026-12-25.")
    url: Text | None = Field(None, max_length=2000, description="The address of a calendar elsewhere.")
    access: Access | None = Field(None, description="The people who may see it, and the teams it is of.")

    def document(self) -> dict[str, Any]:
        return {k: v for k, v in self.dict(exclude_unset=True, exclude={"access", "revision"}).items() if v is not None}


class ScheduleIn(ScheduleFields):
    name: Text = Field(max_length=schedules.NAME_MOST)


class ScheduleChanges(ScheduleFields):
    """Some of the fields of a schedule; those that are left out stay as they are."""

    name: Text | None = Field(None, max_length=schedules.NAME_MOST)
    revision: int | None = Field(
        None, description="The revision that this is based on: refused if there is a newer one."
    )


class ShiftOut(Schema):
    """Somebody who is on call, in Unix seconds. `user` is null if nobody here has that name.

    `end` is null if it goes on after the four weeks that are looked at.
    """

    who: str
    user: str | None
    start: float
    end: float | None
    override: bool


class OverrideOut(Schema):
    """Somebody who is on call instead, in Unix seconds."""

    id: int
    who: str
    start: float
    end: float
    by: str


class OnCallOut(Schema):
    """People who are on call by one schedule `now`, and those who come `next`."""

    schedule: int
    name: str
    teams: list[str]
    now: list[ShiftOut]
    next: list[ShiftOut]


class OnCallList(Schema):
    on_call: list[OnCallOut]


class ScheduleOut(Schema):
    """A schedule. `calendar` is where its calendar is, without what may be a key; `problem` is why it can't be read."""

    id: int
    name: str
    time_zone: str
    layers: list[dict[str, Any]]
    holidays: list[str]
    calendar: str
    problem: str
    good_at: float | None
    access: Access
    revision: int


class ScheduleList(Schema):
    schedules: list[ScheduleOut]


class OneSchedule(ScheduleOut):
    """A schedule, its overrides that are not over, and the next four weeks of it."""

    overrides: list[OverrideOut]
    shifts: list[ShiftOut]


class OverrideIn(Body):
    who: Text = Field(max_length=150, description="Name of a user.")
    starts_at: AwareDatetime = Field(description="From when.")
    ends_at: AwareDatetime = Field(description="Until when.")


@router.get("on-call", auth=read, response={200: OnCallList, **ASKING})
def list_on_call(request: HttpRequest, at: At = None, team: Team = "") -> dict[str, Any]:
    """The people who are on call, by each schedule that the token may see."""
    if at is not None and at.year not in YEARS:
        raise Invalid("at", "at: it has to be before the year 3000, and not before 1970.")
    moment = at.timestamp() if at else time.time()
    rows = list(schedules.listed(principal_of(request)))
    rows = [one for one in rows if not team or any(its.name == team for its in one.teams.all())]
    shifts = actions.shifts(rows, moment, moment + AHEAD_S)
    return {"on_call": [_on_call(one, shifts[one.pk], moment) for one in rows]}


@router.get("schedules", auth=read, response={200: ScheduleList, **READING})
def list_schedules(request: HttpRequest) -> dict[str, Any]:
    """The schedules that the token may see, by name."""
    return {"schedules": [_out(one) for one in schedules.listed(principal_of(request))]}


@router.post("schedules", auth=edit, response={201: ScheduleOut, **MAKING})
def create_schedule(request: HttpRequest, body: ScheduleIn) -> Status[dict[str, Any]]:
    """Make a schedule: people who take turns, or a calendar elsewhere."""
    return Status(201, _out(schedules.create(principal_of(request), body.document(), body.access)))


@router.get("schedules/{id}", auth=read, response={200: OneSchedule, **ONE})
def get_schedule(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One schedule, with the next four weeks."""
    row, now = schedules.find(principal_of(request), id), time.time()
    overrides = [one for one in row.overrides.select_related("user") if one.ends_at.timestamp() > now]
    shifts = actions.shifts([row], now, now + AHEAD_S)[row.pk]
    return {
        **_out(row),
        "overrides": [_override(one) for one in overrides],
        "shifts": [_shift(one, now) for one in shifts],
    }


@router.patch("schedules/{id}", auth=edit, response={200: ScheduleOut, **CHANGING})
def change_schedule(request: HttpRequest, id: Id, body: ScheduleChanges) -> dict[str, Any]:
    """Change what is given."""
    return _out(schedules.change(principal_of(request), id, body.document(), body.access, body.revision))


@router.delete("schedules/{id}", auth=edit, response={204: None, **ONE})
def delete_schedule(request: HttpRequest, id: Id) -> Status[None]:
    """Remove a schedule."""
    schedules.delete(principal_of(request), id)
    return Status(204, None)


@router.post("schedules/{id}/overrides", auth=edit, response={201: OverrideOut, **CHANGING})
def create_override(request: HttpRequest, id: Id, body: OverrideIn) -> Status[dict[str, Any]]:
    """Have somebody be on call instead, for a time."""
    made = schedules.override(principal_of(request), id, body.who, body.starts_at, body.ends_at)
    return Status(201, _override(made))


@router.delete("schedules/{id}/overrides/{number}", auth=edit, response={204: None, **ONE})
def end_override(request: HttpRequest, id: Id, number: Number) -> Status[None]:
    """Remove an override; of one that has begun, what is to come."""
    schedules.end_override(principal_of(request), id, number)
    return Status(204, None)


def _on_call(row: Schedule, shifts: list[Shift], moment: float) -> dict[str, Any]:
    current = [one for one in shifts if one.start <= moment]
    later = [one for one in shifts if one.start > moment]
    first = min((one.start for one in later), default=0.0)
    return {
        "schedule": row.pk,
        "name": row.name,
        "teams": [team.name for team in row.teams.all()],
        "now": [_shift(one, moment) for one in current],
        "next": [_shift(one, moment) for one in later if one.start == first],
    }


def _shift(one: Shift, moment: float) -> dict[str, Any]:
    user = one.user.get_username() if one.user else None
    end = one.end if one.end < moment + AHEAD_S else None
    return {"who": one.who, "user": user, "start": one.start, "end": end, "override": one.is_override}


def _override(one: Override) -> dict[str, Any]:
    start, end = seconds_of(one.starts_at), seconds_of(one.ends_at)
    return {"id": one.pk, "who": one.user.get_username(), "start": start, "end": end, "by": one.by}


def _out(row: Schedule) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "time_zone": row.time_zone,
        "layers": schedules.plan_of(row).get("layers", []),
        "holidays": schedules.plan_of(row).get("holidays", []),
        "calendar": row.place,
        "problem": row.problem,
        "good_at": seconds_of(row.good_at),
        "access": access_of(row),
        "revision": row.revision,
    }
