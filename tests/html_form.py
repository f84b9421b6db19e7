"""Forms in a page: what a browser would send of them if nobody typed anything."""

import re
from html.parser import HTMLParser


class Forms(HTMLParser):
    """The forms of a page: `fields` is a list of name -> text, a form each, and `actions` where each is sent."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: list[dict[str, str]] = []
        self.actions: list[str] = []
        self._ids: dict[str, int] = {}
        self._current = -1
        self._select = ""
        self._textarea: str | None = None
        self._text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.fields.append({})
            self.actions.append(given.get("action") or "")
            self._current = len(self.fields) - 1
            self._ids[given.get("id") or ""] = self._current
        place = self._ids[given.get("form") or ""] if given.get("form") else self._current
        if place < 0:
            return
        fields = self.fields[place]
        if tag == "input" and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            fields[name] = value if "value" in given or given.get("type") != "checkbox" else "on"
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in fields):
            fields[self._select] = value
        elif tag == "textarea":
            self._textarea, self._text = name, ""

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea is not None:
            self.fields[self._current][self._textarea] = self._text.removeprefix("\n")
            self._textarea = None
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._current = -1


def form(page: str, action: str) -> dict[str, str]:
    """Return what is sent of the form of `page` that is sent to `action`."""
    found = Forms(page)
    return found.fields[found.actions.index(action)]


def chosen_from(page: str) -> list[str]:
    """Return the headings and the kinds that the page of a chooser offers, in its order."""
    found = re.findall(r'<section class="kinds">\s*<h2>([^<]+)</h2>|<h3>(?:<a href="[^"]*kind=)?(\w+)', page)
    return [heading or kind for heading, kind in found]
