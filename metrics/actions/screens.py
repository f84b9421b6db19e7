"""Screens: pairing a display on a wall, saying what it shows, having it say its name, revoking it."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from redis import RedisError

from metrics.access.policy import CHANGE, CREATE, DELETE, SEE, check, may, visible
from metrics.access.principal import Principal, machine_at, of_screen
from metrics.access.sharing import Access
from metrics.actions import journal, locks, teams
from metrics.actions.errors import Errors, Invalid, Missing, NoAnswer, TooOften, check_storable
from metrics.database import after_commit
from metrics.live import bus, watchers
from metrics.models import Dashboard, Screen, Team
from metrics.redis_state import limits, pairing
from metrics.times import datetime_of
from metrics.widgets.ranges import RANGES_S

NAME_MOST = 90
KEPT = timedelta(days=30)
"""A screen that is revoked is listed for so long."""
CODES_PER_MINUTE = 10
"""So many codes one address may ask for, and so many it may try."""
SHOWS, NAME = "shows", "screen-name"
"""Elements of a screen's page: what it shows, and its name when somebody wants to see that."""
NO_REDIS = "Redis does not answer, and codes are kept there."
NO_CODE = "code: no screen shows this code now. It holds for 15 minutes, and pairs once."


@dataclass(frozen=True, slots=True)
class Listed:
    """A `screen`, and whether it `is_open` just now, None if Redis does not say.

    `dashboard` is the one that it shows, None also for one that whoever asks may not see; then it `is_hidden`.
    """

    screen: Screen
    is_open: bool | None
    dashboard: Dashboard | None
    is_hidden: bool


def new_code(digest: str, address: str | None) -> str:
    """Return a new code for the screen of `digest`, which asks for it from `address`.

    Raises TooOften, or NoAnswer without Redis.
    """
    if wait_s := limits.spend(f"codes:{machine_at(address)}", 1, CODES_PER_MINUTE, time.time()):
        raise TooOften(f"An address may ask for {CODES_PER_MINUTE} codes a minute; wait {wait_s} s.", wait_s)
    try:
        return pairing.begin(digest, address)
    except RedisError:
        raise NoAnswer(NO_REDIS) from None


def code_of(digest: str) -> str:
    """Return the code that the screen of `digest` shows, "" if it has none. Raises NoAnswer without Redis."""
    try:
        return pairing.code_of(digest)
    except RedisError:
        raise NoAnswer(NO_REDIS) from None


def shows(screen: Screen) -> str:
    """Return what the page of `screen` is of, in a few words: with others it is another page."""
    shown = of_screen(screen).shown
    return f"{shown.dashboard} {shown.range}" if shown and shown.dashboard else f"nothing on {screen.name}"


def pair(
    by: Principal, code: str, name: str, dashboard: str = "", range: str = "", access: Access | None = None
) -> Screen:
    """Make a screen of the one that shows `code`, which shows `dashboard` (slug) from then on, over `range`.

    Without a dashboard it shows nothing yet, without a range the usual one of the dashboard. Without `access` one that
    a token of teams pairs is for these teams, and any other for everyone. Raises Forbidden, TooOften, Invalid with
    everything that is wrong, or NoAnswer without Redis.
    """
    check(by, CREATE, Screen)
    if wait_s := limits.spend(f"pairing:{machine_at(by.address)}", 1, CODES_PER_MINUTE, time.time()):
        raise TooOften(f"An address may try {CODES_PER_MINUTE} codes a minute; wait {wait_s} s.", wait_s)
    if access is None and by.kind == "token" and by.teams:
        named = Team.objects.filter(pk__in=by.teams).values_list("name", flat=True)
        access = Access(everyone=False, teams=list(named))
    changes = {"name": name, "dashboard": dashboard, "range": range, "access": access or Access()}
    errors, shows_it = Errors(), pairing.Shows("", None)
    with errors:
        shows_it = _that_shows(code)
    with transaction.atomic():
        made = Screen(digest=shows_it.digest, by=by.name, paired_from=shows_it.address)
        screen = _put(by, made, changes, errors)
        journal.record(by, "pair", screen, after={**facts(screen), "paired_from": screen.paired_from})
        after_commit(pairing.end, pairing.tidy(code), screen.digest)
    return screen


