"""Rolling up: a row for each minute, and one for each hour, with the sums and extremes of its samples.

A process that rolls locks a row of `Progress` meanwhile and notes there how far it got, portion by portion, so that
however often it is begun, or cut short, nothing is left out.
"""

from metrics.series import buckets, late, progress
from metrics.series.progress import HasTime, always
from metrics.series.tiers import HOUR_MS, MINUTE_MS, SETTLES_S, floor

PORTION_MS = 10 * MINUTE_MS


def roll(now: float, has_time: HasTime = always) -> None:
    """Roll what has settled by `now` (Unix seconds), oldest first, and what came late, for as long as there is time."""
    settled_ms = floor(round((now - SETTLES_S) * 1000), MINUTE_MS)
    _begin(settled_ms)
    while has_time() and _roll_portion(settled_ms):
        pass
    while has_time() and _roll_hour():
        pass
    while has_time() and late.settle():
        pass


def _begin(settled_ms: int) -> None:
    """Note everything there is as late, if nothing was ever rolled: that is how an older installation gets rollups."""
    with progress.held(progress.MINUTES) as done:
        if done is None or done.until_ms:
            return
        late.note_all_before(settled_ms)
        done.until_ms = settled_ms
        done.save()
    with progress.held(progress.HOURS) as done:
        if done is not None and not done.until_ms:
            done.until_ms = floor(settled_ms, HOUR_MS)
            done.save()


def _roll_portion(settled_ms: int) -> bool:
    """Roll some minutes, all before `settled_ms`; return whether there may be more to do."""
    with progress.held(progress.MINUTES) as done:
        if done is None or done.until_ms >= settled_ms:
            return False
        end_ms = min(done.until_ms + PORTION_MS, settled_ms)
        if not buckets.roll_minutes(done.until_ms, end_ms):
            end_ms = _skipped(end_ms, buckets.next_sample(end_ms), settled_ms, MINUTE_MS)
        done.until_ms = end_ms
        done.save()
    return True


def _roll_hour() -> bool:
    """Roll an hour whose minutes are all rolled; return whether there may be another."""
    minutes_ms = progress.all_until_ms().get(progress.MINUTES, 0)
    with progress.held(progress.HOURS) as done:
        if done is None or not done.until_ms or done.until_ms + HOUR_MS > minutes_ms:
            return False
        end_ms = done.until_ms + HOUR_MS
        if not buckets.roll_hours(done.until_ms, end_ms):
            end_ms = _skipped(end_ms, buckets.next_minute(end_ms), floor(minutes_ms, HOUR_MS), HOUR_MS)
        done.until_ms = end_ms
        done.save()
    return True


def _skipped(end_ms: int, next_ms: int | None, limit_ms: int, step_ms: int) -> int:
    """Return where to go on when there was nothing before `end_ms` and the next is at `next_ms`."""
    return max(end_ms, limit_ms if next_ms is None else min(floor(next_ms, step_ms), limit_ms))
