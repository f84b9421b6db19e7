"""Backups, rehearsed: made while samples come in, restored into both databases, and refused when they should be."""

import json
import os
import re
import resource
import shutil
import stat
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.conf import settings as ours
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from dashboard_project.backup import archive, copytext, schema
from dashboard_project.backup.archive import Reader
from metrics.health import store as health
from metrics.models import Chunk, Dashboard, Heartbeat, NotificationSettings, Series, Session, Source, Team
from metrics.redis_state.connection import KEY, client
from metrics.sample import Sample
from tests import trouble
from tests.make import accepted

pytestmark = [pytest.mark.usefixtures("redis"), pytest.mark.django_db(transaction=True)]

ODD = "a tab\t, a line\nanother\r, \b\f\v\x01\x7f, a backslash \\ \\N \\t, quotes '\", ü €, \u2028 \U0001f600"
REHEARSAL = """
import sys, django
django.setup()
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from dashboard_project.backup import schema
from dashboard_project.backup.databases import database
second, third = sys.argv[1:]
call_command("restore", "-")
call_command("backup", second)
for model in apps.get_models(include_auto_created=True):
    for row in model._base_manager.all()[:5]:
        for field in model._meta.concrete_fields:
            value = field.value_from_object(row)
            if value is not None and not model._base_manager.filter(pk=row.pk, **{field.attname: value}).exists():
                print(f"{model.__name__}.{field.attname} is not found by {value!r}")
older = [one for one in schema.applied() if one < ("metrics", "0013") or one[0] != "metrics"]
with database().replaced():
    schema.migrate(older)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth_group (name) VALUES ('from an older version')")
call_command("backup", third)
call_command("restore", third, replace=True)
call_command("migrate", check_unapplied=True, verbosity=0)
with connection.cursor() as cursor:
    cursor.execute("SELECT name FROM auth_group")
    print(*cursor.fetchone())
"""


@pytest.fixture
def furnished() -> Series:
    """Something of every kind of value, and of what refers to what."""
    user = User.objects.create_superuser("root", password="a long one")
    User.objects.filter(pk=user.pk).update(
        last_login=datetime(2026, 11, 28, 11, 0, 0, tzinfo=UTC), first_name=ODD[:100]
    )
    source = Source.objects.create(
        kind="push",
        name="odd",
        config={"text": ODD, "deep": [None, True, 1.5, {"ü": -1}]},
        last_success_at=datetime(2026, 11, 28, 11, 0, 0, 5000, tzinfo=UTC),
    )
    Heartbeat.objects.create(name="odd", down_at=datetime(2026, 11, 28, 11, 0, 0, 123450, tzinfo=UTC))
    NotificationSettings.objects.create(user=user, quiet_from=time_of_day(22, 0, 0, 500_000))
    Session.objects.create(session_key="odd", expire_date=datetime(2026, 11, 28, tzinfo=UTC), address="::a00:1")
    dashboard = Dashboard.objects.create(slug="odd", title="Odd", description=ODD)
    dashboard.teams.add(Team.objects.create(name="Some of us"))
    accepted([Sample("odd", 0.1, {"name": "ü \\ x"}, time.time() - 1)], source, time.time())
    series = Series.objects.get(metric="odd")
    Chunk.objects.create(series=series, start_ms=0, end_ms=5, count=1, data=bytes(range(256)))
    return series


class Pushing:
    """Pushes pairs of samples in a thread of its own; `stored` has the times of those that were accepted."""

    def __init__(self) -> None:
        self.stored: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Pushing":
        self._thread.start()
        until = time.monotonic() + 30
        while len(self.stored) < 5:
            assert time.monotonic() < until
            time.sleep(0.01)
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number, begin_ms = 0, round(time.time() * 1000) - 3_600_000
        while not self._stop.is_set():
            at_ms = begin_ms + number
            accepted([Sample(name, number, {}, at_ms / 1000) for name in ("left", "right")], None, time.time())
            self.stored.append(at_ms)
            number += 1
        connection.close()


