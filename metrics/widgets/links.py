"""Links of a widget and of its rows: to a runbook, or to another dashboard with the same variables and range.

`$range` stands for the range that is shown, `$host` for what is chosen of the variable host; in the link of a row,
`${host}` is the value of its label host. Values are percent-encoded. A path to a dashboard, such as `/d/shop/`, gets
the range and the variables by itself, but for what it gives already.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, unquote_plus, urlencode, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from metrics.access.sharing import Text

URL_MOST = 1000
LINKS_MOST = 5
VARIABLE = "var-"
"""Before the name of a variable in an address."""

_PLACE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_DASHBOARD = re.compile(r"/(?:d|wall)/[-\w]+/")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\<>\"]")

Values = Mapping[str, Sequence[str]]
"""Values by the name of their variable."""


def _checked(url: str) -> str:
    """Return `url` if a browser may follow it. Raises ValueError, whose text completes a sentence."""
    if not url:
        return url
    if found := _UNSAFE.search(url):
        raise ValueError(f"a link has no {found[0]!r} in it")
    if url.startswith("/"):
        if url.startswith("//"):
            raise ValueError("a link to a page here begins with one /")
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("a link has to be an address that can be read") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("a link begins with http://, https:// or /")
    if "@" in parts.netloc:
        raise ValueError("a link names no user and no password")
    return url


Href = Annotated[str, Field(max_length=URL_MOST), AfterValidator(_checked)]
"""An address that is followed: http, https, or a path here. Others, such as javascript:, are refused."""


def outside(url: str) -> str:
    """Return an address of somewhere else that somebody sent, if a browser may follow it; else empty."""
    try:
        return _checked(url) if len(url) <= URL_MOST and not url.startswith("/") else ""
    except ValueError:
        return ""


class Link(BaseModel):
    """A link of a widget."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text = Field(min_length=1, max_length=60, description="Words of the link.")
    url: Href = Field(
        min_length=1,
        description="http, https, or a path here; $range and $host stand for the range and the variable host.",
    )


@dataclass(frozen=True, slots=True)
class ShownLink:
    """A link as it is drawn: its `title`, its `url`, and whether it is `outside`, and leads to somewhere else."""

    title: str
    url: str
    outside: bool


def with_values(url: str, values: Values, *, is_row: bool = False) -> str:
    """Return `url` with what is chosen of variables; in that of a row, names stand for labels, and are left alone."""
    filled = url if is_row else _filled(url, {name: ",".join(chosen) for name, chosen in values.items()})
    return _carrying(filled, ((VARIABLE + name, value) for name, chosen in values.items() for value in chosen))


def over(link: Link, range: str) -> ShownLink:
    """Return `link` over `range`."""
    return ShownLink(link.title, url_over(link.url, range), not link.url.startswith("/"))


def url_over(url: str, range: str) -> str:
    """Return `url` over `range`."""
    return _carrying(_filled(url, {"range": range}), [("range", range)])


def of_row(template: str, labels: Mapping[str, str], range: str) -> str:
    """Return the link of the row of a series that has `labels`, empty if that leads nowhere.

    A label that it does not have is empty behind a ? or #; before, there is no link without it.
    """
    if not template:
        return ""
    known = {"range": range, **labels}
    path = re.split("[?#]", template, maxsplit=1)[0]
    if not all(known.get(found[1] or found[2]) for found in _PLACE.finditer(path)):
        return ""
    filled = _PLACE.sub(lambda found: quote(known.get(found[1] or found[2], ""), safe=""), template)
    try:
        return _checked(_carrying(filled, [("range", range)]))
    except ValueError:
        return ""


def _filled(url: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return quote(values[name], safe="") if name in values else found[0]

    return _short(_PLACE.sub(value, url), url)


def _carrying(url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Return a path to a dashboard with those of `parameters` that it does not give itself; others as they are."""
    if not _DASHBOARD.match(url):
        return url
    before, mark, fragment = url.partition("#")
    path, _, query = before.partition("?")
    given = {unquote_plus(part.partition("=")[0]) for part in query.split("&")}
    if given & {"from", "at"}:
        given.add("range")
    more = urlencode([(name, value) for name, value in parameters if name not in given])
    query = "&".join(filter(None, [query, more]))
    return _short(f"{path}?{query}{mark}{fragment}" if query else url, url)


def _short(url: str, otherwise: str) -> str:
    return url if len(url) <= URL_MOST else otherwise
