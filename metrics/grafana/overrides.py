"""Settings of single series of a panel: which of its queries it is meant for, and what comes along.

Grafana compares with the names of series, which are known here only as legends, `{device} - Receive`; an override is
taken where that tells which query is meant.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metrics.grafana.raw import mapping, mappings, texts

NEGATIVE = "negative-Y"
SEEN = {"unit", "decimals", "min", "max", "thresholds", "stacking", "displayName", "axisPlacement", "transform"}
"""Settings that change the numbers, what they are called, or where they lie."""
PATTERN_MOST = 200


@dataclass(frozen=True, slots=True)
class Override:
    """The `settings` of the series that `matcher` and `names` mean."""

    matcher: str
    names: tuple[str, ...]
    settings: Mapping[str, Any]

    def means(self, ref: str, legend: str) -> bool:
        """Return whether it is meant for the query `ref` whose series are called `legend`."""
        if self.matcher == "byFrameRefID":
            return ref in self.names
        if self.matcher == "byRegexp":
            return any(_fits(name, legend) for name in self.names)
        return legend in self.names


@dataclass(slots=True)
class Overrides:
    """All overrides of a panel, and which settings of them came along."""

    every: Sequence[Override]
    taken: set[tuple[int, str]] = field(default_factory=set)

    def of(self, ref: str, legend: str, *names: str) -> dict[str, Any]:
        """Return what is set of `names` for a query, and count it as taken."""
        found: dict[str, Any] = {}
        for place, one in enumerate(self.every):
            if one.means(ref, legend):
                found |= {name: value for name, value in one.settings.items() if name in names}
                self.taken |= {(place, name) for name in one.settings if name in names}
        return found

    def left_out(self) -> list[str]:
        """Return the names of settings that did not come along, and would be seen."""
        every = {(place, name) for place, one in enumerate(self.every) for name in one.settings if name in SEEN}
        return sorted({name for _, name in every - self.taken})


def of_panel(raw: Mapping[str, Any]) -> Overrides:
    """Return the overrides of a panel, of a new or an old form."""
    found = []
    for one in mappings(mapping(raw.get("fieldConfig")).get("overrides")):
        matcher = mapping(one.get("matcher"))
        settings = {
            str(it.get("id", "")).removeprefix("custom."): it.get("value") for it in mappings(one.get("properties"))
        }
        found.append(Override(str(matcher.get("id", "")), _names(matcher.get("options")), settings))
    for one in mappings(raw.get("seriesOverrides")):
        alias = str(one.get("alias", ""))
        settings = {name: one[name] for name in ("transform",) if name in one}
        settings |= {"axisPlacement": "right"} if one.get("yaxis") == 2 else {}
        settings |= {"stacking": "none"} if one.get("stack") is False else {}
        is_pattern = alias.startswith("/")
        found.append(Override("byRegexp" if is_pattern else "byName", (alias,), settings))
    return Overrides([one for one in found if one.settings])


def _names(options: Any) -> tuple[str, ...]:
    if isinstance(options, Mapping):
        return tuple(texts(options.get("names"))) if options.get("mode", "include") == "include" else ()
    return (options,) if isinstance(options, str) else ()


def _fits(pattern: str, legend: str) -> bool:
    """Return whether a regular expression of words and wildcards, `/.*Trans.*|out/`, is found in `legend`.

    Others are compared with nothing: what strangers write may take for ever.
    """
    found = re.fullmatch(r"/?(.*?)/?([gimsuy]*)", pattern[:PATTERN_MOST]) if pattern.startswith("/") else None
    text, flags = (found[1], found[2]) if found else (pattern[:PATTERN_MOST], "")
    group = re.fullmatch(r"(\^?)\(([^()]*)\)(\$?)", text)
    words = [f"{group[1]}{one}{group[3]}" for one in group[2].split("|")] if group else text.split("|")
    if "i" in flags:
        words, legend = [one.lower() for one in words], legend.lower()
    return any(_is_there(one, legend) for one in words)


def _is_there(text: str, legend: str) -> bool:
    begins, ends = text.startswith("^"), text.endswith("$") and not text.endswith("\\$")
    parts = [
        re.sub(r"\\(\W)", "\0\\1", one) for one in re.split(r"\.[*+]", text.removeprefix("^").removesuffix("$" * ends))
    ]
    if any(re.search(r"(?<!\0)[\\()\[\]{}*+?]", one) for one in parts):
        return False
    words = [one.replace("\0", "") for one in parts]
    at = 0
    for place, word in enumerate(words):
        found = legend.find(word, at)
        if found < 0 or (begins and not place and found):
            return False
        at = found + len(word)
    return not ends or not words[-1] or legend.endswith(words[-1])