@pytest.fixture
def targets(tmp_path: Path) -> Iterator[list[dict[str, str]]]:
    """Empty installations to restore into: on SQLite, and where there is one, on PostgreSQL."""
    nowhere = f"unix://{tmp_path / 'redis.sock'}"
    on_sqlite = {"DATA_DIR": str(tmp_path / "sqlite"), "DATABASE_URL": "", "REDIS_URL": nowhere}
    if connection.vendor == "sqlite":
        yield [on_sqlite]
        return
    name, url = f"restored_{uuid.uuid4().hex}", os.environ["DATABASE_URL"]
    with closing(psycopg.connect(url, autocommit=True)) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        moved = url.replace("/postgres?", f"/{name}?")
        yield [on_sqlite, {**on_sqlite, "DATA_DIR": str(tmp_path / "postgresql"), "DATABASE_URL": moved}]
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def contents(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table, in an order and a spelling that is the same whatever database they were in."""
    found = {}
    with Reader(path) as backup:
        for model in schema.models(backup.manifest.migrations):
            table = schema.table(model)
            types = [field.get_internal_type() for field in model._meta.local_concrete_fields if field.column]
            with backup.table(table.name) as lines:
                rows = [
                    {column: spelled(*one) for column, *one in zip(table.columns, row, types, strict=True)}
                    for row in copytext.read(archive.text(lines), table.kinds)
                ]
            found[table.name] = sorted(rows, key=repr)
    return found


def spelled(value: Any, type: str) -> Any:
    if value is not None and type == "JSONField":
        return json.dumps(json.loads(value), sort_keys=True)
    if value is not None and type == "DateTimeField":
        return datetime.fromisoformat(value)
    return value


def test_what_was_accepted_before_is_restored_into_either_database(
    furnished: Series, targets: list[dict[str, str]], tmp_path: Path
) -> None:
    first = tmp_path / "first"
    with Pushing() as pushing:
        before = set(pushing.stored)
        call_command("backup", str(first))
        assert len(pushing.stored) > len(before), "pushes went on meanwhile"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    held = contents(first)
    metrics = {row["id"]: row["metric"] for row in held["metrics_series"]}
    left, right = (
        {row["at_ms"] for row in held["metrics_sample"] if metrics[row["series_id"]] == name}
        for name in ("left", "right")
    )
    assert before <= left == right <= set(pushing.stored)
    assert [row["data"] for row in held["metrics_chunk"]] == [bytes(range(256))]
    assert [row["description"] for row in held["metrics_dashboard"]] == [ODD]
    for target in targets:
        second, third = (tmp_path / f"{Path(target['DATA_DIR']).name}.{name}" for name in ("second", "third"))
        done = subprocess.run(
            [sys.executable, "-c", REHEARSAL, str(second), str(third)],
            cwd=ours.BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "dashboard_project.settings", **target},
            input=first.read_bytes(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout == b"from an older version\n"
        assert contents(second) == held


@pytest.mark.skipif(connection.vendor == "sqlite", reason="PostgreSQL has settings")
def test_it_does_not_matter_how_the_server_writes_values(furnished: Series, tmp_path: Path) -> None:
    Heartbeat.objects.update(duration_s=0.1 + 0.2)
    call_command("backup", str(tmp_path / "usual"))
    with connection.cursor() as cursor:
        cursor.execute("SET extra_float_digits = 0; SET DateStyle = 'German'; SET bytea_output = 'escape'")
        call_command("backup", str(tmp_path / "other"))
        cursor.execute("RESET extra_float_digits; RESET DateStyle; RESET bytea_output")
    assert contents(tmp_path / "other") == contents(tmp_path / "usual")


@pytest.fixture
def backup(furnished: Series, tmp_path: Path) -> Path:
    call_command("backup", str(tmp_path / "backup"))
    return tmp_path / "backup"


@pytest.fixture
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    """A DATA_DIR with a password and a plug-in, which are restored, too."""
    settings.DATA_DIR = tmp_path / "data"
    (settings.DATA_DIR / "plugins").mkdir(parents=True)
    (settings.DATA_DIR / "admin_password").write_text("a long one\n")
    (settings.DATA_DIR / "plugins" / "ours.py").write_text("x = 1\n" * 50)
    return Path(settings.DATA_DIR)


@contextmanager
def a_full_disk() -> Iterator[None]:
    """Have this process write no file beyond 100 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def changed(path: Path, **manifest: Any) -> None:
    """Write an archive anew, with another manifest."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), **manifest}).encode()
    with zipfile.ZipFile(path, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)


def damaged(path: Path) -> None:
    with zipfile.ZipFile(path) as whole:
        at = whole.getinfo("tables/metrics_source").header_offset + 100
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


def without_a_row(path: Path) -> None:
    with Reader(path) as backup:
        tables = {name: held.model_dump() for name, held in backup.manifest.tables.items()}
    changed(path, tables={**tables, "auth_group": {"columns": ["id", "name"], "rows": 2}})


def with_a_group(path: Path, line: bytes) -> None:
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in members.items():
            new.writestr(name, line if name == "tables/auth_group" else content)


def newer(path: Path) -> None:
    with Reader(path) as backup:
        migrations = backup.manifest.migrations
    changed(path, migrations=[*migrations, ("metrics", "9999_of_next_year")])


SPOILED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no archive": (lambda path: path.write_bytes(b"x" * 1000), "is not a backup"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-500]), "is not a backup"),
    "missing": (lambda path: path.unlink(), "can't be read"),
    "damaged": (damaged, "is damaged"),
    "a table less": (lambda path: changed(path, tables={}), "does not fit"),
    "a newer version": (newer, "newer version"),
    "a newer format": (lambda path: changed(path, format=99), "newer version"),
}
SPOILED_GROUPS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "another count": (without_a_row, "instead of 2"),
    "a refused row": (lambda path: with_a_group(path, b"1\t\\N\n"), r"can't be restored \(.*\); everything is as it"),
    "no row": (lambda path: with_a_group(path, b"x\tmany\n"), r"can't be (restored \(invalid input.*\)|read)[.;]"),
}


@pytest.fixture
def _groups_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a restore make and fill the table of groups, after it dropped all, which is sooner done than all tables."""
    every = schema.models

    def make(_: object) -> None:
        with connection.schema_editor() as editor:
            for model in (ContentType, Permission, Group):
                editor.create_model(model)

    monkeypatch.setattr(schema, "migrate", make)
    monkeypatch.setattr(schema, "models", lambda all: [one for one in every(all) if one.__name__ == "Group"])


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_backup_that_is_not_whole_changes_nothing(backup: Path, spoil: str) -> None:
    refused(backup, *SPOILED[spoil])


@pytest.mark.parametrize("spoil", SPOILED_GROUPS)
@pytest.mark.usefixtures("_groups_alone")
def test_nor_does_a_table_with_other_rows_than_it_should_have(backup: Path, spoil: str) -> None:
    refused(backup, *SPOILED_GROUPS[spoil])


def refused(backup: Path, how: Callable[[Path], Any], said: str) -> None:
    """Spoil the backup, and check that restoring it says so and changes nothing."""
    how(backup)
    client().set(f"{KEY}kept", "1")
    with pytest.raises(CommandError, match=said):
        call_command("restore", str(backup), replace=True)
    assert Source.objects.get(name="odd").config["text"] == ODD
    assert list(Group.objects.values_list("name", flat=True)) == ["Some of us"]
    assert client().exists(f"{KEY}kept")


def test_a_restore_that_finds_no_room_changes_nothing(
    data_dir: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Source.objects.update(name="newer")
    (data_dir / "admin_password").write_text("newer\n")
    with a_full_disk(), pytest.raises(CommandError, match=r"restored \(File too large\); everything is as it was\.$"):
        call_command("restore", str(backup), replace=True)
    with backup.open("rb") as stdin, a_full_disk():
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stdin))
        with pytest.raises(CommandError, match=r"No copy of stdin can be made \(File too large\)"):
            call_command("restore", "-", replace=True)
    shutil.rmtree(data_dir / "plugins")
    (data_dir / "plugins").touch()
    with pytest.raises(CommandError, match=r"restored \(/.*/plugins: File exists\); everything is as it was\.$"):
        call_command("restore", str(backup), replace=True)
    (data_dir / "plugins").unlink()
    (data_dir / "plugins" / "ours.py").mkdir(parents=True)
    with pytest.raises(CommandError, match=r"restored \(/.*/plugins/ours.py: Is a directory\); everything is"):
        call_command("restore", str(backup), replace=True)
    assert Source.objects.filter(name="newer").exists()
    assert (data_dir / "admin_password").read_text() == "newer\n"
    assert {one.name for one in data_dir.iterdir()} == {"admin_password", "plugins", "run.lock"}


