"""Cron through every change of every clock from 2026 to 2028, compared with looking at each minute."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim

from metrics.schedule import Schedule

FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2026, 2029))
AROUND_S, WEEK_S = 5 * 3600, 7 * 86_400
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


def offset(zone: ZoneInfo, at: int) -> timedelta:
    found = datetime.fromtimestamp(at, zone).utcoffset()
    assert found is not None
    return found


def changes(zone: ZoneInfo) -> Iterator[int]:
    """Yield the second at which each change of `zone` happens."""
    for day in range(FIRST, LAST, WEEK_S):
        before, after = day, day + WEEK_S
        if offset(zone, before) == offset(zone, after):
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if offset(zone, middle) == offset(zone, before) else (before, middle)
        yield after


def all_changes() -> list[tuple[int, ZoneInfo]]:
    """Return the changes that differ in what the clock shows before and after, each with a zone that has it."""
    found = {}
    for zone in map(ZoneInfo, sorted(available_timezones())):
        for at in changes(zone):
            found[datetime.fromtimestamp(at - 1, zone).time(), offset(zone, at) - offset(zone, at - 1)] = at, zone
    return list(found.values())


def matching(cron: str, change: int, zone: ZoneInfo) -> set[datetime]:
    """Return the times on the wall that `cron` names, around a change."""
    local = datetime.fromtimestamp(change, zone).replace(tzinfo=None)
    begin, end = (local + timedelta(seconds=seconds) for seconds in (-2 * AROUND_S, 2 * AROUND_S))
    return set(takewhile(lambda one: one < end, CronSim(cron, begin)))


def looked_at(cron: str, zone: ZoneInfo, change: int, fixed: bool) -> list[int]:
    """Return when `cron` is due around a change, having looked at the clock each minute.

    Jobs at a fixed hour do not run again in what comes twice, and right after what is skipped (cron(8) of Debian).
    """
    found, wanted = set(), matching(cron, change, zone)
    for at in range(change - AROUND_S, change + AROUND_S + 1, 60):
        local = datetime.fromtimestamp(at, zone)
        if local.replace(tzinfo=None, fold=0) in wanted and not (fixed and local.fold):
            found.add(at)
    skipped_s = (offset(zone, change) - offset(zone, change - 1)).total_seconds()
    first_skipped = datetime.fromtimestamp(change, zone).replace(tzinfo=None) - timedelta(seconds=skipped_s)
    if fixed and any(first_skipped + timedelta(seconds=s) in wanted for s in range(0, int(skipped_s), 60)):
        found.add(change)
    return sorted(found)


def test_every_change_of_every_clock() -> None:
    found = all_changes()
    assert {"Australia/Lord_Howe", "Antarctica/Troll"} <= {zone.key for _, zone in found}
    for change, zone in found:
        hour = datetime.fromtimestamp(change - 1, zone).hour
        hours = ",".join(str((hour + n) % 24) for n in range(-1, 3))
        for cron in (f"*/30 {hours} * * *", "20 * * * *", f"*/45 {(hour + 1) % 24} * * *", f"0,30 {hours} * * *"):
            schedule = Schedule(cron=cron, time_zone=zone.key)
            expected = looked_at(cron, zone, change, fixed=cron.startswith("0,"))
            forth, at = [], float(change - AROUND_S - 1)
            while (at := schedule.after(at)) <= change + AROUND_S:
                forth.append(at)
            back, at = [], float(change + AROUND_S)
            while (at := schedule.slot(at)) >= change - AROUND_S:
                back.append(at)
                at -= 1
            assert (cron, forth, back[::-1]) == (cron, expected, expected), zone


@pytest.mark.parametrize("cron", ["* 2 * * *", "*/1 2 4 4 *"])
def test_each_minute_of_an_hour_of_which_none_comes_twice(cron: str) -> None:
    """At Lord Howe, at two o'clock on 2027-04-04, it is half past one once more, and then two o'clock to three once."""
    schedule = Schedule(cron=cron, time_zone=LORD_HOWE.key)
    at, found = datetime(2027, 4, 4, 0, 30, tzinfo=LORD_HOWE).timestamp(), []
    for _ in range(60):
        found.append(datetime.fromtimestamp(at := schedule.after(at), LORD_HOWE).strftime("%d %H:%M%z"))
    assert found == [f"04 02:{minute:02}+1030" for minute in range(60)]
