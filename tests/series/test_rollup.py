"""Rolling: minutes and hours equal the samples they are made of, whatever comes when."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from metrics.models import HourRollup, Late, MinuteRollup, Progress
from metrics.models import Sample as Row
from metrics.sample import Sample
from metrics.series import late, rollup
from metrics.series.buckets import Bucket
from metrics.series.tiers import HOUR_MS, LATE_S, MINUTE_MS
from metrics.series.write import write
from tests.make import AT, sample

pytestmark = pytest.mark.django_db

HOUR_S = 3600
Values = tuple[Any, ...]
"""Count, sum, min, max, last."""


def told(table: type[MinuteRollup] | type[HourRollup], metric: str = "m") -> dict[float, Values]:
    """Return what is rolled, by seconds after AT."""
    rows = table.objects.filter(series__metric=metric).values_list("at_ms", "count", "sum", "min", "max", "last")
    return {at_ms / 1000 - AT: (count, *map(float, rest)) for at_ms, count, *rest in rows}


def expected(step_ms: int, metric: str = "m") -> dict[float, Values]:
    """Return the same, computed from the rows of samples."""
    buckets: dict[int, list[float]] = {}
    for at_ms, value in Row.objects.filter(series__metric=metric).order_by("at_ms").values_list("at_ms", "value"):
        buckets.setdefault(at_ms // step_ms * step_ms, []).append(value)
    return {
        at_ms / 1000 - AT: (len(values), pytest.approx(sum(values)), min(values), max(values), values[-1])
        for at_ms, values in buckets.items()
    }


def push(values: dict[float, float], now: float, metric: str = "m") -> None:
    """Have samples come at `now`: seconds after AT -> value."""
    write([Sample(metric, value, {}, AT + after) for after, value in values.items()], None, AT + now)


def begin() -> None:
    rollup.roll(AT)


def test_a_minute_is_rolled_once_it_has_settled() -> None:
    begin()
    push({0: 3, 10: 1, 59.999: 2, 60: 9}, 60)
    rollup.roll(AT + 359)
    assert told(MinuteRollup) == {}
    rollup.roll(AT + 360)
    assert told(MinuteRollup) == {0: (3, 6, 1, 3, 2)}


def test_an_hour_is_rolled_once_all_its_minutes_are() -> None:
    begin()
    for minute in range(61):
        push({minute * 60: minute, minute * 60 + 30: -minute}, minute * 60 + 30)
    rollup.roll(AT + HOUR_S + 299)
    assert told(HourRollup) == {}
    rollup.roll(AT + HOUR_S + 300)
    assert told(HourRollup) == {0: (120, 0, -59, 59, -59)}
    assert len(told(MinuteRollup)) == 60


def test_what_was_there_before_anything_was_rolled_is_rolled_too() -> None:
    push({-90 * 60: 1, -85 * 60: 2, -10: 3, 400: 4}, 0)
    Late.objects.all().delete()
    begin()
    assert told(MinuteRollup) == {-5400: (1, 1, 1, 1, 1), -5100: (1, 2, 2, 2, 2)}
    rollup.roll(AT + 1000)
    assert told(MinuteRollup) == expected(MINUTE_MS)


def test_rolling_again_changes_nothing() -> None:
    begin()
    push({0: 1, 30: 2}, 30)
    rollup.roll(AT + 2 * HOUR_S)
    before = told(MinuteRollup), told(HourRollup)
    Progress.objects.update(until_ms=round(AT * 1000))
    rollup.roll(AT + 2 * HOUR_S)
    assert (told(MinuteRollup), told(HourRollup)) == before


def test_days_without_beat_are_made_up_for_in_portions() -> None:
    begin()
    for hour in range(72):
        push({hour * HOUR_S: hour, hour * HOUR_S + 1800: 1}, hour * HOUR_S + 1800)
    spare = iter([True] * 20)
    rollup.roll(AT + 73 * HOUR_S, lambda: next(spare, False))
    assert 0 < len(told(MinuteRollup)) < 20
    rollup.roll(AT + 73 * HOUR_S)
    assert told(MinuteRollup) == expected(MINUTE_MS)
    assert told(HourRollup) == expected(HOUR_MS)


class TestLate:
    def test_what_is_a_little_late_needs_no_note(self) -> None:
        begin()
        push({0: 1}, 0)
        push({10: 2}, 10 + LATE_S)
        assert not Late.objects.exists()
        rollup.roll(AT + 360)
        assert told(MinuteRollup) == expected(MINUTE_MS)

    def test_what_is_late_is_rolled_again_and_the_note_goes(self) -> None:
        begin()
        push({0: 1, 30: 2}, 30)
        rollup.roll(AT + 2 * HOUR_S)
        push({45: 5, 7: -1, 600: 8}, 2 * HOUR_S)
        assert list(Late.objects.values_list("at_ms", "marks")) == [(AT * 1000, 1)]
        rollup.roll(AT + 2 * HOUR_S)
        assert told(MinuteRollup) == expected(MINUTE_MS)
        assert told(HourRollup) == expected(HOUR_MS) == {0: (5, 15, -1, 8, 8)}
        assert not Late.objects.exists()

    def test_a_retry_of_old_samples_changes_nothing(self) -> None:
        begin()
        push({0: 1, 30: 2}, 30)
        rollup.roll(AT + 2 * HOUR_S)
        before = told(MinuteRollup), told(HourRollup)
        push({0: 99, 30: 99}, 2 * HOUR_S)
        rollup.roll(AT + 2 * HOUR_S)
        assert (told(MinuteRollup), told(HourRollup)) == before

    def test_what_is_rolled_stays_when_its_samples_are_gone_and_gaps_are_filled(self) -> None:
        begin()
        push({0: 1, 30: 2, 61: 7}, 61)
        rollup.roll(AT + 2 * HOUR_S)
        Row.objects.all().delete()
        for _ in range(2):
            push({15: 50, 120: 5, 2 * HOUR_S - 60: 6}, 100 * HOUR_S)
            rollup.roll(AT + 100 * HOUR_S)
            assert told(MinuteRollup) == {
                0: (2, 3, 1, 2, 2),
                60: (1, 7, 7, 7, 7),
                120: (1, 5, 5, 5, 5),
                2 * HOUR_S - 60: (1, 6, 6, 6, 6),
            }
            assert told(HourRollup) == {0: (4, 15, 1, 7, 5), HOUR_S: (1, 6, 6, 6, 6)}

    def test_only_the_series_concerned_is_noted(self) -> None:
        begin()
        push({0: 1}, 2 * HOUR_S, "late")
        push({2 * HOUR_S: 1}, 2 * HOUR_S, "on_time")
        assert [note.series.metric for note in Late.objects.all()] == ["late"]

    def test_more_than_a_portion(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(late, "PORTION", 7)
        begin()
        push({-hour * HOUR_S: hour for hour in range(1, 30)}, 0)
        rollup.roll(AT)
        assert told(HourRollup) == expected(HOUR_MS)
        assert not Late.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_a_note_made_again_meanwhile_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The note is read, another late sample comes, and only then the note would be taken away."""
        begin()
        push({0: 1}, HOUR_S)
        read = late._minutes

        def interrupted(ids: list[int], hour_ms: int) -> list[Bucket]:
            found = read(ids, hour_ms)
            monkeypatch.setattr(late, "_minutes", read)
            late.note([(ids[0], hour_ms)])
            return found

        monkeypatch.setattr(late, "_minutes", interrupted)
        late.settle()
        assert Late.objects.get().marks == 2
        late.settle()
        assert not Late.objects.exists()

    def test_two_that_roll_at_once_agree_with_those_that_write(self) -> None:
        begin()
        errors: list[Exception] = []
        written = [0, 0]

        def run(do: Callable[[], None]) -> None:
            try:
                do()
            except Exception as error:
                errors.append(error)
            finally:
                connection.close()

        def write_all(writer: int) -> None:
            for n in range(15):
                now = AT + n * 700
                write([sample(f"m{i}", n, now - i * 97 - writer) for i in range(60)], None, now)
                written[writer] = n + 1

        def roll_all() -> None:
            while min(written) < 15 and not errors:
                rollup.roll(AT + min(written) * 700)

        jobs = [partial(write_all, 0), partial(write_all, 1), roll_all, roll_all]
        threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)
        assert errors == []
        rollup.roll(AT + 86_400)
        for metric in ("m0", "m33", "m59"):
            assert told(MinuteRollup, metric) == expected(MINUTE_MS, metric)
            assert told(HourRollup, metric) == expected(HOUR_MS, metric)
        assert not Late.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_writes_late_and_who_settles_what_is_late_never_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both change notes and series: in two orders, each would hold what the other one wants."""
    write([sample("m", 1, AT - 2 * HOUR_S)], None, AT)
    errors: list[Exception] = []

    def write_late() -> None:
        try:
            write([sample("m", 2, AT - 2 * HOUR_S + 1)], None, AT)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    writer = threading.Thread(target=write_late)
    revise = late._revise

    def revise_slowly(series: set[int]) -> None:
        revise(series)
        if threading.current_thread() is not writer:
            writer.start()
            writer.join(0.5)  # it has come as far as it can by then

    monkeypatch.setattr(late, "_revise", revise_slowly)
    late.settle()
    writer.join(30)
    assert errors == []
    assert Late.objects.exists()
    assert Row.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_who_tells_of_series_and_who_writes_late_never_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tells of one series and writes late into the other."""
    write([sample("a", 1, AT - 1), sample("b", 1, AT - 1)], None, AT)
    errors: list[Exception] = []

    def run(told: str, other: str, at: float) -> None:
        try:
            write([Sample(told, 2, {}, AT, f"{told}{at}"), sample(other, 2, at)], None, AT)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    second = threading.Thread(target=run, args=("b", "a", AT - 2 * HOUR_S))
    note = late.note

    def note_slowly(hours: list[tuple[int, int]]) -> None:
        if threading.current_thread() is first:
            second.start()
            second.join(0.5)  # it has come as far as it can by then
        note(hours)

    first = threading.Thread(target=run, args=("a", "b", AT - 3 * HOUR_S))
    monkeypatch.setattr(late, "note", note_slowly)
    first.start()
    for one in (first, second):
        one.join(30)
    assert errors == []
    assert Row.objects.count() == 6
