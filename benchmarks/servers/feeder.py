"""`python -m benchmarks.servers.feeder SLUG WIDGETS`: makes a dashboard, and publishes it at the rate on its stdin.

The widgets are rendered by the system itself, from samples of the last hour, as of some moments of it: every frame
brings each widget with other values.
"""

import math
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

import django

from benchmarks.servers.pace import Pace
from benchmarks.servers.publisher import put

RANGE = "1h"
MOMENTS = 40


def main() -> None:
    slug, count = sys.argv[1], int(sys.argv[2])
    django.setup()
    from metrics.access.principal import SYSTEM
    from metrics.actions.dashboards import create
    from metrics.actions.samples import accept, checked
    from metrics.sample import Sample
    from metrics.widgets.render import render

    now = time.time()
    kinds = ("number", "line", "bars", "status")
    widgets = [
        {
            "kind": kinds[index % 4],
            "title": f"Widget {index}",
            "config": {"queries": [{"metric": f"soak_{index}"}]},
        }
        for index in range(count)
    ]
    for at in range(0, 3600, 30):
        samples = [
            Sample(f"soak_{index}", 50 + 40 * math.sin(at / 300 + index), {"series": name}, now - 3600 + at)
            for index in range(count)
            for name in ("a", "b")
        ]
        accept([checked(samples, None, now)], now)
    dashboard = create(SYSTEM, {"slug": slug, "title": "Soak", "range": RANGE, "widgets": widgets})
    rows = list(dashboard.widgets.all())
    moments = [now - 30 * moment for moment in range(MOMENTS)]
    drawings = [{str(widget.pk): render(widget, RANGE, at) for widget in rows} for at in moments]
    pace, number = Pace(), 0
    while True:
        wait_s = pace.wait_s()
        time.sleep(0.02 if wait_s is None else wait_s)
        if wait_s is not None:
            number += 1
            put(slug, RANGE, drawings[number % MOMENTS], dashboard.revision)


if __name__ == "__main__":
    main()
