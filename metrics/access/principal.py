"""Principals: a person, a token, a screen, a link, Watchfloor itself, or nobody."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest

from metrics.models import Link, Screen, Token


class Role(IntEnum):
    """The roles of an installation, each with everything that those below it may do."""

    NOBODY = 0
    VIEWER = 1
    EDITOR = 2
    ADMIN = 3

    def __str__(self) -> str:
        return {Role.NOBODY: "nobody", Role.ADMIN: "administrator"}.get(self, self.name.lower())

    @property
    def with_article(self) -> str:
        return f"an {self}" if str(self)[0] in "ae" else f"a {self}" if self else str(self)


ROLE_OF_SCOPE = {
    Token.Scope.PUSH: Role.NOBODY,
    Token.Scope.READ: Role.VIEWER,
    Token.Scope.EDIT: Role.EDITOR,
    Token.Scope.ADMIN: Role.ADMIN,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a link or a screen shows: one `dashboard` (id), over one `range` if it has one.

    `values` are the only ones of some of its variables, by name, in order. Without a dashboard it shows nothing.
    """

    dashboard: int | None
    range: str = ""
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Principal:
    """The one who asks: a `user`, a `token`, a `screen`, a `link`, a `dashboard`, the `system`, or `nobody` (`kind`).

    `name` is for the journal, `pk` is the id of the user, the token, the screen or the link. `teams` are the ids of
    their teams; None is a token that is bound to none, and so acts for all. `pushes` says whether it may push samples.
    `address` is the one that the request came from, if it came by one. `shown` is all that a link or a screen shows,
    None for all others.
    """

    kind: str
    name: str
    role: Role = Role.NOBODY
    pk: int | None = None
    teams: frozenset[int] | None = frozenset()
    pushes: bool = False
    address: str | None = None
    shown: Shown | None = None

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    @property
    def holder(self) -> str:
        """The kind and the id, such as `user:5`."""
        return f"{self.kind}:{self.pk}"

    @property
    def sees_all(self) -> bool:
        """Whether the things of every team are theirs to see."""
        return self.is_admin or self.teams is None


def alike(by: Principal) -> Principal:
    """Return the principal that stands for all who may see the same as `by`, but for things of one person alone."""
    return replace(by, name="", pk=None, address=None)


SYSTEM = Principal("system", "watchfloor", Role.ADMIN, pushes=True)
"""Watchfloor itself, and whoever types its commands."""

NOBODY = Principal("nobody", "nobody")


def role_of(user: User) -> Role:
    """Return the role of `user`. Django's own flags hold it: a superuser is an administrator, staff are editors."""
    if not user.is_active:
        return Role.NOBODY
    return Role.ADMIN if user.is_superuser else Role.EDITOR if user.is_staff else Role.VIEWER


def of_user(user: User | AbstractBaseUser | AnonymousUser, address: str | None = None) -> Principal:
    """Return `user` as a principal who asks from `address`."""
    if not isinstance(user, User) or not user.is_active:
        return Principal("nobody", "nobody", address=address)
    return replace(of_member(user), address=address)


def of_member(user: User) -> Principal:
    """Return `user` as a principal, without a query if their groups were fetched before."""
    role = role_of(user)
    teams = () if role is Role.ADMIN else (group.pk for group in user.groups.all())
    return Principal("user", f"user {user.get_username()}", role, user.pk, frozenset(teams))


def of_users(users: Iterable[User]) -> list[Principal]:
    """Return each of `users` as a principal, with the teams of all of them as one query."""
    users = list(users)
    prefetch_related_objects(users, Prefetch("groups", queryset=Group.objects.only("pk")))
    return [of_member(user) for user in users]


def of_token(token: Token, address: str | None = None) -> Principal:
    """Return the holder of `token` as a principal who asks from `address`."""
    scope = Token.Scope(token.scope)
    role = ROLE_OF_SCOPE[scope]
    teams = frozenset() if role is Role.ADMIN else frozenset(one.pk for one in token.teams.all()) or None
    pushes = scope in (Token.Scope.PUSH, Token.Scope.ADMIN)
    return Principal("token", f"token {token.name}", role, token.pk, teams, pushes, address)


def of_link(link: Link, address: str | None = None) -> Principal:
    """Return whoever opened `link` as a principal who asks from `address`: without a role, and without a team."""
    values = tuple((name, tuple(sorted(set(values)))) for name, values in sorted(link.variables.items()))
    shown = Shown(link.dashboard_id, link.range, values)
    return Principal("link", f"link {link.name}", pk=link.pk, address=address, shown=shown)


def of_screen(screen: Screen, address: str | None = None) -> Principal:
    """Return a paired screen as a principal that asks from `address`: without a role, and without a team."""
    dashboard = screen.shown
    shown = Shown(None) if dashboard is None else Shown(dashboard.pk, screen.range or dashboard.range)
    return Principal("screen", f"screen {screen.name}", pk=screen.pk, address=address, shown=shown)


def of_dashboard(dashboard: int | None, teams: frozenset[int]) -> Principal:
    """Return the people who may see the dashboard of this id as one principal, as a dashboard is drawn once for all.

    It sees what a viewer sees who is in the `teams` (ids) of the dashboard, and in no other.
    """
    return Principal("dashboard", f"dashboard {dashboard}", Role.VIEWER, teams=teams)


def of_visitor(request: HttpRequest) -> Principal:
    """Return who sent `request`: the user, or the link or the screen that it came by; the same object each time."""
    known = getattr(request, "principal", None)
    if known is None:
        known = request.principal = of_user(request.user, address_of(request))  # type: ignore[attr-defined]
    assert isinstance(known, Principal)
    return known


def address_of(request: HttpRequest) -> str | None:
    """Return the address of the client; None for what a proxy reports that is none."""
    return address_in(str(request.META.get("REMOTE_ADDR", "")))


def machine_at(address: str | None) -> str:
    """Return what a client's `address` is counted under: of IPv6, the /64, which one machine has all of.

    See https://www.rfc-editor.org/rfc/rfc4291#section-2.5.4. Without an address it is 0.0.0.0.
    """
    found = ipaddress.ip_address(address or "0.0.0.0")  # noqa: S104 (not one to listen on)
    return str(found if found.version == 4 else ipaddress.IPv6Address(int(found) >> 64 << 64))


def address_in(text: str) -> str | None:
    """Return the address that `text` is, in the one way of writing it; None if it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))  # without its zone, such as %eth0
