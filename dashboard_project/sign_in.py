"""What the pause after failed sign-ins counts by: a name and an address that every database can store."""

import ipaddress
from typing import Any

from django.http import HttpRequest

NAME_MOST = 150


def username(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str:
    """Return the name that was tried, cut to what a name may be."""
    given = (credentials or {}).get("username") or (request.POST.get("username", "") if request else "")
    return str(given).replace("\x00", "")[:NAME_MOST]


def client_address(request: HttpRequest) -> str:
    """Return the address of the client; 0.0.0.0 for what a proxy reports that is none."""
    given = str(request.META.get("REMOTE_ADDR", ""))
    try:
        return str(ipaddress.ip_address(given))
    except ValueError:
        return "0.0.0.0"  # noqa: S104 (not an address to listen on)
