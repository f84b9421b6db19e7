"""View-models of the pages of sources, made of rows of the database and a moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from metrics.actions.runs import DOWN, FAILED, GOOD, RECENT, WARNING, grade
from metrics.actions.source_status import SourceStatus, of_run, status_of
from metrics.actions.trials import Trial
from metrics.forms.labels import label
from metrics.models import Run, Series, Source
from metrics.schedule import BadSchedule
from metrics.series import read
from metrics.series.read import Track
from metrics.views import explore, humanize
from metrics.views.source_list import said
from metrics.widgets import units
from metrics.widgets.units import Shown

BAR_WIDTH, BAR_STEP, BARS_HEIGHT, BAR_LEAST = 5, 7, 28, 2.0
SERIES_SHOWN = 100
RUNS_DRAWN = 60


@dataclass(frozen=True, slots=True)
class Bars:
    """Durations of runs, oldest first, a bar each: as the SVG paths of those that were good, and so on, and in `words`.

    `down` are runs that found what they check down, `failed` those that found nothing out. `width` and `height` are
    those of the chart, `stroke` the width of a bar.
    """

    good: str
    warning: str
    down: str
    failed: str
    width: int
    height: int
    stroke: int
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """A source in the list.

    `schedule` says when it runs, `status` how it stands; `ran` is how long ago it last did, `took` how long that
    took, `samples` how many it stored; `said` is what was wrong with it, else what it said of itself; `bars` are its
    newest runs, None without.
    """

    id: int
    name: str
    kind: str
    schedule: str
    status: SourceStatus
    ran: str
    took: str
    samples: int | None
    said: str
    bars: Bars | None


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in its source's history: when it began (`at`), `took`, `samples`, how it stood then, what it `said`."""

    at: datetime
    took: str
    samples: int
    status: SourceStatus
    said: str


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """A series of a source: `metric`, `labels`, its newest `value` and that one's age; both empty without samples.

    `address` is that of the page that draws it.
    """

    metric: str
    labels: tuple[tuple[str, str], ...]
    value: Shown | None
    age: str
    address: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of a config: its `label`, and the `value` as text."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class TrialLine:
    """A sample that would be stored: `metric`, `labels`, `value` and `unit`."""

    metric: str
    labels: tuple[tuple[str, str], ...]
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class TrialView:
    """View-model of a trial: it `took` a while and would store `count` samples, the first of which are `lines`.

    `status` is how it went; `note` is what the run said about itself; `error` is empty if nothing went wrong.
    """

    took: str
    count: int
    lines: tuple[TrialLine, ...]
    note: str
    error: str
    status: SourceStatus


def trial_view(trial: Trial) -> TrialView:
    lines = [
        TrialLine(one.metric, tuple(sorted(one.labels.items())), _exact(one.value), one.unit) for one in trial.samples
    ]
    how = of_run(trial.error, trial.verdict)
    return TrialView(humanize.duration(trial.duration_s), trial.count, tuple(lines), trial.note, trial.error, how)


def _exact(value: float) -> str:
    return f"{value:.15g}"


def row(source: Source, now: float) -> Row:
    """Return `source` as a line of the list."""
    return Row(
        id=source.pk,
        name=source.name,
        kind=source.kind,
        schedule=humanize.schedule(source),
        status=status_of(source, now),
        ran=humanize.ago(source.last_run_at, now),
        took=humanize.duration(source.last_duration_s),
        samples=source.last_samples,
        said=said(source),
        bars=bars([(seconds, came_to) for seconds, came_to in source.recent], RECENT),
    )


def bars(runs: Sequence[tuple[float, int]], places: int) -> Bars | None:
    """Return the chart of `runs`, seconds and what each came to; None without runs.

    There is room for as many as `places`; the newest is at the right edge.
    """
    if not runs:
        return None
    longest = max(seconds for seconds, _ in runs) or 1.0
    paths: dict[int, list[str]] = {one: [] for one in (GOOD, WARNING, DOWN, FAILED)}
    for place, (seconds, came_to) in enumerate(runs, max(0, places - len(runs))):
        height = max(BAR_LEAST, BARS_HEIGHT * seconds / longest)
        paths[came_to].append(f"M{place * BAR_STEP + BAR_WIDTH / 2:g} {BARS_HEIGHT}v{-height:.1f}")
    width = max(places, len(runs)) * BAR_STEP - (BAR_STEP - BAR_WIDTH)
    counted = f"The last {len(runs)} runs took up to {humanize.duration(longest)}; {_counts(paths)}."
    good, warning, down, failed = ("".join(paths[one]) for one in (GOOD, WARNING, DOWN, FAILED))
    return Bars(good, warning, down, failed, width, BARS_HEIGHT, BAR_WIDTH, counted)


def _counts(runs: Mapping[int, Sequence[object]]) -> str:
    """Return how many runs were bad in which way, as the end of a sentence."""
    found = [(DOWN, "found it down"), (WARNING, "found a warning")]
    bad = [f"{len(runs[one])} {what}" for one, what in found if runs[one]]
    return ", ".join([*bad, f"{len(runs[FAILED]) or 'none'} failed"])


def run_lines(runs: Iterable[Run]) -> list[RunLine]:
    return [
        RunLine(
            one.started_at,
            humanize.duration(one.duration_s),
            one.samples,
            of_run(one.error, one.verdict),
            one.error or one.note,
        )
        for one in runs
    ]


def run_bars(newest_first: Sequence[Run]) -> Bars | None:
    """Return the chart of a source's newest runs."""
    return bars([(one.duration_s, grade(one.error, one.verdict)) for one in reversed(newest_first)], RUNS_DRAWN)


def next_run(source: Source, now: float) -> datetime | None:
    """Return when `source` runs next by cron, on the clocks of its time zone and so without one; None if it doesn't."""
    if not source.enabled or not source.cron:
        return None
    try:
        schedule = source.schedule
        if schedule is None:
            return None
        return datetime.fromtimestamp(schedule.after(now), ZoneInfo(schedule.time_zone)).replace(tzinfo=None)
    except BadSchedule:
        return None


def series_lines(source: Source, now: float) -> tuple[list[SeriesLine], int]:
    """Return the first series of `source` by name with their newest values, and how many there are in all."""
    tracks = read.tracks_of(source.pk, SERIES_SHOWN, now)
    tracks.sort(key=lambda one: (one.metric, sorted(one.labels.items())))
    lines = [_series_line(one, now) for one in tracks]
    total = len(lines) if len(lines) < SERIES_SHOWN else Series.objects.filter(source=source).count()
    return lines, total


def _series_line(track: Track, now: float) -> SeriesLine:
    point, labels = track.latest, tuple(sorted(track.labels.items()))
    address = explore.address_of(track.metric, track.labels)
    value, age = (units.show(point.value, track.unit), humanize.age(now - track.came_at)) if point else (None, "")
    return SeriesLine(track.metric, labels, value, age, address)


def settings_of(config: Mapping[str, Any]) -> list[Setting]:
    """Return what a config says, field by field."""
    return [Setting(label(name), _text(value)) for name, value in config.items()]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_text(inner)}" for name, inner in value.items())
    return str(value)
