"""Links: making and revoking read-only addresses of dashboards."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from redis import RedisError

from metrics.access.policy import CHANGE, CREATE, DELETE, SEE, check
from metrics.access.principal import Principal
from metrics.actions import dashboards, journal, variables
from metrics.actions.errors import Invalid, Missing, check_storable
from metrics.live import bus, watchers
from metrics.live.topic import Topic
from metrics.models import Dashboard, Link
from metrics.times import datetime_of
from metrics.widgets.ranges import RANGES_S
from metrics.widgets.variables import CHOSEN_CHARACTERS, text

NAME_MOST = 90
LINKS_MOST = 100
KEPT = timedelta(days=30)
"""A link that is over is listed for so long."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A `link`, whether it `is_over`, and how many `watch` with it, None if Redis does not say."""

    link: Link
    is_over: bool
    watch: int | None


def create(
    by: Principal,
    slug: str,
    name: str,
    expires_at: datetime | None = None,
    range: str = "",
    values: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Link, str]:
    """Make a link to the dashboard `slug`, and return it with its secret, which is kept nowhere.

    With a `range` it shows no other, and of each variable in `values` no other values. Raises Missing, Forbidden, or
    Invalid.
    """
    values = {name: list(chosen) for name, chosen in sorted((values or {}).items()) if chosen}
    secret = Link.new_secret()
    _check_values(_dashboard(by, slug, CREATE), values)  # may wait for servers, which nobody else should wait for
    with transaction.atomic():
        dashboard = _dashboard(by, slug, CREATE)
        Dashboard.objects.select_for_update().get(pk=dashboard.pk)  # one after another, for the name
        name = _checked(dashboard, name, expires_at, range)
        link = Link.objects.create(
            dashboard=dashboard,
            name=name,
            digest=Link.digest_of(secret),
            range=range,
            variables=values,
            by=by.name,
            expires_at=expires_at,
        )
        journal.record(by, "create", link, after=_facts(link))
    return link, secret


def revoke(by: Principal, slug: str, id: int) -> Link:
    """Make a link useless, also in pages that are open. Raises Missing or Forbidden."""
    with transaction.atomic():
        dashboard = _dashboard(by, slug, DELETE)
        link = dashboard.links.select_for_update().filter(pk=id, revoked_at=None).first()
        if link is None:
            raise Missing(f"The dashboard {dashboard.title} has no link {id}.")
        journal.record(by, "revoke", link, before=_facts(link))
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
        transaction.on_commit(partial(bus.recheck, dashboard=dashboard.pk))
    return link


def listed(by: Principal, slug: str) -> tuple[Dashboard, list[Listed]]:
    """Return the dashboard `slug` and its links: those that are valid by name, then those that are over.

    Raises Missing or Forbidden.
    """
    dashboard, now = _dashboard(by, slug, SEE), timezone.now()
    watching = _watching(dashboard)
    found = [
        Listed(link, _is_over(link, now), None if watching is None else watching.count(f"link {link.name}"))
        for link in dashboard.links.all()
    ]
    return dashboard, sorted(found, key=lambda one: one.is_over)


def forget(now: float) -> None:
    """Remove links that were over for longer than `KEPT` at `now` (Unix seconds)."""
    ended = datetime_of(now) - KEPT
    Link.objects.filter(Q(revoked_at__lt=ended) | Q(expires_at__lt=ended)).delete()


def _dashboard(by: Principal, slug: str, verb: str) -> Dashboard:
    """Return the dashboard, to whose links `by` may do `verb`: that is for those who may change it."""
    dashboard = dashboards.find(by, slug)
    check(by, verb, Link)
    check(by, CHANGE, dashboard)
    return dashboard


def _check_values(dashboard: Dashboard, values: Mapping[str, Sequence[str]]) -> None:
    """Raise Invalid if `dashboard` has not these variables with these values."""
    check_storable(dict(values), "variables")
    variables.chosen(dashboard, values)
    if len(text(values)) > CHOSEN_CHARACTERS:
        raise Invalid("variables", f"The values have more than {CHOSEN_CHARACTERS} characters; choose fewer.")


def _checked(dashboard: Dashboard, name: str, expires_at: datetime | None, range: str) -> str:
    """Return `name` as it is kept. Raises Invalid."""
    check_storable(name, "name")
    name = name.strip()
    if not 1 <= len(name) <= NAME_MOST:
        raise Invalid("name", f"A link's name has 1 to {NAME_MOST} characters.")
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("expires_at", "A link expires in the future, or never.")
    if range not in ("", *RANGES_S):
        raise Invalid("range", f"There is no range {range!r}; there are {', '.join(RANGES_S)}.")
    valid = [link for link in dashboard.links.all() if not _is_over(link, timezone.now())]
    if any(link.name == name for link in valid):
        raise Invalid(
            "name", f"{dashboard.title} has a link {name!r} already; revoke it first, or choose another name."
        )
    if len(valid) >= LINKS_MOST:
        raise Invalid("name", f"A dashboard has at most {LINKS_MOST} links; revoke one first.")
    return name


def _is_over(link: Link, now: datetime) -> bool:
    return link.revoked_at is not None or (link.expires_at is not None and link.expires_at <= now)


def _watching(dashboard: Dashboard) -> list[str] | None:
    """Return the names of those who watch `dashboard` just now."""
    try:
        found = watchers.viewers(time.time())
    except RedisError:
        return None
    return [viewer.name for viewer in found if Topic.parse(viewer.topic).id == dashboard.pk]


def _facts(link: Link) -> dict[str, object]:
    return {
        "dashboard": link.dashboard.slug,
        "range": link.range,
        "variables": link.variables,
        "expires": link.expires_at.isoformat() if link.expires_at else "",
    }
