"""Dashboards of Grafana, taken in as far as there are counterparts, with a list of what was left out."""

import json
from dataclasses import dataclass
from typing import Any

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import dashboard_files, dashboards
from metrics.actions.errors import Invalid
from metrics.grafana.dashboard import LeftOut, NoDashboard, converted, is_grafanas
from metrics.models import Dashboard, Source
from metrics.widgets import live_queries

SIZE_MOST_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """A dashboard of Grafana as a `document` of ours, and what was left out of it."""

    document: dict[str, Any]
    left_out: list[LeftOut]

    def text(self) -> str:
        """Return the document as the text of a file."""
        return dashboard_files.text_of(dashboards.parse(self.document))


def is_json(text: str) -> bool:
    """Return whether `text` looks like JSON, as dashboards of Grafana are, and not like YAML as people write it."""
    return text.lstrip("\ufeff \t\r\n").startswith("{")


def servers(by: Principal) -> list[str]:
    """Return the names of the sources that dashboards of `by` may ask live."""
    return live_queries.to_choose(visible(by, Source))


def check_server(by: Principal, source: str) -> None:
    """Raise Invalid if dashboards of `by` may not ask the server of the source of this name; "" is none."""
    if source and source not in servers(by):
        raise Invalid("source", f"source: there is no source {source!r} that may be asked live.")


def take(text: str, source: str = "") -> Taken:
    """Return the dashboard that `text`, JSON of Grafana's, describes. Raises Invalid.

    With the name of a `source` its queries are asked of the server of that, live; else they are of stored series.
    """
    if len(text.encode(errors="surrogatepass")) > SIZE_MOST_BYTES:
        raise Invalid("", f"It has more than {SIZE_MOST_BYTES} bytes.")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as problem:
        raise Invalid("", f"Line {problem.lineno}: It is no JSON: {problem.msg}.") from None
    except (ValueError, RecursionError):
        raise Invalid("", "It is no JSON that can be read.") from None
    if not is_grafanas(value):
        raise Invalid("", "It is no dashboard of Grafana's: it has no panels.")
    try:
        document, left_out = converted(value, source)
    except NoDashboard as problem:
        raise Invalid("", str(problem)) from None
    except (ArithmeticError, ValueError, RecursionError):  # numbers that are none, expressions without end
        raise Invalid("", "It has a number or an expression that can't be read.") from None
    widgets = []
    for widget in document["widgets"]:
        try:
            dashboards.check_widget(widget["kind"], widget["config"])
            widgets.append(widget)
        except Invalid as problem:
            left_out.append(LeftOut(widget["title"], str(problem)))
    return Taken({**document, "slug": dashboards.slug_for(document["title"]), "widgets": widgets}, left_out)


def create(by: Principal, text: str, source: str = "") -> tuple[Dashboard, list[LeftOut]]:
    """Make the dashboard that `text`, JSON of Grafana's, describes. Raises Forbidden, or Invalid."""
    check_server(by, source)
    taken = take(text, source)
    return dashboards.create(by, taken.document), taken.left_out