def test_a_file_that_can_not_be_replaced_is_named_and_all_else_restored(data_dir: Path, backup: Path) -> None:
    Source.objects.update(name="newer")
    for file in (data_dir / "admin_password", data_dir / "plugins" / "ours.py"):
        file.write_text("newer")
    with trouble.mounted(data_dir / "admin_password"):
        with pytest.raises(CommandError, match=r"All is restored but /.*/admin_password \(Device or resource busy\): "):
            call_command("restore", str(backup), replace=True)
        assert (data_dir / "admin_password").read_text() == "newer"
    assert Source.objects.filter(name="odd").exists()
    assert (data_dir / "plugins" / "ours.py").read_text() == "x = 1\n" * 50
    assert list(data_dir.glob(".*")) == []


def test_sqlite_without_room_says_so_and_stays_away(backup: Path, targets: list[dict[str, str]]) -> None:
    folder = Path(targets[0]["DATA_DIR"])
    done = subprocess.run(
        [sys.executable, "manage.py", "restore", str(backup)],
        cwd=ours.BASE_DIR,
        env={**os.environ, **targets[0]},
        capture_output=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )
    assert done.returncode == 1
    assert re.fullmatch(rb"CommandError: The backup can't be restored \(.*\); everything is as it was\.\n", done.stderr)
    assert not any(one.name.endswith((".restoring", ".part")) for one in folder.iterdir())


