"""What the pages of sources show: view-models, made of rows of the database and a moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from metrics.actions.runs import RECENT
from metrics.actions.standing import Standing, standing
from metrics.actions.trials import Trial
from metrics.models import Run, Series, Source
from metrics.schedule import BadSchedule
from metrics.series import read
from metrics.series.read import Track
from metrics.views import words
from metrics.views.source_form import label
from metrics.widgets import units
from metrics.widgets.units import Shown

BAR_WIDTH, BAR_STEP, BARS_HEIGHT, BAR_LEAST = 5, 7, 28, 2.0
SERIES_SHOWN = 100
RUNS_DRAWN = 60


@dataclass(frozen=True, slots=True)
class Bars:
    """Durations of runs, oldest first, a bar each: as the SVG paths `good` and `failed`, and in `words`.

    `width` and `height` are those of the chart, `stroke` the width of a bar.
    """

    good: str
    failed: str
    width: int
    height: int
    stroke: int
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """A source in the list.

    `schedule` says when it runs, `standing` how it stands; `ran` is how long ago it last did, `took` how long that
    took, `samples` how many it stored; `said` is what was wrong with it, else what it said of itself; `bars` are its
    newest runs, None without.
    """

    id: int
    name: str
    kind: str
    schedule: str
    standing: Standing
    ran: str
    took: str
    samples: int | None
    said: str
    bars: Bars | None


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in its source's history: when it began (`at`), `took`, `samples`, `error` and `note`."""

    at: datetime
    took: str
    samples: int
    error: str
    note: str


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """A series of a source: `metric`, `labels`, its newest `value` and that one's age; both empty without samples."""

    metric: str
    labels: tuple[tuple[str, str], ...]
    value: Shown | None
    age: str


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
    """What a trial came to: it `took` a while and would store `count` samples, the first of which are `lines`.

    `note` is what the run said about itself; `error` is empty if nothing went wrong.
    """

    took: str
    count: int
    lines: tuple[TrialLine, ...]
    note: str
    error: str


def trial_view(trial: Trial) -> TrialView:
    lines = [
        TrialLine(one.metric, tuple(sorted(one.labels.items())), _exact(one.value), one.unit) for one in trial.samples
    ]
    return TrialView(words.duration(trial.duration_s), trial.count, tuple(lines), trial.note, trial.error)


def _exact(value: float) -> str:
    return f"{value:.15g}"


def row(source: Source, now: float) -> Row:
    """Return `source` as a line of the list."""
    return Row(
        id=source.pk,
        name=source.name,
        kind=source.kind,
        schedule=words.schedule(source),
        standing=standing(source, now),
        ran=words.ago(source.last_run_at, now),
        took=words.duration(source.last_duration_s),
        samples=source.last_samples,
        said=source.last_error or source.last_note,
        bars=bars([(seconds, bool(failed)) for seconds, failed in source.recent], RECENT),
    )


def bars(runs: Sequence[tuple[float, bool]], places: int) -> Bars | None:
    """Return the chart of `runs`, seconds and whether it failed; None without runs.

    There is room for as many as `places`; the newest is at the right edge.
    """
    if not runs:
        return None
    longest = max(seconds for seconds, _ in runs) or 1.0
    paths: dict[bool, list[str]] = {False: [], True: []}
    for place, (seconds, failed) in enumerate(runs, max(0, places - len(runs))):
        height = max(BAR_LEAST, BARS_HEIGHT * seconds / longest)
        paths[failed].append(f"M{place * BAR_STEP + BAR_WIDTH / 2:g} {BARS_HEIGHT}v{-height:.1f}")
    width = max(places, len(runs)) * BAR_STEP - (BAR_STEP - BAR_WIDTH)
    failures = sum(failed for _, failed in runs)
    said = f"The last {len(runs)} runs took up to {words.duration(longest)}; {failures or 'none'} failed."
    return Bars("".join(paths[False]), "".join(paths[True]), width, BARS_HEIGHT, BAR_WIDTH, said)


def run_lines(runs: Iterable[Run]) -> list[RunLine]:
    return [RunLine(one.started_at, words.duration(one.duration_s), one.samples, one.error, one.note) for one in runs]


def run_bars(newest_first: Sequence[Run]) -> Bars | None:
    """Return the chart of a source's newest runs."""
    return bars([(one.duration_s, bool(one.error)) for one in reversed(newest_first)], RUNS_DRAWN)


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
    if point is None:
        return SeriesLine(track.metric, labels, None, "")
    return SeriesLine(track.metric, labels, units.show(point.value, track.unit), words.age(now - point.at))


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
