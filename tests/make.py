"""Builders that the tests share: what a user has, in one line."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.db.models.signals import post_init

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, screens, sources, tokens
from metrics.actions.samples import accept, checked
from metrics.batch import Accepted
from metrics.live.topic import Topic
from metrics.live.topic import variant as variant_of
from metrics.live.watchers import LAPSE_S
from metrics.models import Dashboard, Incident, Screen, Source, Team, Widget
from metrics.redis_state import pairing
from metrics.redis_state.connection import KEY, client
from metrics.sample import Sample
from metrics.series.write import write
from metrics.times import datetime_of

AT = 1_795_176_000.0
"""Friday 2026-11-20 12:00 UTC, the moment everything is seen from."""

PASSWORD = "four words make it"


def sample(metric: str = "orders_open", value: float = 1.0, at: float | None = AT, **labels: str) -> Sample:
    """Return a sample; keyword arguments are its labels."""
    return Sample(metric, value, labels, at)


def accepted(
    samples: Sequence[Sample], source: Source | None = None, now: float = AT, *, whole: bool = True
) -> Accepted:
    """Accept one push."""
    (accepted,) = accept([checked(samples, source, now, whole=whole)], now)
    return accepted


def stored(metric: str, values: Mapping[float, float], source: Source | None = None, **labels: str) -> None:
    """Store samples of one series: seconds before AT -> value."""
    write([sample(metric, value, AT - before, **labels) for before, value in values.items()], source, AT)


def widget(metric: str = "orders_open", kind: str = "number", **fields: Any) -> dict[str, Any]:
    """Return a widget to be made, with one query; keyword arguments are the rest of its config."""
    return {"kind": kind, "title": f"{kind} of {metric}", "config": {"queries": [{"metric": metric}], **fields}}


def dashboard(
    slug: str = "shop", widgets: Sequence[Mapping[str, Any]] = (), *, teams: Sequence[Group] = ()
) -> Dashboard:
    """Make a dashboard; without widgets, with one number of the metric orders_open."""
    access = {"everyone": not teams, "teams": [team.name for team in teams]}
    document = {"slug": slug, "title": slug.title(), "access": access, "widgets": list(widgets) or [widget()]}
    made = dashboards.create(SYSTEM, document)
    _ids[slug] = made.pk
    return made


_ids: dict[str, int] = {}
"""Ids of the dashboards made last, by slug; tests on an event loop can't ask the database."""


def variant(slug: str = "shop", range: str = "1h") -> Topic:
    """Return the variant of the dashboard made last with this slug; of one that there is not, that of an id unused."""
    return variant_of(_ids.get(slug, 0), range)


def widgets_of(made: Dashboard) -> list[Widget]:
    return list(made.widgets.all())


def source(kind: str = "host", name: str = "machine", every_s: int = 10, **config: Any) -> Source:
    return sources.create(SYSTEM, kind, name, every_s, config)


@contextmanager
def loading(model: type[Model]) -> Iterator[list[Model]]:
    """Gather the rows of `model` that are loaded, or made, meanwhile."""
    found: list[Model] = []

    def note(instance: Model, **_: Any) -> None:
        found.append(instance)

    post_init.connect(note, sender=model)
    try:
        yield found
    finally:
        post_init.disconnect(note, sender=model)


def incident(title: str, everyone: bool = True, teams: Sequence[Team] = ()) -> Incident:
    at = datetime_of(AT)
    made = Incident.objects.create(
        key=title[:64], title=title, severity="warning", for_everyone=everyone, opened_at=at, newest_at=at
    )
    made.teams.set(teams)
    return made


def token(name: str, scope: str, teams: Sequence[Team] = ()) -> str:
    """Make a token, and return its secret."""
    return tokens.create(SYSTEM, name, scope, teams)


def screen(name: str = "Lobby", dashboard: str = "", **given: Any) -> tuple[Screen, str]:
    """Pair a screen, as an editor does that types its code; return it and its secret."""
    secret = Screen.new_secret()
    code = pairing.begin(Screen.digest_of(secret))
    return screens.pair(SYSTEM, code, name, dashboard, **given), secret


def revoke_token(name: str) -> None:
    tokens.revoke(SYSTEM, name)


def team(name: str, *members: User) -> Team:
    made = Team.objects.create(name=name)
    made.user_set.set(members)
    return made


def user(name: str = "ada", **fields: Any) -> User:
    return User.objects.create_user(name, password=PASSWORD, **fields)


def admin() -> User:
    return User.objects.create_superuser("root", password=PASSWORD)


def watch(*variants: Topic, now: float) -> None:
    """Have the variants count as looked at, as a web process does that shows them."""
    client().zadd(f"{KEY}watched:topics", {str(variant): now + LAPSE_S for variant in variants})


def marks(variant: Topic) -> dict[str, str]:
    """Return what waits to be rendered: widget id -> count."""
    return client().hgetall(f"{KEY}marks:{variant}")  # type: ignore[return-value]
