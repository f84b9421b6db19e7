"""Silences as clients of an Alertmanager send them, and what is wrong with them, in Alertmanager's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ninja.errors import HttpError

from metrics.alerts import matchers
from metrics.alerts.matchers import BadMatcher, Matcher
from metrics.ingest.alerts import NotAlerts, document, moment
from metrics.sources.expect import compile
from metrics.times import datetime_of

REQUIRED = ("comment", "createdBy", "endsAt", "matchers", "startsAt")
NOTHING_THERE, TOO_FEW = 602, 612
"""Codes of go-openapi."""


class Unreadable(Exception):
    """A request that is not what the description of the API says; `code` is one of go-openapi's."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(frozen=True, slots=True)
class AskedSilence:
    """A silence that somebody asks for; with an `id`, a change of that one."""

    id: str | None
    matchers: Sequence[Matcher]
    starts_at: datetime
    ends_at: datetime
    comment: str
    author: str


def read_silence(body: bytes, now: float) -> AskedSilence:
    """Return the silence in `body`. Raises Unreadable, or HttpError 400."""
    try:
        given = document(body)
    except NotAlerts as problem:
        raise _unparsed(str(problem)) from None
    if not isinstance(given, dict):
        raise _unparsed("json: cannot unmarshal it into Go value of type models.PostableSilence")
    for name in REQUIRED:
        if given.get(name) is None:
            raise Unreadable(422, NOTHING_THERE, f"{name} in body is required")
    texts = {name: _text(given, name) for name in ("id", "comment", "createdBy", "endsAt", "startsAt")}
    asked = given["matchers"]
    if not isinstance(asked, list):
        raise _unparsed("json: cannot unmarshal it into Go struct field .matchers of type models.Matchers")
    if not asked:
        raise Unreadable(422, TOO_FEW, "matchers in body should have at least 1 items")
    found = [_matcher(one, place) for place, one in enumerate(asked)]
    starts_at, ends_at = _moment(texts["startsAt"], now), _moment(texts["endsAt"], 0.0)
    if starts_at >= ends_at:
        raise HttpError(400, "Failed to create silence: start time must be before end time")
    if ends_at < now:
        raise HttpError(400, "Failed to create silence: end time can't be in the past")
    if matchers.matches_nothing_named(found):
        raise HttpError(400, "silence invalid: at least one matcher must not match the empty string")
    return AskedSilence(
        texts["id"] or None,
        found,
        datetime_of(starts_at),
        datetime_of(ends_at),
        texts["comment"],
        texts["createdBy"],
    )


def _matcher(given: Any, place: int) -> Matcher:
    if not isinstance(given, dict):
        raise _unparsed("json: cannot unmarshal it into Go value of type models.Matcher")
    for name in ("isRegex", "name", "value"):
        if given.get(name) is None:
            raise Unreadable(422, NOTHING_THERE, f"matchers.{place}.{name} in body is required")
    given = {name: value for name, value in given.items() if value is not None}
    if given["isRegex"] is True and isinstance(value := given["value"], str):
        try:
            compile(value)
        except ValueError as problem:
            said = f'invalid regular expression "{value[:100]}": {problem}'
            raise HttpError(400, f"silence invalid: invalid label matcher {place}: {said}") from None
    try:
        return matchers.from_json([given])[0]
    except BadMatcher as problem:
        raise HttpError(400, f"silence invalid: invalid label matcher {place}: {problem}") from None


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise _unparsed(f"json: cannot unmarshal it into Go struct field .{name} of type string")
    return value or ""


def _moment(text: str, otherwise: float) -> float:
    try:
        found = moment(text) if text else None
        datetime_of(found or 0.0)
    except (ValueError, OverflowError):
        raise _unparsed(f'parsing time "{text[:40]}" as "2006-01-02T15:04:05Z07:00": cannot parse it') from None
    return otherwise if found is None else found


def _unparsed(reason: str) -> Unreadable:
    return Unreadable(400, 400, f'parsing silence body from "" failed, because {reason}')
