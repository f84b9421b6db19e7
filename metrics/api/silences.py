"""Silences: alerts that match are not told, for a time."""

import time
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Path, Router, Schema, Status
from pydantic import AwareDatetime

from metrics.access.sharing import Access
from metrics.actions import silences as actions
from metrics.actions import withholding
from metrics.actions.teams import access_of
from metrics.alerts import matchers
from metrics.alerts.matchers import Matcher
from metrics.api.body import CHANGING, MAKING, ONE, READING, Body, Text
from metrics.api.tokens import edit, principal_of, read
from metrics.models import Silence
from metrics.times import datetime_of, seconds_of

router = Router(tags=["alerts"])

Id = Annotated[UUID, Path(description="The silence's id.")]


class MatcherIn(Body):
    """A condition on a label, as Alertmanager has it."""

    name: Text = Field(max_length=matchers.NAME_MOST)
    value: Text = Field(max_length=matchers.VALUE_MOST)
    isRegex: bool = Field(False, description="Whether the value is a regular expression.")
    isEqual: bool = Field(True, description="Whether it has to match, or not to.")


Given = list[MatcherIn] | Text
GIVEN = 'Matchers, as a list or as text: host="web-1", job=~"api|web". All have to match.'


class SilenceIn(Body):
    matchers: Given = Field(description=GIVEN)
    starts_at: AwareDatetime | None = Field(None, description="When it begins; else now.")
    ends_at: AwareDatetime = Field(description="When it ends.")
    comment: Text = Field(max_length=actions.COMMENT_MOST, description="The reason.")
    access: Access | None = Field(None, description="The people who may see it.")


class SilenceChanges(Body):
    """Some of the fields of a silence; those that are left out stay as they are."""

    matchers: Given | None = Field(None, description=GIVEN)
    starts_at: AwareDatetime | None = Field(None, description="When it begins.")
    ends_at: AwareDatetime | None = Field(None, description="When it ends.")
    comment: Text | None = Field(None, max_length=actions.COMMENT_MOST, description="The reason.")
    access: Access | None = Field(None, description="The people who may see it.")


class SilenceOut(Schema):
    """A silence. `state` is active, pending or expired; times are Unix seconds.

    One whose matchers this release can't read shows none, and withholds nothing.
    """

    id: str
    matchers: list[MatcherIn]
    starts_at: float
    ends_at: float
    state: str
    comment: str
    by: str
    withheld: int
    access: Access


class SilenceList(Schema):
    silences: list[SilenceOut]


def read_matchers(given: Given) -> list[Matcher]:
    """Return the matchers of a request. Raises Invalid."""
    return actions.read(given) if isinstance(given, str) else actions.read_json([one.dict() for one in given])


@router.get("silences", auth=read, response={200: SilenceList, **READING})
def list_silences(request: HttpRequest) -> dict[str, Any]:
    """The silences that the token may see, those that end last first."""
    found = actions.listed(principal_of(request))
    counts = withholding.counts(_named(one) for one in found)
    return {"silences": [_out(one, counts) for one in found]}


@router.get("silences/{id}", auth=read, response={200: SilenceOut, **ONE})
def get_silence(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One silence."""
    return _out(actions.find(principal_of(request), str(id)))


@router.post("silences", auth=edit, response={201: SilenceOut, **MAKING})
def create_silence(request: HttpRequest, body: SilenceIn) -> Status[dict[str, Any]]:
    """Have nobody told of the alerts that match, for a time."""
    given = read_matchers(body.matchers)
    by = principal_of(request)
    made = actions.set(by, given, body.starts_at, body.ends_at, body.comment, access=body.access)
    return Status(201, _out(made))


@router.patch("silences/{id}", auth=edit, response={200: SilenceOut, **CHANGING})
def change_silence(request: HttpRequest, id: Id, body: SilenceChanges) -> dict[str, Any]:
    """Change what is given. With other matchers or another start the answer is a new silence, and this one ends."""
    by = principal_of(request)
    old = actions.find(by, str(id))
    given = actions.kept(old) if body.matchers is None else read_matchers(body.matchers)
    ends_at = body.ends_at or old.ends_at
    comment = old.comment if body.comment is None else body.comment
    return _out(actions.set(by, given, body.starts_at, ends_at, comment, id=str(id), access=body.access))


@router.delete("silences/{id}", auth=edit, response={204: None, **ONE})
def end_silence(request: HttpRequest, id: Id) -> Status[None]:
    """End a silence now."""
    actions.expire(principal_of(request), str(id))
    return Status(204, None)


def _named(one: Silence) -> tuple[str, str]:
    return "silence", str(one.pk)


def _out(one: Silence, counts: dict[tuple[str, str], withholding.Counted] | None = None) -> dict[str, Any]:
    counted = (withholding.counts([_named(one)]) if counts is None else counts).get(_named(one))
    return {
        "id": str(one.pk),
        "matchers": matchers.to_json(withholding.matchers_of(one) or ()),
        "starts_at": seconds_of(one.starts_at),
        "ends_at": seconds_of(one.ends_at),
        "state": actions.state(one, datetime_of(time.time())),
        "comment": one.comment,
        "by": one.by,
        "withheld": counted.count if counted else 0,
        "access": access_of(one),
    }
