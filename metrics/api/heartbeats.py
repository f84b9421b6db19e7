"""Managing heartbeats."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Router, Schema, Status
from ninja.errors import HttpError

from metrics.access.policy import visible
from metrics.actions import heartbeats as actions
from metrics.api.body import CHANGING, MAKING, ONE, READING, Body, Text
from metrics.api.tokens import edit, principal_of
from metrics.models import Heartbeat
from metrics.times import seconds_of

router = Router(tags=["manage"], auth=edit)

Id = Annotated[int, Path(description="The heartbeat's id.", ge=1, le=2**63 - 1)]


class HeartbeatIn(Body):
    name: Text = Field(min_length=1, max_length=100)
    every: int | None = Field(None, ge=1, le=366 * 86_400, description="Seconds between two pings.")
    cron: Text = Field("", max_length=100, description="Or when the job runs, as in a crontab.")
    time_zone: Text = Field("UTC", max_length=50, description="Where the crontab's clock hangs.")
    grace: int = Field(300, ge=0, le=actions.GRACE_MOST_S, description="Seconds a ping may be late.")


class HeartbeatChange(Body):
    name: Text | None = Field(None, min_length=1, max_length=100)
    every: int | None = Field(None, ge=1, le=366 * 86_400)
    cron: Text | None = Field(None, max_length=100)
    time_zone: Text | None = Field(None, max_length=50)
    grace: int | None = Field(None, ge=0, le=actions.GRACE_MOST_S)
    paused: bool | None = Field(None, description="True: nothing is expected until the next ping.")


class HeartbeatOut(Schema):
    id: int
    name: str
    every: int | None
    cron: str
    time_zone: str
    grace: int
    ping_url: str
    state: str
    last_at: float | None
    late_at: float | None
    down_at: float | None
    duration_s: float | None


class HeartbeatList(Schema):
    heartbeats: list[HeartbeatOut]


class PingOut(Schema):
    at: float
    signal: str
    exit_status: int | None
    run: str
    duration_s: float | None
    body: str


class PingList(Schema):
    pings: list[PingOut]


@router.post("heartbeats", response={201: HeartbeatOut, **MAKING})
def create_heartbeat(request: HttpRequest, body: HeartbeatIn) -> Status[dict[str, Any]]:
    """Make a heartbeat, with `every` or with `cron` and `time_zone`. Have the job request its `ping_url`."""
    when = {"every_s": body.every, "cron": body.cron, "time_zone": body.time_zone, "grace_s": body.grace}
    made = actions.create(principal_of(request), body.name, **when)
    return Status(201, _out(request, made))


@router.get("heartbeats", response={200: HeartbeatList, **READING})
def list_heartbeats(request: HttpRequest) -> dict[str, list[dict[str, Any]]]:
    """All heartbeats, by name."""
    return {"heartbeats": [_out(request, one) for one in visible(principal_of(request), Heartbeat)]}


@router.get("heartbeats/{id}", response={200: HeartbeatOut, **ONE})
def get_heartbeat(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One heartbeat."""
    return _out(request, _find(request, id))


@router.get("heartbeats/{id}/pings", response={200: PingList, **ONE})
def list_pings(request: HttpRequest, id: Id) -> dict[str, list[Any]]:
    """Its newest pings, newest first."""
    rows = _find(request, id).pings.order_by("-id").values(*PingOut.model_fields)[: actions.PINGS_KEPT]
    return {"pings": [{**one, "at": one["at"].timestamp()} for one in rows]}


@router.patch("heartbeats/{id}", response={200: HeartbeatOut, **CHANGING})
def change_heartbeat(request: HttpRequest, id: Id, body: HeartbeatChange) -> dict[str, Any]:
    """Change what is given; the rest stays."""
    heartbeat = _find(request, id)
    given = body.dict(exclude_none=True)
    paused = given.pop("paused", False)
    fields = {{"every": "every_s", "grace": "grace_s"}.get(name, name): value for name, value in given.items()}
    if fields:
        actions.change(principal_of(request), heartbeat, **fields)
    if paused:
        actions.pause(principal_of(request), heartbeat)
    return _out(request, heartbeat)


@router.delete("heartbeats/{id}", response={204: None, **ONE})
def delete_heartbeat(request: HttpRequest, id: Id) -> Status[None]:
    """Delete it and its pings. Its past is still in its series."""
    actions.delete(principal_of(request), _find(request, id))
    return Status(204, None)


@router.post("heartbeats/{id}/rotate", response={200: HeartbeatOut, **ONE})
def rotate_key(request: HttpRequest, id: Id) -> dict[str, Any]:
    """Replace its key, and so its `ping_url`. The old one stops working at once."""
    heartbeat = _find(request, id)
    actions.rotate(principal_of(request), heartbeat)
    return _out(request, heartbeat)


def _find(request: HttpRequest, id: int) -> Heartbeat:
    found = visible(principal_of(request), Heartbeat).filter(pk=id).first()
    if found is None:
        raise HttpError(404, f"There is no heartbeat {id}.")
    return found


def _out(request: HttpRequest, heartbeat: Heartbeat) -> dict[str, Any]:
    return {
        "id": heartbeat.pk,
        "name": heartbeat.name,
        "every": heartbeat.every_s,
        "cron": heartbeat.cron,
        "time_zone": heartbeat.time_zone,
        "grace": heartbeat.grace_s,
        "ping_url": actions.ping_url(heartbeat, request.build_absolute_uri("/")),
        "state": heartbeat.state,
        "last_at": seconds_of(heartbeat.last_at),
        "late_at": seconds_of(heartbeat.late_at),
        "down_at": seconds_of(heartbeat.down_at),
        "duration_s": heartbeat.duration_s,
    }
