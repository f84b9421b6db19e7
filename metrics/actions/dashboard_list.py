"""The list of dashboards: how each stands, the viewers it has, its newest edit, and the favourites of a person."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import F
from redis import RedisError

from metrics.access.policy import CHANGE, SEE, may, visible
from metrics.access.principal import Principal
from metrics.actions import dashboards
from metrics.actions.errors import Forbidden, Missing
from metrics.live import states, watchers
from metrics.live.states import WidgetState
from metrics.live.topic import DASHBOARD, Topic
from metrics.models import Dashboard, Favourite, Revision, StartPage
from metrics.redis_state import outage
from metrics.redis_state.round_trip import ask

TAGS_LISTED = 30
NOT_LOOKED_AT, UNKNOWN = "not looked at", "not known"
ORDER = ("critical", "broken", "stale", "warning", "late", "no data", "ok")
"""States of a widget, the worst first. A stale one has no level: its value no longer counts."""
MARKS = {"critical": "critical", "broken": "critical", "stale": "warn", "warning": "warn", "late": "warn"} | {
    "no data": "nodata",
    "ok": "ok",
}
WORDS = {"no data": "without data"}


@dataclass(frozen=True, slots=True)
class Status:
    """How a dashboard stands: its worst `state`, in `words` how many widgets are how, and the `mark` that shows it.

    Of one that nobody looks at nothing is drawn, and so nothing is known; its mark is empty.
    """

    state: str
    words: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A dashboard in the list. `tabs` and `walls` are how many are open; `edited_at` and `edited_by` may be unknown."""

    dashboard: Dashboard
    status: Status
    tabs: int
    walls: int
    edited_at: datetime | None
    edited_by: str
    is_favourite: bool
    may_change: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """The `cards` that were searched for, of `total` dashboards, and the `tags` that most have, with how many do."""

    cards: list[Card]
    total: int
    tags: list[tuple[str, int]]


@dataclass(slots=True)
class _Watched:
    states: dict[str, list[WidgetState]] = field(default_factory=dict)
    is_watched: bool = False
    tabs: int = 0
    walls: int = 0


def listed(by: Principal, now: float, text: str = "", tag: str = "") -> Listed:
    """Return the dashboards that `by` may see and that have `text` in their title, description, slug or tags.

    `tag` is one that they have to have. Favourites come first, then by title. Nothing is drawn for it: a state is that
    of the newest render, if somebody looks; `now` is Unix seconds.
    """
    seen = list(visible(by, Dashboard).prefetch_related("teams"))
    tags = Counter(tag for one in seen for tag in one.tags)
    wanted = text.casefold().split()
    found = [one for one in seen if (not tag or tag in one.tags) and all(word in _searched(one) for word in wanted)]
    ids = [one.pk for one in found]
    edits = _edits(found)
    watched = _watched(ids, now)
    favourites = favourites_of(by)
    cards = [
        Card(
            dashboard=one,
            status=_status(watched[one.pk] if watched is not None else None, now),
            tabs=watched[one.pk].tabs if watched else 0,
            walls=watched[one.pk].walls if watched else 0,
            edited_at=edits[one.pk].at if one.pk in edits else None,
            edited_by=edits[one.pk].by if one.pk in edits else "",
            is_favourite=one.pk in favourites,
            may_change=may(by, CHANGE, one),
        )
        for one in found
    ]
    cards.sort(key=lambda card: not card.is_favourite)
    return Listed(cards, len(seen), sorted(tags.most_common(TAGS_LISTED), key=lambda pair: pair[0].casefold()))


def to_bring_back(by: Principal) -> list[Dashboard]:
    """Return the deleted dashboards that `by` may restore, the newest first."""
    return [one for one in dashboards.deleted(by).prefetch_related("teams") if may(by, CHANGE, one)]


def favourites_of(by: Principal) -> set[int]:
    """Return the ids of the favourites of `by`; only people have some."""
    if by.kind != "user":
        return set()
    return set(Favourite.objects.filter(user=by.pk).values_list("dashboard_id", flat=True))


