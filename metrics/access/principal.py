"""Principals: a person, a token, Watchfloor itself, or nobody."""

import ipaddress
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.http import HttpRequest

from metrics.models import Token

VERBS = ("add", "change", "delete")
NOUNS = ("dashboard", "heartbeat", "source")


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who does something: the `name` for the journal, whether it is an administrator, and its other rights.

    `rights` are such as add_source and change_dashboard; an administrator has all of them. `address` is the one that
    the request came from, if it came by one.
    """

    name: str
    is_admin: bool = False
    rights: frozenset[str] = frozenset()
    address: str | None = None

    def may(self, verb: str, noun: str) -> bool:
        return self.is_admin or f"{verb}_{noun}" in self.rights


SYSTEM = Principal("watchfloor", is_admin=True)
"""Watchfloor itself, and whoever types its commands."""


def of_user(user: User | AbstractBaseUser | AnonymousUser, address: str | None = None) -> Principal:
    """Return `user` as one who does something, from `address`; who is not staff only looks."""
    if not isinstance(user, User) or not user.is_active:
        return Principal("nobody", address=address)
    codes = (f"{verb}_{noun}" for verb in VERBS for noun in NOUNS)
    rights = (code for code in codes if user.has_perm(f"metrics.{code}"))
    return Principal(
        f"user {user.get_username()}", user.is_superuser, frozenset(rights if user.is_staff else ()), address
    )


def of_token(token: Token, address: str | None = None) -> Principal:
    """Return the holder of `token` as one who does something, from `address`."""
    return Principal(f"token {token.name}", is_admin=token.scope == Token.Scope.ADMIN, address=address)


def of_visitor(request: HttpRequest) -> Principal:
    """Return the user who sent `request`."""
    return of_user(request.user, address_of(request))


def address_of(request: HttpRequest) -> str | None:
    """Return the address of the client; None for what a proxy reports that is none."""
    try:
        address = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))  # without its zone, such as %eth0
