"""Annotations as charts mark them and lists name them: chosen by their tags, few enough to be read. Pure."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isinf
from operator import attrgetter
from typing import Annotated

from django.urls import reverse
from django.utils.html import escape
from pydantic import AfterValidator, BaseModel, Field, PrivateAttr

from metrics.widgets.bad_alert import SEVERITIES
from metrics.widgets.maintained import time_of

ALL = "*"
"""The tag that stands for all annotations."""
INCIDENT = "incident"
"""The tag of incidents."""
TAGS_MOST, TAG_MOST = 20, 50
CHOSEN_MOST = 1000
"""Tags that a widget chooses by: variables give more of them than people type."""
MARKS_MOST = 16
"""More are drawn as one where they are nearest to each other, so that a widget stays below 12 kB."""
INCIDENT_MARKS_MOST = 8
NEAR = 0.008
"""Share of the width: annotations that begin nearer to each other are one mark."""
NAMED_MOST = 3
"""Texts of one mark, or of a chart in words."""
BYTES_MOST = 1000
"""Of the texts of all marks together."""
TEXT_LEAST_BYTES, TEXT_MOST_BYTES = 20, 120
CHARACTER_BYTES = 6
"""The most that one takes in HTML."""
MARK_BYTES, INCIDENT_BYTES = 90, 90
"""A mark takes so many besides its text, and one of incidents so many more."""


def tag(text: str) -> str:
    """Return a tag as it is kept. Raises ValueError, whose text completes a sentence."""
    found = " ".join(text.split())
    if not 0 < len(found) <= TAG_MOST or "," in found:
        raise ValueError(f"a tag has 1 to {TAG_MOST} characters and no comma, unlike {found[:TAG_MOST]!r}")
    return found


Tag = Annotated[str, AfterValidator(tag)]
Spot = tuple[float, float]
"""A place in a map, as shares of its width and of its height."""


@dataclass(frozen=True, slots=True)
class Noted:
    """The annotation `id`: a moment `at`, or a span `until` another (Unix seconds), of which `text` says what was.

    A span that goes on has no end, which is infinite. It has these `tags`, and is `for_everyone`, or for `teams` (ids).
    It is an incident if it has a `severity`.
    """

    id: int
    at: float
    until: float | None
    text: str
    tags: tuple[str, ...] = ()
    for_everyone: bool = True
    teams: frozenset[int] = frozenset()
    severity: str = ""

    @property
    def link(self) -> str:
        """The path of the page that has all of it."""
        if self.severity:
            return reverse("incident", args=[self.id])
        return f"{reverse('annotations')}?from={self.id}#annotation-{self.id}"


class Annotates(BaseModel):
    """Field of the config of a kind that marks or names annotations, which whoever renders hands in."""

    annotations: list[Tag] = Field(
        default=[ALL],
        max_length=CHOSEN_MOST,
        description="Tags of the annotations that it marks: all that have one of them; incident for incidents, * for "
        "all, none for none.",
    )
    _given: tuple[Noted, ...] = PrivateAttr(default=())

    @property
    def noted(self) -> tuple[Noted, ...]:
        """The annotations that it shows, of those that its dashboard may show."""
        return self._given

    def annotate(self, found: Iterable[Noted]) -> None:
        """Take those of `found` that have one of its tags."""
        self._given = tuple(chosen(found, self.annotations))


@dataclass(frozen=True, slots=True)
class Mark:
    """Annotations at one place of a chart: `place` is where, in per cent of the width, and `text` what they say.

    `width` is that of a span, empty for a moment. It stands for so many (`count`). `row` is where it is in per cent of
    the height, empty for a mark from top to bottom. One of incidents has their worst `severity`, and a `link` to them.
    """

    place: str
    width: str
    text: str
    count: int = 1
    row: str = ""
    severity: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """The `marks` of a chart from left to right, and what is `said` of them in words, empty without any."""

    marks: tuple[Mark, ...] = ()
    said: str = ""

    @property
    def size_bytes(self) -> int:
        """About how many bytes they take of a widget."""
        return sum(MARK_BYTES + bool(one.severity) * INCIDENT_BYTES + _size(one.text) for one in self.marks) + _size(
            self.said
        )


NO_MARKS = Marks()


def chosen(found: Iterable[Noted], tags: Collection[str]) -> list[Noted]:
    """Return those of `found` that have one of `tags`."""
    wanted = set(tags)
    return list(found) if ALL in wanted else [one for one in found if not wanted.isdisjoint(one.tags)]


def tags_of(config: object, usual: Sequence[str]) -> frozenset[str]:
    """Return the tags that a config, as it is stored, asks for; `usual` are those of its kind."""
    given = config.get("annotations", usual) if isinstance(config, Mapping) else ()
    found = frozenset(one for one in given if isinstance(one, str)) if isinstance(given, list | tuple) else frozenset()
    return frozenset({ALL}) if ALL in found else found


def marks(noted: Iterable[Noted], start: float, end: float, at: float) -> Marks:
    """Return how a chart from `start` to `end` marks those of `noted` that are then, as seen at a time."""
    seen = [one for one in noted if one.at < end and (one.at if one.until is None else one.until) >= start]
    seen.reverse()
    seen.sort(key=attrgetter("at"))  # what comes the newest first is in order already
    if not seen:
        return NO_MARKS
    incidents = [one for one in seen if one.severity]
    others = [one for one in seen if not one.severity] if incidents else seen
    near_s = (end - start) * NEAR
    groups = [*_groups(others, start, near_s, MARKS_MOST), *_groups(incidents, start, near_s, INCIDENT_MARKS_MOST)]
    most_bytes = _most_bytes(groups)
    groups.sort(key=lambda group: group[0].at)
    found = tuple(_mark(group, start, end, at, most_bytes) for group in groups)
    return Marks(found, _said(seen, at))


def spots(noted: Iterable[Noted], place: Callable[[float], Spot | None], at: float) -> Marks:
    """Return how a map marks those of `noted` that begin where it has a `place`: the newest places, as seen at a time.

    A place of a time is given as shares of the width and of the height; None beside the map.
    """
    by_spot = defaultdict[Spot, list[Noted]](list)
    for one in sorted(noted, key=lambda one: (one.at, one.id)):
        if (spot := place(one.at)) is not None:
            by_spot[spot].append(one)
    if not by_spot:
        return NO_MARKS
    newest = list(by_spot.items())[-MARKS_MOST:]
    most_bytes = _most_bytes([group for _, group in newest])
    found = tuple(
        Mark(_per_cent(x), "", _text(group, at, most_bytes), len(group), _per_cent(y), *_of_incidents(group))
        for (x, y), group in newest
    )
    return Marks(found, _said([one for group in by_spot.values() for one in group], at))


def _most_bytes(groups: Sequence[Sequence[Noted]]) -> int:
    """Return how long each text may be."""
    named = sum(min(NAMED_MOST, len(group)) for group in groups)
    return max(TEXT_LEAST_BYTES, min(TEXT_MOST_BYTES, BYTES_MOST // named))


def _groups(seen: Sequence[Noted], start: float, near_s: float, most: int) -> list[list[Noted]]:
    """Return `seen` in groups that begin near each other on a chart from `start`, at most so many."""
    times = [max(one.at, start) for one in seen]
    while True:
        edges = [0]
        while edges[-1] < len(seen) and len(edges) <= most + 1:
            edges.append(max(edges[-1] + 1, bisect_left(times, times[edges[-1]] + near_s)))
        if edges[-1] == len(seen) and len(edges) <= most + 1:
            return [list(seen[first:last]) for first, last in pairwise(edges)]
        near_s *= 1.5


def _mark(group: Sequence[Noted], start: float, end: float, at: float, most_bytes: int) -> Mark:
    ends = [one.until for one in group if one.until is not None]
    left = max(0.0, (group[0].at - start) / (end - start))
    right = min(1.0, (max(ends) - start) / (end - start)) if ends else left  # what goes on does so to the edge
    width = right - left
    shown = _per_cent(width) if width > NEAR / 4 else ""
    severity, link = _of_incidents(group)
    return Mark(_per_cent(left), shown, _text(group, at, most_bytes), len(group), "", severity, link)


def _of_incidents(group: Sequence[Noted]) -> tuple[str, str]:
    """Return the worst severity of the incidents in `group`, and where they lead; empty without any."""
    found = [one for one in group if one.severity]
    if not found:
        return "", ""
    worst = min((one.severity for one in found), key=SEVERITIES.index)
    return worst, found[0].link if len(found) == 1 else reverse("incidents")


def _text(group: Sequence[Noted], at: float, most_bytes: int) -> str:
    named = group[-NAMED_MOST:]
    times = [_when(one, at) for one in named]
    new = [time if time != before else "" for before, time in zip(["", *times], times, strict=False)]
    texts = [f"{time} {cut(one.text, most_bytes)}".strip() for time, one in zip(new, named, strict=True)]
    more = len(group) - len(named)
    return " · ".join([*([f"{more} before"] if more else []), *texts])


def _said(seen: Sequence[Noted], at: float) -> str:
    named = [f"{_when(one, at)}, {cut(one.text, TEXT_MOST_BYTES)}" for one in seen[-NAMED_MOST:]]
    more = [f"and {len(seen) - len(named)} before"] if len(seen) > len(named) else []
    return f"Annotations: {'; '.join([*named, *more])}."


def _when(one: Noted, at: float) -> str:
    begin = time_of(one.at, at)
    if one.until is None:
        return begin
    return f"since {begin}" if isinf(one.until) else f"{begin} to {time_of(one.until, one.at)}"


def cut(text: str, most_bytes: int) -> str:
    """Return `text` on one line, cut so that it takes no more bytes in HTML."""
    text = " ".join(text.split())
    if _size(text) <= most_bytes:
        return text
    found = text[:most_bytes]
    while (beyond := _size(found) - most_bytes + len("…".encode())) > 0:
        found = found[: -max(1, beyond // CHARACTER_BYTES)]
    return f"{found.rstrip()}…"


def _size(text: str) -> int:
    return len(escape(text).encode())


def _per_cent(share: float) -> str:
    return f"{100 * share:.1f}%"