def favour(by: Principal, slug: str, *, on: bool) -> None:
    """Make a dashboard a favourite of `by`, or no more. Raises Missing, or Forbidden for who is no person."""
    found, user = dashboards.find(by, slug), _person(by)
    if on:
        Favourite.objects.get_or_create(user=user, dashboard=found)
    else:
        Favourite.objects.filter(user=user, dashboard=found).delete()


def start_page(by: Principal) -> Dashboard | None:
    """Return the dashboard that `by` sees first; None for the list, also if it is not for them any more."""
    if by.kind != "user" or not may(by, SEE, Dashboard):
        return None
    return visible(by, Dashboard).filter(pk__in=StartPage.objects.filter(user=by.pk).values("dashboard")).first()


def choose_start_page(by: Principal, slug: str) -> None:
    """Have `by` see the dashboard `slug` first, or the list if that is empty. Raises Missing or Forbidden."""
    user = _person(by)
    if slug:
        StartPage.objects.update_or_create(user=user, defaults={"dashboard": dashboards.find(by, slug)})
    else:
        StartPage.objects.filter(user=user).delete()


def _person(by: Principal) -> User:
    if by.kind != "user":
        raise Forbidden("Only people have favourites and a start page.")
    user = User.objects.filter(pk=by.pk or 0).first()
    if user is None:
        raise Missing("There is no such person.")
    return user


def _searched(dashboard: Dashboard) -> str:
    return "\n".join([dashboard.title, dashboard.description, dashboard.slug, *dashboard.tags]).casefold()


def _edits(found: Sequence[Dashboard]) -> Mapping[int, Revision]:
    newest = Revision.objects.filter(dashboard__in=found, number=F("dashboard__revision"))
    return {one.dashboard_id: one for one in newest.only("dashboard_id", "by", "at")}


def _watched(ids: Iterable[int], now: float) -> dict[int, _Watched] | None:
    """Return what is known of the dashboards `ids` that somebody looks at; None while Redis does not answer."""
    found = {id: _Watched() for id in ids}
    try:
        topics = [one for one in watchers.watched(now) if one.kind == DASHBOARD and one.id in found]
        read = ask(states.read(topics))
        viewers = watchers.viewers(now)
    except RedisError as error:
        outage.log("dashboards were listed without their states", error)
        return None
    for topic, of_topic in zip(topics, read, strict=True):
        found[topic.id].is_watched = True
        for key, state in of_topic.items():
            found[topic.id].states.setdefault(key, []).append(state)
    for viewer in viewers:
        topic = Topic.parse(viewer.topic)
        if topic.kind == DASHBOARD and topic.id in found:
            found[topic.id].walls += viewer.wall
            found[topic.id].tabs += not viewer.wall
    return found


def _status(watched: _Watched | None, now: float) -> Status:
    if watched is None:
        return Status(UNKNOWN, "State not known: Redis does not answer")
    if not watched.is_watched:
        return Status(NOT_LOOKED_AT, "Not looked at, so not drawn")
    if not watched.states:
        return Status(NOT_LOOKED_AT, "Not drawn yet")
    # One that is open in several ranges is one widget, and counts as it is worst.
    of_each = ({_state(one, now) for one in states} for states in watched.states.values())
    counts = Counter(min(found, key=ORDER.index) for found in of_each)
    worst = next(state for state in ORDER if counts[state] or state == ORDER[-1])
    if worst == "ok":
        return Status(worst, "OK", MARKS[worst])
    said = [f"{counts[state]} {WORDS.get(state, state)}" for state in ORDER[:-1] if counts[state]]
    return Status(worst, ", ".join(said), MARKS[worst])


def _state(widget: WidgetState, now: float) -> str:
    if widget.level == "broken":
        return "broken"
    if widget.freshness == "nodata":
        return "no data"
    if widget.stale_at is not None and now >= widget.stale_at:
        return "stale"
    if widget.level == "critical":
        return "critical"
    if widget.level == "warn":
        return "warning"
    return "late" if widget.late_at is not None and now >= widget.late_at else "ok"
