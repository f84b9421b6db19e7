"""Typed readers for environment variables.

Every setting is declared by the call that reads it and kept in `DECLARED`, which a test compares with
`docs/settings.md`. A bad value stops the start with one sentence that names the variable. Any variable
may instead be given as `NAME_FILE`, the path of a file that holds the value: that is how container
secrets arrive.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

ORIGIN = re.compile(r"https?://(?:(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?")
"""Scheme, host and port, as Content-Security-Policy takes them; `*.` stands for all hosts of a domain."""


@dataclass(frozen=True)
class Setting:
    """One environment variable: its name, what it means, and the default as a reader would write it."""

    name: str
    help: str
    default: str


DECLARED: dict[str, Setting] = {}


def read(name: str, default: T, help: str, parse: Callable[[str], T], expected: str) -> T:
    """Return the variable `name` parsed, or `default` when it is unset or empty.

    `parse` raises ValueError or KeyError for what it does not take; `expected` completes "NAME must be ...".
    Raises ImproperlyConfigured with one sentence for a value or a file that can't be read.
    """
    DECLARED[name] = Setting(name, help, "" if default is None else str(default))
    raw = _raw(name)
    if not raw:
        return default
    try:
        return parse(raw)
    except (ValueError, KeyError):
        raise ImproperlyConfigured(f"{name} must be {expected}, not {raw!r}.") from None


def text(name: str, default: str, help: str) -> str:
    return read(name, default, help, str, "text")


def path(name: str, default: Path, help: str) -> Path:
    return read(name, default, help, lambda raw: Path(raw).expanduser().resolve(), "a path")


def path_or_none(name: str, help: str) -> Path | None:
    def parse(raw: str) -> Path | None:
        return Path(raw).expanduser().resolve()

    return read(name, None, help, parse, "a path")


def paths(name: str, help: str) -> list[Path]:
    """A comma-separated list of paths; none when it is not given."""

    def parse(raw: str) -> list[Path]:
        return [Path(item.strip()).expanduser().resolve() for item in raw.split(",") if item.strip()]

    value = read(name, list[Path](), help, parse, "a list of paths")
    DECLARED[name] = Setting(name, help, "")
    return value


def integer(name: str, default: int, help: str, *, least: int = 0, most: int = 2**31 - 1) -> int:
    def parse(raw: str) -> int:
        value = int(raw)
        if not least <= value <= most:
            raise ValueError
        return value

    return read(name, default, help, parse, f"a whole number from {least} to {most}")


def flag(name: str, default: bool, help: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

    def parse(raw: str) -> bool:
        try:
            return words[raw.lower()]
        except KeyError:
            raise ValueError from None

    return read(name, default, help, parse, "one of true, false, yes, no, on, off, 1, 0")


def choice(name: str, default: str, help: str, words: tuple[str, ...]) -> str:
    """One of `words`, in capitals or not."""

    def parse(raw: str) -> str:
        if raw.upper() not in words:
            raise ValueError
        return raw.upper()

    return read(name, default, help, parse, f"one of {', '.join(words)}")


def items(name: str, default: list[str], help: str) -> list[str]:
    """A comma-separated list."""
    value = read(name, default, help, lambda raw: [item.strip() for item in raw.split(",") if item.strip()], "a list")
    DECLARED[name] = Setting(name, help, ",".join(default))
    return value


def origins(name: str, help: str) -> list[str]:
    """A comma-separated list of origins such as `https://portal.example.com`; none when it is not given."""

    def parse(raw: str) -> list[str]:
        found = [item.strip().rstrip("/").lower() for item in raw.split(",") if item.strip()]
        if not all(ORIGIN.fullmatch(one) for one in found):
            raise ValueError
        return found

    value = read(name, list[str](), help, parse, "a list of origins such as https://portal.example.com")
    DECLARED[name] = Setting(name, help, "")
    return value


def networks(name: str, help: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of addresses and networks; none when it is not given."""

    def parse(raw: str) -> list[IPv4Network | IPv6Network]:
        return [ip_network(item.strip()) for item in raw.split(",") if item.strip()]

    value = read(name, list[IPv4Network | IPv6Network](), help, parse, "a list of addresses and networks")
    DECLARED[name] = Setting(name, help, "")
    return value


def url(name: str, default: str, help: str, *, schemes: tuple[str, ...]) -> str:
    """A URL whose scheme is one of `schemes`. The value may hold a password, so it is never echoed."""

    def parse(raw: str) -> str:
        if raw.partition("://")[0] not in schemes:
            expected = " or ".join(f"{scheme}://" for scheme in schemes)
            raise ImproperlyConfigured(f"{name} must begin with {expected}.")
        return raw

    return read(name, default, help, parse, "a URL")


def _raw(name: str) -> str:
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return os.environ.get(name, "").strip()
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: {file} can't be read ({error.strerror}).") from None
