"""The one policy: which principal may do what to which thing, and which things a principal sees.

Roles say what somebody may do at all; teams say to which things. A thing is seen by everyone who is signed in if it is
`for_everyone`, and by the members of its teams. It is changed by the editors among the members of its teams; one that
has no team, and is for everyone, by any editor. Administrators may do everything.

Data follows its source: who may not see a source sees none of its series. A dashboard draws the sources that its teams
may see, for everyone who may see the dashboard.

An alert is for those who see its rule, an incident for its teams; the editors among them acknowledge it. Announcements
of an alert stay visible to the people who could see its incident at that time.

A channel, and what was sent through it, is for the editors of its team; one of the installation for administrators.
Silences, maintenance, schedules and annotations are things of teams as all others; the first two withhold only alerts
that their maker sees, and are changed only by those who see as much. Others may end them.
A webhook for alerts is for the editors of its teams.

A link sees its own dashboard, and of that the range and the values of variables that it was made for; a screen sees the
dashboard that editors of its teams have it show, over one range. They have no role: whatever is not granted to them
here, they may not. Screens themselves, as webhooks, are for editors.

The room of a dashboard or of an incident is for those who see that. A direct conversation is for its two people, and
for no administrator. A message is changed by its author alone, and deleted by them and those who may change its room.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet

from metrics.access.principal import ROLE_OF_SCOPE, SYSTEM, Principal, Role, Shown, of_users
from metrics.models import (
    Alert,
    AlertEvent,
    AlertWebhook,
    Annotation,
    AuditEntry,
    Channel,
    Dashboard,
    Delivery,
    Escalation,
    Heartbeat,
    Incident,
    Invitation,
    Link,
    Maintenance,
    Message,
    Notification,
    Room,
    Rule,
    Schedule,
    Screen,
    Series,
    Silence,
    Source,
    Team,
    Token,
)

M = TypeVar("M", bound=Model)


class SharedFact(Protocol):
    """A fact that is remembered with those whom it is for."""

    @property
    def for_everyone(self) -> bool: ...
    @property
    def teams(self) -> frozenset[int]: ...


S = TypeVar("S", bound=SharedFact)
Teams = Callable[[], Collection[int] | None]
"""Asks for the teams (ids) whose things somebody sees besides those for everyone; None for those of all teams."""

SEE, CREATE, CHANGE, DELETE, PUSH, SAY = "see", "create", "change", "delete", "push", "write in"
ACKNOWLEDGE, SEE_CONFIG = "acknowledge", "see the config of"

OWN_METRICS, WATCHING, SAMPLES = "own metrics", "open pages", "samples"
TRUSTED, OTHERS_GROUPS = "configs that are trusted", "groups of other tokens"
"""Things that no table holds. A config that is trusted may connect anywhere, and be of any kind."""

_BY_EDITORS = {SEE: Role.VIEWER, CREATE: Role.EDITOR, CHANGE: Role.EDITOR, DELETE: Role.EDITOR}
_BY_ADMINISTRATORS = dict.fromkeys((SEE, CREATE, CHANGE, DELETE), Role.ADMIN)

NEEDS: Mapping[type[Model] | str, Mapping[str, Role]] = {
    Dashboard: _BY_EDITORS,
    Source: {**_BY_EDITORS, SEE_CONFIG: Role.EDITOR},
    Heartbeat: _BY_EDITORS,
    Rule: _BY_EDITORS,
    AlertWebhook: dict.fromkeys((SEE, CREATE, CHANGE, DELETE), Role.EDITOR),
    AlertEvent: {SEE: Role.VIEWER},
    Alert: {SEE: Role.VIEWER, ACKNOWLEDGE: Role.EDITOR},
    Incident: {SEE: Role.VIEWER, ACKNOWLEDGE: Role.EDITOR, CHANGE: Role.EDITOR},
    Escalation: {SEE: Role.VIEWER, CHANGE: Role.EDITOR},
    Channel: dict.fromkeys((SEE, CREATE, CHANGE, DELETE), Role.EDITOR),
    Delivery: {SEE: Role.EDITOR},
    Silence: _BY_EDITORS,
    Maintenance: _BY_EDITORS,
    Annotation: _BY_EDITORS,
    Schedule: _BY_EDITORS,
    Screen: dict.fromkeys((SEE, CREATE, CHANGE, DELETE), Role.EDITOR),
    Room: {**_BY_EDITORS, SAY: Role.VIEWER},
    Message: {CHANGE: Role.VIEWER, DELETE: Role.VIEWER},
    Notification: {CREATE: Role.EDITOR},
    Token: dict.fromkeys((SEE, CREATE, CHANGE, DELETE), Role.EDITOR),
    Link: dict.fromkeys((SEE, CREATE, DELETE), Role.EDITOR),
    Series: {SEE: Role.VIEWER},
    Team: {**_BY_ADMINISTRATORS, SEE: Role.VIEWER},
    User: _BY_ADMINISTRATORS,
    Invitation: _BY_ADMINISTRATORS,
    AuditEntry: {SEE: Role.ADMIN},
    OWN_METRICS: {SEE: Role.VIEWER},
    WATCHING: {SEE: Role.EDITOR},
    SAMPLES: {},
    TRUSTED: {CREATE: Role.ADMIN},
    OTHERS_GROUPS: {CHANGE: Role.ADMIN},
}
"""The least role for each verb. A verb that is not here is refused to everybody."""

SHARED = (
    AlertEvent,
    AlertWebhook,
    Annotation,
    Dashboard,
    Incident,
    Maintenance,
    Rule,
    Schedule,
    Screen,
    Silence,
    Source,
)
"""Things that are seen by everyone, or by their teams, and by nothing else."""

WHO = {
    Role.VIEWER: "everyone who is signed in",
    Role.EDITOR: "editors and administrators",
    Role.ADMIN: "administrators",
}


class Forbidden(Exception):
    """The principal may not do this; the message says in a sentence who may."""


def may(by: Principal, verb: str, thing: Model | type[Model] | str) -> bool:
    """Return whether `by` may do `verb` to `thing`: a row, or a table or a name for any of them."""
    if verb == PUSH:
        return by.pushes
    if by.shown is not None:
        return verb == SEE and (thing is Dashboard or (isinstance(thing, Dashboard) and _is_shown(by.shown, thing)))
    needed = _needed(verb, thing)
    if needed is None or by.role < needed:
        return False
    if verb == SAY and by.kind == "token" and by.role < Role.EDITOR:
        return False  # a token to read with writes nothing
    if isinstance(thing, Message):
        return may(by, SAY, thing.room) if _is_author(by, thing) else verb == DELETE and may(by, CHANGE, thing.room)
    if isinstance(thing, Room) and thing.direct:
        return _is_chosen(by, thing) and verb in (SEE, SAY)
    if isinstance(thing, Room) and thing.dashboard is not None and thing.dashboard.deleted_at is not None:
        return False
    if by.is_admin or isinstance(thing, type | str):
        return True
    if isinstance(thing, Token) and thing.scope == Token.Scope.ADMIN:
        return False
    if isinstance(thing, Channel):  # that of the installation is for administrators, also one that is not yet
        return thing.team_id is not None and (by.teams is None or thing.team_id in by.teams)
    if isinstance(thing, Delivery):
        return may(by, verb, thing.channel)
    return _is_theirs(by, verb, thing)


def may_watch(
    by: Principal, dashboard: Dashboard, range: str, asked: Mapping[str, Sequence[str]], *, past: bool = False
) -> bool:
    """Return whether `by` may see `dashboard` over `range`, with the values that are `asked` of its variables.

    Links and screens see no moment of the `past`: the dashboard may have shown more then.
    """
    if not may(by, SEE, dashboard):
        return False
    if by.shown is None:
        return True
    variables = {one["name"] for one in dashboard.variables}
    are_its_own = all(
        name in variables and tuple(sorted(set(asked.get(name, ())))) == values for name, values in by.shown.values
    )
    return by.shown.range in ("", range) and are_its_own and not past


def check(by: Principal, verb: str, thing: Model | type[Model] | str) -> None:
    """Raise Forbidden unless `by` may do `verb` to `thing`."""
    if not may(by, verb, thing):
        raise Forbidden(_why_not(by, verb, thing))


def without_scope(token: Token, needed: Token.Scope) -> str:
    """Return the sentence that refuses what `token` does not grant: the scope that is `needed`, and who may."""
    if needed == Token.Scope.PUSH:
        who = "only tokens with that scope, or with admin, may do this"
    else:
        role = ROLE_OF_SCOPE[needed]
        who = f"{'only ' if role > Role.VIEWER else ''}{WHO[role]} may do this"
    return f"This token has the scope {token.scope}; {needed} is needed: {who}."


def visible(by: Principal, model: type[M], among: QuerySet[M] | None = None) -> QuerySet[M]:
    """Return the rows of `model` that `by` may see, as one query; of those `among`, such as the deleted ones."""
    rows = model._default_manager.all() if among is None else among
    if by.shown is not None:
        return rows.filter(pk=by.shown.dashboard) if model is Dashboard else rows.none()
    needed = NEEDS[model].get(SEE)
    if needed is None or by.role < needed:
        return rows.none()
    if model is Room:  # what two people say is for nobody else
        rows = rows.filter(Q(direct="") | _chosen(by), Q(dashboard=None) | Q(dashboard__deleted_at=None))
    if model is Token and not by.is_admin:
        others = Token.teams.through.objects.exclude(team_id__in=by.teams or ()).values("token_id")
        return rows.filter(_of_teams(Token, by)).exclude(Q(scope=Token.Scope.ADMIN) | Q(pk__in=others))
    if model is Channel and not by.is_admin:
        return rows.exclude(team=None) if by.sees_all else rows.filter(team__in=by.teams or ())
    if model is Delivery and not by.is_admin:
        return rows.filter(channel__in=visible(by, Channel).order_by().values("pk"))
    if by.sees_all:
        return rows
    if model is Series:
        return rows.exclude(source__in=_hidden_sources(by.teams))
    if model is Team:
        return rows.filter(pk__in=by.teams or ())
    if model is Alert:
        return rows.filter(rule__in=visible(by, Rule).order_by().values("pk"))
    if model is Link:  # of the dashboards that they may change
        theirs = Dashboard.teams.through.objects.filter(team_id__in=by.teams or ()).values("dashboard_id")
        return rows.filter(Q(dashboard__for_everyone=True, dashboard__teams=None) | Q(dashboard__in=theirs))
    if model in SHARED:
        return rows.filter(Q(for_everyone=True) | _of_teams(model, by))
    if model is Room:
        own = Q(for_everyone=True) | _of_teams(model, by) | _chosen(by)
        of_dashboards = Q(dashboard__in=visible(by, Dashboard).order_by().values("pk"))
        of_incidents = Q(incident__in=visible(by, Incident).order_by().values("pk"))
        return rows.filter(Q(dashboard=None, incident=None) & own | of_dashboards | of_incidents)
    if model is Escalation:
        return rows.filter(Q(team=None) | Q(team__in=by.teams or ()))
    return rows


def readers(room: Room) -> QuerySet[User]:
    """Return the people who may see `room`."""
    people = User.objects.filter(is_active=True)
    chosen = Q(pk__in=Room.people.through.objects.filter(room_id=room.pk).values("user_id"))
    if room.direct:
        return people.filter(chosen)
    if room.dashboard is not None and room.dashboard.deleted_at is not None:
        return people.none()
    owner = room.owner
    if owner.for_everyone:
        return people
    members = User.groups.through.objects.filter(group_id__in=owner.teams.order_by().values("pk"))
    return people.filter(Q(is_superuser=True) | Q(pk__in=members.values("user_id")) | chosen)


def concerned(channel: Channel) -> QuerySet[User]:
    """Return the people whom it concerns that `channel` fails, though some may not see it."""
    of_team = User.groups.through.objects.filter(group_id=channel.team_id or 0).values("user_id")
    return User.objects.filter(Q(is_superuser=True) | Q(pk__in=of_team), is_active=True)


def teams_in(room: Room) -> QuerySet[Team]:
    """Return the teams whose members see `room` as members; of a room for everyone, all."""
    owner = room.owner
    return Team.objects.all() if owner.for_everyone and not room.direct else owner.teams.all()


def hidden_from(by: Principal) -> frozenset[int]:
    """Return the ids of the sources whose series `by` may not see."""
    return frozenset() if by.sees_all else frozenset(_hidden_sources(by.teams).values_list("pk", flat=True))


def hidden_on(dashboard: int | None) -> frozenset[int]:
    """Return the ids of the sources that the dashboard of this id does not draw, as its teams may not see them.

    None stands for a dashboard that is not saved yet, and has no team.
    """
    of_dashboard = Team.objects.filter(dashboards=dashboard).values("pk") if dashboard else ()
    return frozenset(_hidden_sources(of_dashboard).values_list("pk", flat=True))


def hidden_from_teams(teams: Iterable[Team]) -> frozenset[int]:
    """Return the ids of the sources whose series what belongs to `teams` does not show."""
    return frozenset(_hidden_sources([team.pk for team in teams]).values_list("pk", flat=True))


def teams_of(dashboard: int | None, by: Principal = SYSTEM) -> frozenset[int]:
    """Return the ids of those teams of the dashboard of this id whose things `by` sees; without an id, none."""
    rows = Team.objects.filter(dashboards=dashboard) if dashboard else Team.objects.none()
    found = frozenset(rows.order_by().values_list("pk", flat=True))
    return found if by.sees_all else found & (by.teams or frozenset())


def channels_that_concern(by: Principal) -> Q:
    """Return the condition that a channel, which may not be for `by` to see, brings what they are told.

    That it fails is for them to know, and no more of it.
    """
    return Q(team=None) | Q(team__in=by.teams or ())


def is_for_teams(for_everyone: bool, of: Collection[int], teams: Collection[int]) -> bool:
    """Return whether what belongs to `teams` (ids) may show a thing that is `for_everyone`, or that of teams `of`."""
    return for_everyone or not set(teams).isdisjoint(of)


def seen_by(by: Principal) -> Collection[int] | None:
    """Return the ids of the teams whose things `by` sees besides those for everyone; None for those of all teams."""
    return None if by.sees_all else by.teams or ()


def for_readers(found: Iterable[S], teams: Teams) -> list[S]:
    """Return those of `found` that are for everyone, or for one of `teams`, which are asked for only if one is not."""
    rows = list(found)
    if all(one.for_everyone for one in rows) or (of := teams()) is None:
        return rows
    return [one for one in rows if is_for_teams(one.for_everyone, one.teams, of)]


def is_for(by: Principal, for_everyone: bool, teams: Collection[int]) -> bool:
    """Return whether `by`, who may follow alerts, is told an event that is for `teams` (ids), or `for_everyone`."""
    return by.sees_all or is_for_teams(for_everyone, teams, by.teams or ())


def muted_beyond(by: Principal, things: Iterable[Silence | Maintenance]) -> set[Any]:
    """Return the ids of those of `things` that may withhold alerts of a rule that `by` does not see, in two queries."""
    reaches = {} if by.sees_all else {one.pk: _reach(one) for one in things}
    wide = {pk: reach for pk, reach in reaches.items() if reach is None or not reach <= (by.teams or set())}
    if not wide:
        return set()
    hidden = Rule.objects.filter(for_everyone=False).exclude(pk__in=visible(by, Rule).order_by().values("pk"))
    teams = set(Rule.teams.through.objects.filter(rule__in=hidden).values_list("team_id", flat=True))
    is_any_hidden = hidden.exists()
    return {pk for pk, reach in wide.items() if (is_any_hidden if reach is None else not teams.isdisjoint(reach))}


def _reach(thing: Silence | Maintenance) -> frozenset[int] | None:
    """Return the ids of the teams whose alerts `thing` withholds; None for those of any, and if they can't be read."""
    given = thing.reach
    return frozenset(given) if isinstance(given, list) and all(isinstance(one, int) for one in given) else None


