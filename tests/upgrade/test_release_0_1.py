"""Databases of release 0.1: after the upgrade everything is still there, and growth is told as far as samples reach.
Their schema is that of a new database, which one migration makes at once.

`release-0.1.txt` made them with that release: sixty hours from AT on of three series, a sample a minute, written,
rolled, packed and pruned as they came. The counter restarts_total begins anew every ten minutes, at 0, and rises by 10.
Beside them there are sources, one with a password, a dashboard of a group, a heartbeat, a token and a user.
"""

import gzip
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from tests import migrated
from tests.make import AT
from tests.upgrade import schemas

ROOT = Path(__file__).parents[2]
SQLITE, POSTGRESQL = (Path(__file__).with_name(f"release-0.1.{ending}.gz") for ending in ("sqlite3", "sql"))
CODE = """
import json
from django.contrib.auth.models import User
from django.core.management import call_command
from metrics.access.bearer import bearer
from metrics.actions import credentials
from metrics.models import Dashboard, Heartbeat, Late, Source
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

def fields(row, *names):
    return {{name: getattr(row, name) for name in names}}

call_command("migrate", verbosity=0)
call_command("bootstrap")
before = values()
for _ in range(50):
    rollup.roll(NOW)
pack.pack(NOW)
dashboard = Dashboard.objects.get()
shop, machine = Source.objects.order_by("-name")
print(json.dumps({{
    "before": before,
    "after": values(),
    "late": Late.objects.count(),
    "shop": {{**fields(shop, "kind", "every_s", "config"), "credentials": credentials.read(shop.secrets)}},
    "machine": fields(machine, "kind", "every_s", "cron", "time_zone"),
    "dashboard": {{
        **fields(dashboard, "slug", "title", "description", "range", "for_everyone"),
        "teams": [team.name for team in dashboard.teams.all()],
        "widgets": [
            [one.kind, one.title, one.config["queries"][0]["metric"], one.x, one.y, one.w, one.h]
            for one in dashboard.widgets.all()
        ],
    }},
    "heartbeat": fields(Heartbeat.objects.get(), "key", "name", "every_s", "grace_s", "state"),
    "last ping": Heartbeat.objects.get().last_at.timestamp(),
    "token": fields(bearer("wf_of-release-0.1"), "name", "scope"),
    "signs in": User.objects.get(username="ada").check_password("four words make it"),
}}))
"""


@pytest.fixture
def on_sqlite(tmp_path: Path) -> str:
    file = tmp_path / "old.sqlite3"
    file.write_bytes(gzip.decompress(SQLITE.read_bytes()))
    return f"sqlite:///{file}"


@pytest.fixture
def on_postgresql() -> Iterator[str]:
    if os.environ.get("TEST_DATABASE") == "sqlite":
        pytest.skip("There is no PostgreSQL with TEST_DATABASE=sqlite.")
    server, name = urlsplit(os.environ["DATABASE_URL"]), f"upgraded_{uuid.uuid4().hex}"
    with closing(psycopg.connect(server.geturl(), autocommit=True)) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        url = server._replace(path=f"/{name}").geturl()
        with psycopg.connect(url) as connection:
            connection.execute(gzip.decompress(POSTGRESQL.read_bytes()))
        yield url
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["on_sqlite", "on_postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Address of a database as release 0.1 left it."""
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def new(url: str, request: pytest.FixtureRequest) -> str:
    """Address of a new database of the same kind."""
    if url.startswith("sqlite:"):
        return f"sqlite:///{migrated.file()}"
    request.getfixturevalue("django_db_setup")
    return urlsplit(url)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def upgraded(url: str, data_dir: Path) -> Any:
    """Upgrade the database of `url` in an installation of this release; return what CODE prints."""
    env = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE"}
    env |= {"DATABASE_URL": url, "DATA_DIR": str(data_dir), "SECRET_KEY": "upgrade"}
    code = CODE.format(at=AT, now=AT + 60 * 3600)
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_everything_is_there_after_the_upgrade(url: str, new: str, tmp_path: Path) -> None:
    found = upgraded(url, tmp_path)
    assert schemas.of(url) == schemas.of(new)
    assert found.pop("before")[2:] == [[59 * 3600] * 2, [10.73, 3600]]
    assert found.pop("after") == [[540] * 3, [24 * 540] * 4, [59 * 3600] * 2, [10.73, 3600]]
    assert found == {
        "late": 0,
        "shop": {
            "kind": "http_check",
            "every_s": 60,
            "config": {"url": "https://shop.example/", "username": "watch"},
            "credentials": {"password": "quite secret"},
        },
        "machine": {"kind": "host", "every_s": None, "cron": "*/5 * * * *", "time_zone": "Europe/Zurich"},
        "dashboard": {
            "slug": "shop",
            "title": "Shop",
            "description": "Of release 0.1.",
            "range": "6h",
            "for_everyone": False,
            "teams": ["ops"],
            "widgets": [["number", "Load", "load", 0, 0, 3, 1], ["line", "Rises", "rises_total", 3, 0, 6, 2]],
        },
        "heartbeat": {
            "key": "of-release-0-1",
            "name": "nightly",
            "every_s": 86_400,
            "grace_s": 600,
            "state": "up",
        },
        "last ping": AT + 59 * 3600,
        "token": {"name": "push", "scope": "push"},
        "signs in": True,
    }
