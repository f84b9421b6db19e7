"""Maintenance as charts and tiles show it: bands over the time that it takes, and a mark while it goes on. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.timezone import get_current_timezone

from metrics.alerts import matchers
from metrics.alerts.matchers import Matcher
from metrics.series.read import Track

WIDTH, HEIGHT = 1000, 400
"""The box that bands are drawn in."""
LEAST = 3
"""A band is so wide at least: of a minute in a month nothing would be seen."""
APART = 3
"""Bands that are nearer to each other are drawn as one, so that there can't be thousands."""
SAID_MOST = 3

Span = tuple[float, float]
"""Start and end in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Maintained:
    """A window of the maintenance `id`, from `start` to `end` (Unix seconds), of series that `matchers` match.

    `reason` is what its maker said. It is `for_everyone`, or for `teams` (ids).
    """

    id: int
    start: float
    end: float
    reason: str
    matchers: Sequence[Matcher]
    for_everyone: bool = True
    teams: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class InMaintenance:
    """Maintenance of the series of a widget. While it goes on, `until` says until when, `reason` why, and `link` leads
    there; else these are empty.

    `band` is the times that it takes as SVG path data in a box of 1000 by 400, empty for a kind without an axis of
    time, and `said` says the same in words.
    """

    until: str = ""
    reason: str = ""
    link: str = ""
    band: str = ""
    said: str = ""


def between(windows: Iterable[Maintained], start: float, end: float) -> list[Maintained]:
    """Return those of `windows` that touch the time from `start` to `end`, in order."""
    return sorted((one for one in windows if one.start < end and one.end > start), key=lambda one: (one.start, one.id))


def near(windows: Iterable[Maintained], at: float, axis: Span | None) -> list[Maintained]:
    """Return those of `windows` that a widget shows at a time: those that go on, and those of the `axis` it draws."""
    start, end = axis or (at, at)
    return [one for one in windows if one.start <= at < one.end or (one.start < end and one.end > start)]


def inside(spans: Iterable[Span], start: float, end: float) -> list[Span]:
    """Return those of `spans` that touch the time from `start` to `end`."""
    return [(begin, until) for begin, until in spans if begin < end and until > start]


def by_maintenance(windows: Iterable[Maintained]) -> list[tuple[Sequence[Matcher], tuple[Span, ...]]]:
    """Return the times of each maintenance in `windows`, with its matchers."""
    given: dict[int, Sequence[Matcher]] = {}
    spans = defaultdict[int, list[Span]](list)
    for one in windows:
        given[one.id] = one.matchers
        spans[one.id].append((one.start, one.end))
    return [(given[id], tuple(times)) for id, times in spans.items()]


def times_of(track: Track, groups: Iterable[tuple[Sequence[Matcher], tuple[Span, ...]]]) -> tuple[Span, ...]:
    """Return the times of `groups`, as `by_maintenance` returns them, in which `track` was, is or will be."""
    labels = {"metric": track.metric, **track.labels}
    return tuple(span for given, spans in groups if matchers.match(given, labels) for span in spans)


def of_tracks(tracks: Iterable[Track], windows: Sequence[Maintained]) -> list[Maintained]:
    """Return those of `windows` in which one of `tracks` was, is or will be."""
    if not windows:
        return []
    labels: list[Mapping[str, str]] = [{"metric": track.metric, **track.labels} for track in tracks]
    asked = {one.id: one.matchers for one in windows}
    concerned = {id for id, given in asked.items() if any(matchers.match(given, one) for one in labels)}
    return [one for one in windows if one.id in concerned]


def shown(windows: Sequence[Maintained], at: float, axis: Span | None) -> InMaintenance | None:
    """Return what a widget says at a time of the `windows` of its series; `axis` is the time that it draws, if any."""
    now = [one for one in windows if one.start <= at < one.end]
    drawn = between(windows, *axis) if axis else []
    if not now and not drawn:
        return None
    until, reason = _now(now, at) if now else ("", "")
    return InMaintenance(
        until=until,
        reason=reason,
        link=_link(now) if now else "",
        band=band([(one.start, one.end) for one in drawn], *axis) if axis else "",
        said=_said(drawn, at),
    )


def band(spans: Iterable[Span], start: float, end: float) -> str:
    """Return `spans` as SVG path data, in a box whose sides are `start` and `end`; those that touch are one."""
    each = WIDTH / (end - start)
    drawn: list[list[int]] = []
    for begin, until in sorted(spans):
        left, right = (round((min(max(edge, start), end) - start) * each) for edge in (begin, until))
        right = max(right, left + LEAST)
        if drawn and left - drawn[-1][1] < APART:
            drawn[-1][1] = max(drawn[-1][1], right)
        else:
            drawn.append([left, right])
    return "".join(f"M{left} 0h{right - left}v{HEIGHT}h{left - right}z" for left, right in drawn)


def _now(windows: Sequence[Maintained], at: float) -> tuple[str, str]:
    """Return until when `windows` go on, and why."""
    last = max(windows, key=lambda one: (one.end, -one.id))
    others = len({one.id for one in windows}) - 1
    more = f" · and {others} more" if others else ""
    return f"until {time_of(last.end, at)}", f"{last.reason}{more}"


def _link(windows: Sequence[Maintained]) -> str:
    ids = {one.id for one in windows}
    return reverse("maintenance") + (f"#maintenance-{min(ids)}" if len(ids) == 1 else "")


def _said(windows: Sequence[Maintained], at: float) -> str:
    if not windows:
        return ""
    named = [f"{time_of(one.start, at)} to {time_of(one.end, one.start)}, {one.reason}" for one in windows[-SAID_MOST:]]
    more = [f"and {len(windows) - len(named)} before"] if len(windows) > len(named) else []
    return f"Maintenance: {'; '.join([*named, *more])}."


def time_of(moment: float, at: float) -> str:
    """Return a time as it is said at another: 14:00, or Sat 14:00, or 12 Dec 14:00."""
    zone = get_current_timezone()
    local, today = datetime.fromtimestamp(moment, zone), datetime.fromtimestamp(at, zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%a %H:%M}" if abs((local.date() - today.date()).days) < 6 else f"{local:%-d %b %H:%M}"