def check_muted(by: Principal, thing: Silence | Maintenance) -> None:
    """Raise Forbidden if `thing`, which `by` may change, may withhold alerts of a rule that `by` does not see."""
    if muted_beyond(by, [thing]):
        noun = thing._meta.verbose_name
        own = noun if isinstance(thing, Maintenance) else f"a {noun}"
        raise Forbidden(f"This {noun} mutes alerts that you may not see: end it, or make {own} of your own.")


def restricted_sources() -> dict[int, frozenset[int]]:
    """Return the ids of the teams that may see each source that is not for everyone, by its id."""
    teams: dict[int, set[int]] = {
        pk: set() for pk in Source.with_deleted.filter(for_everyone=False).order_by().values_list("pk", flat=True)
    }
    for source, team in Source.teams.through.objects.filter(source_id__in=teams).values_list("source_id", "team_id"):
        teams[source].add(team)
    return {source: frozenset(those) for source, those in teams.items()}


def is_for_all_of(room: Room, thing: Model) -> bool:
    """Return whether everyone who may see `room` may see `thing`, administrators aside."""
    of = room.owner
    if isinstance(thing, Alert):
        return is_for_all_of(room, thing.rule)
    if not isinstance(thing, Dashboard | Incident | Room | Rule | Source):
        return isinstance(thing, Heartbeat)
    if thing in (of, room) or thing.for_everyone:
        return True
    if isinstance(thing, Room) and thing.owner is not thing:
        return is_for_all_of(room, thing.owner)
    teams = {team.pk for team in of.teams.all()}
    people = of.people.all() if isinstance(of, Room) else ()
    if of.for_everyone or not teams <= {team.pk for team in thing.teams.all()}:
        return False
    return all(may(person, SEE, thing) for person in of_users(people))


