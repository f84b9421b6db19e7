"""A database that release 0.1 made: everything is still read, and growth is told as far as samples reach.

`release-0.1.sqlite3.gz` was made by that release: sixty hours from AT on of three series, a sample a minute, written,
rolled, packed and pruned as they came. The counter restarts_total begins anew every ten minutes, at 0, and rises by 10.
"""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.make import AT

ROOT = Path(__file__).parents[2]
MADE = Path(__file__).with_name("release-0.1.sqlite3.gz")
CODE = """
import json
from metrics.models import Late
from metrics.series import calculate, pack, step_cache, rollup
from metrics.series.calculate import Window
from metrics.series.functions import Function
from metrics.series.read import Query

NOW = {now}

def value(metric, function, begin_h, end_h, step_s):
    window = Window(NOW, {at} + begin_h * 3600, {at} + end_h * 3600, step_s, {at} + begin_h * 3600)
    (found,) = calculate.tracks(Query(metric), Function(function), window, points=True)
    return found.latest.value

def values():
    step_cache.forget()
    return [
        [value("restarts_total", "increase", 58, 59, step_s) for step_s in (60, 720, 3600)],
        [value("restarts_total", "increase", 20, 44, step_s) for step_s in (60, 720, 3600, 86400)],
        [value("rises_total", "increase", 1, 60, step_s) for step_s in (3600, 212400)],
        [value("load", "max", 2, 10, 3600), value("load", "count", 0, 60, 3600)],
    ]

before = values()
for _ in range(50):
    rollup.roll(NOW)
pack.pack(NOW)
print(json.dumps([before, values(), Late.objects.count()]))
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / "watchfloor.sqlite3").write_bytes(gzip.decompress(MADE.read_bytes()))
    return tmp_path


def manage(data_dir: Path, *arguments: str) -> str:
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "TEST_DATABASE")}
    env |= {"DATA_DIR": str(data_dir), "SECRET_KEY": "upgrade"}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True, timeout=120).stdout


def test_growth_is_told_as_far_as_samples_reach(data_dir: Path) -> None:
    manage(data_dir, "migrate", "-v0")
    code = CODE.format(at=AT, now=AT + 60 * 3600)
    before, after, left = json.loads(manage(data_dir, "shell", "-v0", "-c", code).splitlines()[-1])
    assert before[2:] == [[59 * 3600] * 2, [10.73, 3600]]
    assert after == [[540] * 3, [24 * 540] * 4, [59 * 3600] * 2, [10.73, 3600]]
    assert left == 0
