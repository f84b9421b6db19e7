"""The bytes that a browser without a cache is sent for a dashboard of 24 widgets, compressed as they are served.

How long it takes is measured by `benchmarks.pages`.
"""

import gzip
import math
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests import make
from tests.make import AT

STATIC = Path(settings.STATIC_ROOT)
ALL_MOST, SCRIPTS_MOST = 120_000, 60_000
WIDGETS, SERIES = 24, 3
KINDS = ("line", "number", "bars")


def size(content: bytes) -> int:
    return len(gzip.compress(content))


def with_imports(script: Path) -> set[Path]:
    """Return `script` and the modules that it imports, and those import."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        if (one := waiting.pop()) not in found:
            found.add(one)
            imported = re.findall(r'\b(?:from|import) "(\.[^"]+)"', one.read_text())
            waiting += [(one.parent / name).resolve() for name in imported]
    return found


@pytest.fixture
def page(client: Client, redis: object, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page of a dashboard with three series a widget, an hour of them."""
    monkeypatch.setattr("metrics.views.dashboard.time.time", lambda: AT)
    widgets = []
    for number in range(WIDGETS):
        metric = f"metric_{number}"
        for series in range(SERIES):
            times = [20.0 * step for step in range(180)]
            values = {at: 50 + 20 * math.sin(at / 300 + number) + (at * 7 + series) % 9 for at in times}
            make.stored(metric, values, host=f"web-{series}")
        kind = KINDS[number % len(KINDS)]
        widgets.append({"kind": kind, "title": f"Widget {number}", "config": {"queries": [{"metric": metric}]}})
    make.dashboard(widgets=widgets)
    client.force_login(make.user(is_staff=True))
    return client.get("/d/shop/?range=1h").content.decode()


@pytest.mark.django_db
def test_a_first_load_is_light(page: str) -> None:
    names = re.findall(r'<(?:link|script)[^>]*(?:href|src)="/static/([^"]+)"', page)
    files = {(STATIC / name).resolve() for name in names}
    scripts = set().union(*(with_imports(one) for one in files if one.suffix == ".js"))
    others = {one for one in files if one.suffix != ".js"}
    assert len(scripts) > 10
    assert len(others) > 5
    assert page.count('class="curve') + page.count('class="line') >= WIDGETS // 3
    of_scripts = sum(size(one.read_bytes()) for one in scripts)
    of_all = size(page.encode()) + of_scripts + sum(size(one.read_bytes()) for one in others)
    assert of_scripts < SCRIPTS_MOST
    assert of_all < ALL_MOST