def _hidden_sources(teams: Any) -> QuerySet[Source]:
    seen = Source.teams.through.objects.filter(team_id__in=teams).values("source_id")
    return Source.with_deleted.filter(for_everyone=False).exclude(pk__in=seen).order_by()


def _of_teams(model: Any, by: Principal) -> Q:
    name = model._meta.model_name
    return Q(pk__in=model.teams.through.objects.filter(team_id__in=by.teams or ()).values(f"{name}_id"))


def _chosen(by: Principal) -> Q:
    """Return the condition that a room is for `by` as one of its people."""
    chosen = Room.people.through.objects.filter(user_id=(by.pk or 0) if by.kind == "user" else 0)
    return Q(pk__in=chosen.values("room_id"))


def _is_chosen(by: Principal, room: Room) -> bool:
    return by.kind == "user" and any(user.pk == by.pk for user in room.people.all())


def _is_shown(shown: Shown, dashboard: Dashboard) -> bool:
    return dashboard.pk == shown.dashboard and dashboard.deleted_at is None


def _is_author(by: Principal, message: Message) -> bool:
    if by.kind == "user":
        return message.user_id is not None and message.user_id == by.pk
    if by.kind == "token":
        return message.token_id is not None and message.token_id == by.pk
    return message.by == by.name and message.user_id is None and message.token_id is None


