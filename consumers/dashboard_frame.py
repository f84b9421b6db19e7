"""Frames of a dashboard: HTML for pages, the fragments that changed and a pulse; values as JSON for programs."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from html import escape
from typing import Any, NamedTuple, Protocol

from django.conf import settings

from consumers.frame import MORPH, Element, Frame
from metrics.actions.notice import Notice
from metrics.health.store import Down
from metrics.live.topic import DASHBOARD, VALUES

BEHIND_LEAST_S = 3.0
NOTHING_DOWN = Down()


class Pulse(NamedTuple):
    """The state that a page shows after a frame, and when: `time` is Unix seconds, by the server's clock.

    `behind_s` is for how long something that changed waits to be drawn; less than `BEHIND_LEAST_S` is not told. `lost`
    is a sentence that says why nothing new can come. How much is `down` is told where it is not nothing. `layout` is a
    digest of which widgets there are; a page that has others loads anew. `alerts` counts the changes of alerts.
    """

    epoch: str
    version: int
    time: float
    revision: int
    behind_s: float = 0.0
    lost: str = ""
    down: Down = NOTHING_DOWN
    layout: str = ""
    alerts: int = 0


class Form(Protocol):
    """How a dashboard is written."""

    def widget(self, key: str, text: str) -> str:
        """Return the part of a frame with the widget of this key, which is gone if `text` is empty."""

    def notice(self, html: str, said: Notice) -> str:
        """Return the part of a frame with the notice."""

    def frame(self, widgets: Iterable[str], notice: str, pulse: Pulse) -> Frame:
        """Return one frame; `notice` is empty if it has none."""


class Html:
    """For pages: elements that htmx swaps, and a pulse at the end. A page loads anew when widgets are removed."""

    def widget(self, key: str, text: str) -> str:
        return Element(f"w-{key}", MORPH, text).partial() if text else ""

    def notice(self, html: str, said: Notice) -> str:
        return Element("notice", MORPH, html).partial()

    def frame(self, widgets: Iterable[str], notice: str, pulse: Pulse) -> Frame:
        behind = f' data-behind="{pulse.behind_s:.0f}"' if pulse.behind_s >= BEHIND_LEAST_S else ""
        why = f' data-lost="{escape(pulse.lost)}"' if pulse.lost else ""
        layout = f' data-layout="{pulse.layout}"' if pulse.layout else ""
        alerts = f' data-alerts="{pulse.alerts}"' if pulse.alerts else ""
        counts = "".join(f' data-{what}-down="{count}"' for what, count in asdict(pulse.down).items() if count)
        element = (
            '<hx-partial hx-target="#pulse" hx-swap="outerMorph">'
            f'<i id="pulse" hidden data-epoch="{escape(pulse.epoch)}" data-version="{pulse.version}"'
            f' data-time="{pulse.time:.3f}" data-build="{escape(settings.BUILD_ID)}"'
            f' data-revision="{pulse.revision}"{layout}{behind}{why}{alerts}{counts}></i></hx-partial>'
        )
        return Frame("".join((*widgets, notice, element)))


class Values:
    """For programs: an object with the widgets that changed, by key; null is one that was removed."""

    def widget(self, key: str, text: str) -> str:
        return f"{json.dumps(key)}: {text or 'null'}"

    def notice(self, html: str, said: Notice) -> str:
        return json.dumps(asdict(said), ensure_ascii=False)

    def frame(self, widgets: Iterable[str], notice: str, pulse: Pulse) -> Frame:
        values: dict[str, Any] = {"type": "values", **pulse._asdict(), "time": round(pulse.time, 3)}
        del values["layout"], values["alerts"]  # a widget that is gone is null; of alerts a stream of their own tells
        values["down"] = {what: count for what, count in asdict(pulse.down).items() if count}
        values["behind_s"] = round(pulse.behind_s) if pulse.behind_s >= BEHIND_LEAST_S else 0
        head = json.dumps({name: value for name, value in values.items() if value or name in _ALWAYS})
        said = f', "notice": {notice}' if notice else ""
        return Frame(f'{head[:-1]}{said}, "widgets": {{{", ".join(widgets)}}}}}')


_ALWAYS = frozenset({"epoch", "version", "revision"})
FORMS: dict[str, Form] = {DASHBOARD: Html(), VALUES: Values()}
"""For each kind of topic of a dashboard, how it is written."""