def test_it_replaces_nothing_unless_it_is_asked_to(backup: Path) -> None:
    with pytest.raises(CommandError, match="exists"):
        call_command("backup", str(backup))
    call_command("backup", str(backup), replace=True)
    with pytest.raises(CommandError, match="There is an installation already"):
        call_command("restore", str(backup))


def test_it_restores_nothing_while_the_system_runs(backup: Path) -> None:
    health.record("beat", time.time())
    with pytest.raises(CommandError, match="Watchfloor runs"):
        call_command("restore", str(backup), replace=True)


def test_a_backup_that_can_not_be_written_leaves_nothing_behind(furnished: Series, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"can't be written \(No such file or directory\)"):
        call_command("backup", str(tmp_path / "nowhere" / "backup"))
    with a_full_disk(), pytest.raises(CommandError, match=r"can't be written \(File too large\)"):
        call_command("backup", str(tmp_path / "backup"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CommandError, match="is no file"):
        call_command("backup", str(tmp_path / "pipe"), replace=True)
    (tmp_path / "pipe").unlink()
    assert list(tmp_path.iterdir()) == []


def test_what_can_not_be_read_is_named(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / "plugins" / "broken.py").symlink_to("/proc/self/mem")
    with pytest.raises(CommandError, match=r"/plugins/broken\.py can't be read \(Input/output error\)\.$"):
        call_command("backup", str(tmp_path / "backup"))
    (data_dir / "plugins" / "broken.py").unlink()
    with (
        trouble.connected({"NAME": "none/none"}),
        pytest.raises(CommandError, match=r"^The database can't be read \(.*\)\.$"),
    ):
        call_command("backup", str(tmp_path / "backup"))
    assert not (tmp_path / "backup").exists()


def test_files_of_rooms_that_are_kept_elsewhere_are_missed(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("backup", str(tmp_path / "usual"))
    assert "Files of rooms" not in capsys.readouterr().err
    storage = "django.core.files.storage.InMemoryStorage"
    settings.STORAGES = {**settings.STORAGES, "attachments": {"BACKEND": storage}}
    call_command("backup", str(tmp_path / "other"))
    assert f"Files of rooms are not in it: {storage} keeps them" in capsys.readouterr().err


def test_the_key_goes_along_unless_it_is_kept_elsewhere(backup: Path, settings: Settings, tmp_path: Path) -> None:
    with Reader(backup) as given:
        assert "secret_key" not in {str(path) for path, _ in given.files()}
    settings.DATA_DIR = tmp_path
    (tmp_path / "secret_key").write_text(settings.SECRET_KEY)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "ours.py").write_text("x = 1\n")
    call_command("backup", str(backup), replace=True)
    with Reader(backup) as own:
        assert {str(path): content for path, content in own.files()} == {
            "secret_key": settings.SECRET_KEY.encode(),
            "plugins/ours.py": b"x = 1\n",
        }