def _needed(verb: str, thing: Model | type[Model] | str) -> Role | None:
    return NEEDS.get(thing if isinstance(thing, type | str) else type(thing), {}).get(verb)


def _is_theirs(by: Principal, verb: str, thing: Model) -> bool:
    is_new = thing.pk is None and not isinstance(thing, Escalation)
    if is_new or (by.teams is None and not isinstance(thing, Token)):
        return True
    if isinstance(thing, Series):
        return thing.source is None or _is_theirs(by, SEE, thing.source)
    if isinstance(thing, Team):
        return thing.pk in (by.teams or ())
    if isinstance(thing, Link):
        return _is_theirs(by, CHANGE, thing.dashboard)
    if isinstance(thing, Token):
        teams = {team.pk for team in thing.teams.all()}
        return bool(teams) and teams <= (by.teams or set())
    if isinstance(thing, Room) and thing.owner is not thing:
        return _is_theirs(by, SEE if verb == SAY else verb, thing.owner)
    if isinstance(thing, Room) and _is_chosen(by, thing):
        return True
    if isinstance(thing, Alert):
        return _is_theirs(by, SEE, thing.rule)
    if isinstance(thing, Incident) and verb == ACKNOWLEDGE:
        return _is_theirs(by, SEE, thing)
    if isinstance(thing, Escalation):
        return thing.team_id in (None, *(by.teams or ())) if verb == SEE else thing.team_id in (by.teams or ())
    if isinstance(thing, (*SHARED, Room)):
        teams = {team.pk for team in thing.teams.all()}
        if by.teams is not None and teams & by.teams:
            return True
        chosen = isinstance(thing, Room) and bool(thing.people.all())
        return thing.for_everyone and (verb in (SEE, SEE_CONFIG, SAY) or not (teams or chosen))
    return True