def change(by: Principal, id: int, changes: Mapping[str, Any]) -> Screen:
    """Set of a screen the `name`, `dashboard` (slug, "" for none), `range` or `access` that `changes` names.

    Its open page follows. Raises Missing, Forbidden, or Invalid with everything that is wrong.
    """
    with transaction.atomic():
        screen = _locked(by, CHANGE, id)
        before, shown, left = facts(screen), shows(screen), screen.dashboard_id
        screen = _put(by, screen, changes, Errors())
        journal.record(by, "change", screen, before, facts(screen))
        if shows(screen) != shown:
            transaction.on_commit(partial(_move, screen, left))
        elif screen.name != before["name"]:  # by which it is known to be open
            transaction.on_commit(partial(_doubt, left))
    return screen


def revoke(by: Principal, id: int) -> Screen:
    """Make the credential of a screen useless; its page asks to be paired again. Raises Missing or Forbidden."""
    with transaction.atomic():
        screen = _locked(by, DELETE, id)
        journal.record(by, "revoke", screen, before=facts(screen))
        screen.revoked_at = timezone.now()
        screen.save(update_fields=["revoked_at"])
        transaction.on_commit(partial(_doubt, screen.dashboard_id))
    return screen


def show_name(by: Principal, id: int) -> Screen:
    """Have a screen show its name large for some seconds, where it is open. Raises Missing or Forbidden."""
    screen = find(by, id)
    check(by, CHANGE, screen)
    html = render_to_string("screen/_name.html", {"name": screen.name}).strip()
    bus.send_to(of_screen(screen), NAME, "outerMorph", html)
    return screen


def find(by: Principal, id: int) -> Screen:
    """Return the screen `id`. Raises Missing, also if it is not for `by` to see, or is revoked."""
    found = visible(by, Screen).select_related("dashboard").filter(pk=id, revoked_at=None).first()
    if found is None:
        raise Missing(f"There is no screen {id}.")
    return found


def listed(by: Principal) -> list[Listed]:
    """Return the screens that `by` may see: those that are valid by name, then those that were revoked lately.

    Raises Forbidden.
    """
    check(by, SEE, Screen)
    rows = visible(by, Screen).select_related("dashboard").prefetch_related("teams")
    return sorted(described(by, rows), key=lambda one: one.screen.revoked_at is not None)


def described(by: Principal, rows: Iterable[Screen]) -> list[Listed]:
    """Return what `by` may know of screens that they may see."""
    found, watching = list(rows), _watching()
    seen = set(visible(by, Dashboard).filter(screens__in=found).order_by().values_list("pk", flat=True))
    return [
        Listed(
            screen=one,
            is_open=None if watching is None else of_screen(one).name in watching,
            dashboard=one.shown if one.dashboard_id in seen else None,
            is_hidden=one.shown is not None and one.dashboard_id not in seen,
        )
        for one in found
    ]


def facts(screen: Screen) -> dict[str, Any]:
    """Return what the journal keeps."""
    slug = screen.shown.slug if screen.shown else ""
    return {"name": screen.name, "dashboard": slug, "range": screen.range, **teams.access_of(screen).model_dump()}


def shared_wider(by: Principal, dashboard: Dashboard) -> list[str]:
    """Return which screens show `dashboard`, which is not for everyone, and are not for its teams alone.

    They are the names of those that `by` may see, and how many others there are.
    """
    if dashboard.for_everyone:
        return []
    owners, rows = set(dashboard.teams.all()), dashboard.screens.filter(revoked_at=None).prefetch_related("teams")
    found = [one for one in rows if one.for_everyone or set(one.teams.all()) - owners]
    names = [one.name for one in found if may(by, SEE, one)]
    others = len(found) - len(names)
    return [*names, *([f"{others} of other teams"] if others else [])]


