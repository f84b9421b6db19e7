"""Links of Grafana's panels, values and dashboards as links of ours.

The parts that carry the time range and the variables there (`${__url_time_range}`, `${__all_variables}`,
`${host:queryparam}`) are removed: our links carry both by themselves. A dashboard is found by the slug in its address,
which it has here too.
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from metrics.grafana.raw import mappings, texts
from metrics.widgets.links import LINKS_MOST, Href

TEXT_MOST = 60
_HREF: TypeAdapter[str] = TypeAdapter(Href)
_DASHBOARD = re.compile(r"^(?:https?://[^/]+)?/d/[\w-]+/([\w-]+)/?(?=[?#]|$)")
_LABEL = re.compile(r"\$\{__(?:field\.labels|data\.fields)(?:\.(\w+)|\[[\"']?(\w+)[\"']?\])(?::\w+)?\}")
_CARRIED = re.compile(
    r"\$\{?__(?:url_time_range|all_variables)\}?|\$\{\w+:queryparam\}|(?:from|to)=\$\{?__(?:from|to)\b[^&]*"
)
_FORMATTED = re.compile(r"\$\{(\w+):\w+\}|\[\[(\w+)(?::\w+)?\]\]")


def of_panel(
    raw: Mapping[str, Any], defaults: Mapping[str, Any], *, has_rows: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return `links` and `row_link` of the config of a panel's widget, without empty ones, and what was left out.

    A link of values becomes that of the rows where the widget has some, and one of the widget where it needs no label.
    """
    found, row_link, left_out = list[dict[str, str]](), "", list[str]()
    given = [(one, False) for one in mappings(raw.get("links"))]
    for one, is_of_values in [*given, *((one, True) for one in mappings(defaults.get("links")))]:
        title = _title(one)
        url = _url(one)
        if not url or "$__" in url or "${__" in url or (not has_rows and _LABEL.search(str(one.get("url") or ""))):
            left_out.append(f"Its link {title!r}.")
        elif is_of_values and has_rows and not row_link:
            row_link = url
        elif len(found) < LINKS_MOST:
            found.append({"title": title, "url": url})
        else:
            left_out.append(f"Its link {title!r}: a widget has at most {LINKS_MOST}.")
    return {**({"links": found} if found else {}), **({"row_link": row_link} if row_link else {})}, left_out


def of_dashboard(found: Mapping[str, Any]) -> tuple[list[dict[str, str]], list[str]]:
    """Return the links of a dashboard, title and url, and those that were left out."""
    made, left_out = list[dict[str, str]](), list[str]()
    for one in mappings(found.get("links")):
        title, url = _title(one), _url(one)
        if one.get("type") == "dashboards":
            tags = ", ".join(texts(one.get("tags")))
            left_out.append(f"Its links to dashboards with the tags {tags or 'of any name'}.")
        elif url and "$" not in url:
            made.append({"title": title, "url": url})
        else:
            left_out.append(f"Its link {title!r}.")
    return made, left_out


def _title(one: Mapping[str, Any]) -> str:
    return " ".join(str(one.get("title") or "").split())[:TEXT_MOST] or "Link"


def _url(one: Mapping[str, Any]) -> str:
    """Return the address as ours, empty if there can be no such link."""
    url = str(one.get("url") or "").strip()
    url = _DASHBOARD.sub(lambda match: f"/d/{match[1].lower()}/", url)
    url = _LABEL.sub(lambda match: f"${{{match[1] or match[2]}}}", url)
    url = _FORMATTED.sub(lambda match: f"${{{match[1] or match[2]}}}", _CARRIED.sub("", url))
    path, mark, query = url.partition("?")
    query = "&".join(part for part in query.split("&") if part)
    try:
        return _HREF.validate_python(f"{path}{mark}{query}".rstrip("?"))
    except ValidationError:
        return ""
