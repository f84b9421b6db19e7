"""Calendars that are published elsewhere: fetched every 15 to 60 minutes; the last good copy is kept."""

import asyncio
import re
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta

import httpx
import structlog
from django.db.models import Q

from metrics.access.policy import CREATE, TRUSTED, may
from metrics.access.principal import Principal
from metrics.actions import credentials
from metrics.actions.credentials import LostKey
from metrics.actions.errors import Invalid, check_storable
from metrics.alerts import calendars
from metrics.alerts.calendars import BadCalendar, Occurring
from metrics.database import unavailable
from metrics.models import Maintenance, Schedule
from metrics.models.calendar import Feed
from metrics.sample import UNSTORABLE
from metrics.sources import fetch, network_policy
from metrics.sources.base import SourceError
from metrics.sources.http_config import HttpConfig, http_url
from metrics.times import datetime_of
from metrics.zones import zone_of

log = structlog.get_logger(__name__)

EVERY_S, EVERY_LEAST_S, EVERY_MOST_S = 1800, 900, 3600
TIMEOUT_S = 15
URL_MOST = 2000
PROBLEM_MOST = 300
SAYS_HOW_OFTEN = re.compile(r"^(?:X-PUBLISHED-TTL|REFRESH-INTERVAL)[^:\n]*:PT?(?:(\d{1,4})H)?(?:(\d{1,5})M)?\s*$", re.M)
FETCHED = ["text", "etag", "modified", "good_at", "next_at", "problem", "doubts"]
"""Fields that asking for a calendar changes."""


def set_url(by: Principal, feed: Feed, url: str) -> None:
    """Have `feed` follow the calendar at `url`, from its next turn on; "" for none. Saving it is for the caller.

    Raises Invalid.
    """
    url = as_stored(url)
    check_storable(url, "url")
    if len(url) > URL_MOST:
        raise Invalid("url", f"url: it may have at most {URL_MOST} characters.")
    if url:
        try:
            http_url(url)
        except ValueError as problem:
            raise Invalid("url", f"url: {problem}.") from None
    is_trusted = may(by, CREATE, TRUSTED)
    if url == address(feed) and feed.is_trusted == is_trusted:
        return
    parts = httpx.URL(url)
    feed.url, feed.place = (credentials.seal(url), f"{parts.scheme}://{parts.host}"[:300]) if url else ("", "")
    feed.is_trusted = is_trusted
    feed.text = feed.etag = feed.modified = feed.problem = ""
    feed.good_at, feed.doubts = None, []
    feed.next_at = datetime_of(time.time()) if url else None


def as_stored(url: str) -> str:
    """Return an address as it is stored: webcal is how browsers give a calendar to another program."""
    url = url.strip()
    return "https://" + url.partition("://")[2] if url.lower().startswith(("webcal://", "webcals://")) else url


def address(feed: Feed) -> str | None:
    """Return the address of the calendar, "" if there is none, None for one that can't be read: its key is lost."""
    try:
        return str(credentials.unseal(feed.url)) if feed.url else ""
    except LostKey:
        return None


def due(now: float) -> Iterator[Maintenance | Schedule]:
    """Yield the things whose calendar is to be asked for."""
    is_due = Q(next_at__lte=datetime_of(now)) & ~Q(url="")
    yield from Maintenance.objects.filter(is_due)
    yield from Schedule.objects.filter(is_due)


def ask(feed: Feed, now: float) -> None:
    """Ask for the calendar of `feed`, and note what came of it in its fields; saving them is for the caller."""
    feed.next_at = datetime_of(now + EVERY_S)
    try:
        answer = _answer(feed)
        text = feed.text if answer.status_code == 304 else _storable(answer.text)
        calendars.occurring(text, zone_of(feed.time_zone), now, now + 86_400)
    except (SourceError, BadCalendar, LostKey) as problem:
        feed.problem = _storable(str(problem))[:PROBLEM_MOST]
        log.warning("calendar can't be read", place=feed.place, error=feed.problem)
        return
    feed.text, feed.problem, feed.good_at = text, "", datetime_of(now)
    if answer.status_code != 304:
        feed.etag = answer.headers.get("ETag", "")[:300]
        feed.modified = answer.headers.get("Last-Modified", "")[:100]
    feed.next_at = datetime_of(now + _every_s(text))


@contextmanager
def guarded(feed: Feed, now: float) -> Iterator[None]:
    """Let the calendars of others go on if the block fails with that of `feed`, and note that it did.

    The message of the error is not noted, as it may have the address. That the database is away is raised.
    """
    try:
        yield
    except Exception as error:
        if unavailable(error):
            raise
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.name}, line {last.lineno}"
        log.error("calendar failed", noun=feed._meta.model_name, id=feed.pk, error=type(error).__name__, where=where)
        next_at = datetime_of(now + EVERY_S) if feed.url else None
        problem = f"The calendar can't be used: {type(error).__name__}."
        type(feed)._default_manager.filter(pk=feed.pk).update(problem=problem, next_at=next_at)


def occurring(feed: Feed, start: float, end: float) -> Occurring:
    """Return the events of the last good copy between two times (Unix seconds), and note what is doubtful of them."""
    if not feed.text:
        return Occurring(())
    found = calendars.occurring(feed.text, zone_of(feed.time_zone), start, end)
    feed.doubts = list(found.problems)
    return found


def _answer(feed: Feed) -> httpx.Response:
    """Return the answer, with its body. Raises SourceError and LostKey."""
    url = str(credentials.unseal(feed.url))
    try:
        config = HttpConfig(url="http://x/", timeout_s=TIMEOUT_S).model_copy(update={"url": url})
        with nullcontext() if feed.is_trusted else network_policy.limited():
            return asyncio.run(fetch.bounded(config, lambda client: _get(client, config, feed)))
    except fetch.ERRORS as error:
        raise SourceError(f"{feed.place} {fetch.reason(error, TIMEOUT_S)}.") from None
    except SourceError as error:  # its words may have the address, which is a secret
        raise SourceError(str(error).replace(config.where, feed.place).replace(url, feed.place)) from None


async def _get(client: httpx.AsyncClient, config: HttpConfig, feed: Feed) -> httpx.Response:
    known = {"If-None-Match": feed.etag, "If-Modified-Since": feed.modified} if feed.text else {}
    headers = {"Accept": "text/calendar", **{name: value for name, value in known.items() if value}}
    response = await fetch.send(client, config, config.url, headers=headers)
    try:
        body = await fetch.read(response, calendars.TEXT_MOST_BYTES)
    except ValueError as error:
        raise SourceError(f"{feed.place} answered something that {error}.") from None
    finally:
        await response.aclose()
    if response.status_code != 304 and not 200 <= response.status_code < 300:
        raise SourceError(f"{feed.place} answered {response.status_code} {response.reason_phrase}.")
    kept = {name: response.headers[name] for name in ("ETag", "Last-Modified") if name in response.headers}
    return httpx.Response(response.status_code, content=body, headers=kept)


def _storable(text: str) -> str:
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _every_s(text: str) -> float:
    """Return how often a calendar wants to be asked for, between 15 and 60 minutes."""
    said = SAYS_HOW_OFTEN.search(text[:10_000])
    if said is None:
        return EVERY_S
    lasts = timedelta(hours=int(said[1] or 0), minutes=int(said[2] or 0))
    return min(max(lasts.total_seconds(), EVERY_LEAST_S), EVERY_MOST_S)
