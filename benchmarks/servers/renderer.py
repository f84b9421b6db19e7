"""Renders a dashboard of 24 widgets, 8 of them charts of three series, and prints what that costs as JSON.

For each range it is the CPU time of this process and the bytes, with charts in the window's own steps, and in the finer
ones that they have, with the least and the greatest sample of each. Run by `benchmarks.charts`.
"""

import json
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

import django

django.setup()

from django.db import connection

from metrics.models import Dashboard, Late, Widget
from metrics.series.keep import pack, roll
from metrics.widgets.base import WidgetKind
from metrics.widgets.line import LineKind
from metrics.widgets.render import render_all

KINDS = ("line", "number", "bars")
WIDGETS, SERIES = 24, 3
AT = 1_795_176_000
EVERY_S, HOURS = 10, 25
FILL = """
    INSERT INTO metrics_series (key, metric, labels, unit, type, expected_every_s, ahead_s, revision, created_at)
    SELECT md5(i::text) || md5('x' || i), 'charts_' || i / 3, jsonb_build_object('host', 'h' || i), 'percent', 'gauge',
        10, 0, 0, now() FROM generate_series(0, %s) i"""
SAMPLES = """
    INSERT INTO metrics_sample (series_id, at_ms, value)
    SELECT s.id, t * 1000::bigint, 50 + 20 * sin(t / 3000.0 + s.id) + 15 * random()
    FROM generate_series(%s, %s, %s) t, metrics_series s ORDER BY t, s.id"""


def fill() -> list[Widget]:
    with connection.cursor() as cursor:
        cursor.execute(FILL, [WIDGETS * SERIES - 1])
        cursor.execute(SAMPLES, [AT - HOURS * 3600, AT, EVERY_S])
        cursor.execute("ANALYZE")
    Late.objects.all().delete()
    for job in (roll, pack):
        job(AT)
    dashboard = Dashboard.objects.create(slug="charts", title="Charts", range="1h")
    return [
        Widget.objects.create(
            dashboard=dashboard,
            key=f"w{number}",
            kind=KINDS[number % len(KINDS)],
            title=f"Widget {number}",
            x=0,
            y=number,
            w=3,
            h=1,
            config={"queries": [{"metric": f"charts_{number}"}]},
        )
        for number in range(WIDGETS)
    ]


FINER = LineKind.window


def rendered(widgets: list[Widget], range_: str, at: float, *, finer: bool) -> tuple[float, int]:
    """Render once, and return the CPU time in seconds and the bytes of the fragments."""
    LineKind.extremes = finer
    LineKind.window = FINER if finer else WidgetKind.window  # type: ignore[method-assign]
    began = time.process_time()
    fragments = render_all(widgets, range_, at)
    return time.process_time() - began, sum(len(one.encode()) for one in fragments.values())


def main(times: int) -> None:
    widgets = fill()
    measured: dict[str, list[tuple[float, int]]] = {}
    for range_ in ("15m", "1h", "6h", "24h"):
        both = [[rendered(widgets, range_, AT + n, finer=finer) for finer in (False, True)] for n in range(times + 1)]
        measured[range_] = [sorted(found)[times // 2] for found in zip(*both[1:], strict=True)]
    print(json.dumps(measured))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