def _why_not(by: Principal, verb: str, thing: Model | type[Model] | str) -> str:
    needed = _needed(verb, thing)
    if verb == PUSH:
        return "This token may not push samples; make one with the scope push."
    model = thing if isinstance(thing, type | str) else type(thing)
    nouns = model if isinstance(model, str) else str(model._meta.verbose_name_plural)
    if needed is None:
        return f"Nobody may {verb} {nouns}."
    if verb == SAY and by.kind == "token":
        return "This token may not write in rooms; make one with the scope edit, for everyone or a team of the room."
    if by.shown is not None:
        return f"This {by.kind} shows one dashboard, and does not {verb} {nouns}."
    if by.role < needed:
        said = f"This token is for {by.role.with_article}" if by.kind == "token" else f"You are {by.role.with_article}"
        return f"{said}: only {WHO[needed]} may {verb} {nouns}."
    assert isinstance(thing, Model)
    if isinstance(thing, Token) and thing.scope == Token.Scope.ADMIN:
        return f"Only administrators may {verb} tokens with the scope admin."
    if isinstance(thing, Message):
        return (
            "Only its author changes a message."
            if verb == CHANGE
            else ("Only its author, and those who may change the room, delete a message.")
        )
    channel = thing.channel if isinstance(thing, Delivery) else thing
    of = [channel.team] if isinstance(channel, Channel) else getattr(thing, "teams", Team.objects.none()).all()
    teams = sorted(team.name for team in of if team is not None)
    who = f"editors of {', '.join(teams)} and administrators" if teams else "administrators"
    return f"Only {who} may {verb} the {thing._meta.verbose_name} {thing}."