def forget(now: float) -> None:
    """Remove screens that were revoked for longer than `KEPT` at `now` (Unix seconds)."""
    Screen.objects.filter(revoked_at__lt=datetime_of(now) - KEPT).delete()


def element(shows: str) -> str:
    """Return the element by which a screen's page knows what it shows."""
    return render_to_string("screen/_shows.html", {"shows": shows}).strip()


def _locked(by: Principal, verb: str, id: int) -> Screen:
    """Lock the screen `id`, to which `by` may do `verb`, and return it as it is now. Raises Missing or Forbidden."""
    locks.locked(find(by, id))
    screen = find(by, id)  # while this waited, somebody may have revoked it, or given it to others
    check(by, verb, screen)
    return screen


def _that_shows(code: str) -> pairing.Shows:
    """Return the screen that shows `code`. Raises Invalid, or NoAnswer without Redis."""
    try:
        found = pairing.shows(pairing.tidy(code))
    except RedisError:
        raise NoAnswer(NO_REDIS) from None
    if found is None or Screen.objects.filter(digest=found.digest).exists():
        raise Invalid("code", NO_CODE)
    return found


def _put(by: Principal, screen: Screen, changes: Mapping[str, Any], errors: Errors) -> Screen:
    """Save what `changes` names, unless `errors` has something already. Raises Invalid."""
    before = list(screen.teams.all()) if screen.pk is not None else []
    owners: list[Team] | None = None
    if "name" in changes:
        with errors:
            screen.name = _name(changes["name"])
    if "dashboard" in changes:
        with errors:
            screen.dashboard = _dashboard(by, changes["dashboard"])
    if "range" in changes:
        with errors:
            screen.range = _range(changes["range"])
    if "access" in changes:
        with errors:
            owners = teams.owners(by, before, changes["access"])
            screen.for_everyone = changes["access"].everyone
    errors.check()
    try:
        with transaction.atomic():
            screen.save()
    except IntegrityError:
        if screen.pk is None and Screen.objects.filter(digest=screen.digest).exists():  # somebody was faster
            raise Invalid("code", NO_CODE) from None
        raise Invalid("name", f"name: there is a screen {screen.name!r} already; choose another name.") from None
    if owners is not None:
        screen.teams.set(owners)
    return screen


def _name(given: str) -> str:
    check_storable(given, "name")
    if not 1 <= len(given.strip()) <= NAME_MOST:
        raise Invalid("name", f"name: a screen's name has 1 to {NAME_MOST} characters.")
    return given.strip()


def _dashboard(by: Principal, slug: str) -> Dashboard | None:
    if not slug:
        return None
    check_storable(slug, "dashboard")
    found = visible(by, Dashboard).filter(slug=slug).first()
    if found is None:
        raise Invalid("dashboard", f"dashboard: there is no dashboard {slug!r}.")
    return found


def _range(given: str) -> str:
    if given not in ("", *RANGES_S):
        raise Invalid("range", f"range: there is no range {given!r}; there are {', '.join(RANGES_S)}.")
    return given


def _move(screen: Screen, left: int | None) -> None:
    """Have the open page of `screen` show what it is to show now; whoever misses that may not stay where it is."""
    bus.send_to(of_screen(screen), SHOWS, "outerMorph", element(shows(screen)))
    _doubt(left)


def _doubt(dashboard: int | None) -> None:
    """Have the screens looked at again whose sockets follow a dashboard (id)."""
    if dashboard is not None:
        bus.recheck(dashboard=dashboard)


def _watching() -> set[str] | None:
    """Return the names of those whose walls are open just now."""
    try:
        return {viewer.name for viewer in watchers.viewers(time.time()) if viewer.wall}
    except RedisError:
        return None
