"""Sources come, change and go with the files in PLUGINS_DIR."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import runs, sources
from metrics.actions.plugins import AGAIN_S, Follower
from metrics.models import Sample, Series, Source
from metrics.sources import plugin_process

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ORDERS = """
from watchfloor import metric

@metric("orders_open", every="10s", unit="orders")
def orders_open():
    return 42
"""
MORE = """
@metric("carts", every="1m", label="shop", timeout="3s")
def carts():
    return {"berne": 3, "basel": 4}
"""

Write = Callable[..., None]


@pytest.fixture(autouse=True)
def folder(plugins_dir: Path) -> Path:
    return plugins_dir


@pytest.fixture
def write(folder: Path) -> Write:
    def written(text: str, name: str = "orders.py") -> None:
        (folder / name).write_text(text)

    return written


@pytest.fixture
def follower() -> Follower:
    return Follower()


def follow(follower: Follower, after_s: float = 0) -> None:
    follower.follow(time.monotonic() + after_s)


def shown() -> dict[str, tuple[int | None, bool]]:
    """How often each source runs, and whether it is on, by name."""
    return {one.name: (one.every_s, one.enabled) for one in Source.objects.filter(kind="plugin")}


def test_each_function_has_a_source(write: Write, follower: Follower) -> None:
    write(ORDERS + MORE)
    follow(follower)
    assert shown() == {"orders.py:orders_open": (10, True), "orders.py:carts": (60, True)}
    carts = Source.objects.get(name="orders.py:carts")
    assert carts.config == {"file": "orders.py", "function": "carts", "timeout_s": 3}
    assert carts.trusted


def test_its_samples_are_stored_like_any(write: Write, follower: Follower) -> None:
    write(ORDERS + MORE)
    follow(follower)
    for source in Source.objects.all():
        runs.collect(source.pk)
    assert set(Source.objects.values_list("last_samples", "last_error")) == {(1, ""), (2, "")}
    assert sorted(Sample.objects.values_list("series__metric", "series__labels__shop", "value")) == [
        ("carts", "basel", 4.0),
        ("carts", "berne", 3.0),
        ("orders_open", None, 42.0),
    ]


def test_a_file_that_did_not_change_is_not_loaded_again(
    write: Write, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(ORDERS)
    follow(follower)
    loaded: list[Path] = []
    monkeypatch.setattr(plugin_process, "functions", loaded.append)
    follow(follower, 10_000)
    assert loaded == []


def test_a_function_that_comes_later_and_a_period_that_changes(write: Write, follower: Follower) -> None:
    write(ORDERS)
    follow(follower)
    write(ORDERS.replace("10s", "20s") + MORE)
    follow(follower)
    assert shown() == {"orders.py:orders_open": (20, True), "orders.py:carts": (60, True)}


def test_a_function_that_went_is_turned_off_and_its_history_kept(write: Write, follower: Follower) -> None:
    write(ORDERS + MORE)
    follow(follower)
    for source in Source.objects.all():
        runs.collect(source.pk)
    write(ORDERS)
    follow(follower)
    assert shown() == {"orders.py:orders_open": (10, True), "orders.py:carts": (60, False)}
    assert Series.objects.filter(metric="carts").count() == 2
    write(ORDERS + MORE)
    follow(follower)
    assert shown()["orders.py:carts"] == (60, True)
    assert Source.objects.get(name="orders.py:carts").config.get("gone") is None


def test_a_file_that_went_takes_its_functions_along(write: Write, follower: Follower, folder: Path) -> None:
    write(ORDERS)
    follow(follower)
    (folder / "orders.py").unlink()
    follow(follower)
    assert shown() == {"orders.py:orders_open": (10, False)}


def test_a_file_that_went_while_nobody_looked_does_too(write: Write, follower: Follower, folder: Path) -> None:
    write(ORDERS)
    follow(follower)
    (folder / "orders.py").unlink()
    follow(Follower())
    assert shown() == {"orders.py:orders_open": (10, False)}


def test_a_folder_that_is_not_there_is_empty(folder: Path, follower: Follower) -> None:
    folder.rmdir()
    follow(follower)
    assert shown() == {}


def test_what_somebody_turned_off_stays_off(write: Write, follower: Follower) -> None:
    write(ORDERS)
    follow(follower)
    sources.change(SYSTEM, Source.objects.get().pk, {"enabled": False})
    write(ORDERS + MORE)
    follow(follower)
    assert shown()["orders.py:orders_open"] == (10, False)
    write(MORE.replace("@metric", "from watchfloor import metric\n@metric"))
    follow(follower)
    write(ORDERS + MORE)
    follow(follower)
    assert shown()["orders.py:orders_open"] == (10, False)


def test_a_new_file_that_can_not_be_loaded_shows_why(write: Write, follower: Follower) -> None:
    write("def broken(:\n")
    follow(follower)
    assert shown() == {"orders.py": (AGAIN_S, True)}
    runs.collect(Source.objects.get().pk)
    assert Source.objects.get().last_error == "SyntaxError: invalid syntax (orders.py, line 1)"
    write(ORDERS)
    follow(follower)
    assert shown() == {"orders.py:orders_open": (10, True)}


def test_a_file_that_breaks_shows_why_on_its_functions(write: Write, follower: Follower) -> None:
    write(ORDERS)
    write(ORDERS.replace("42", "43").replace("orders_open", "others_open"), "others.py")
    follow(follower)
    write(ORDERS + "\n(\n")
    follow(follower)
    for source in Source.objects.all():
        runs.collect(source.pk)
    errors = dict(Source.objects.values_list("name", "last_error"))
    assert errors["orders.py:orders_open"] == "SyntaxError: '(' was never closed (orders.py, line 8)"
    assert errors["others.py:others_open"] == ""


def test_a_file_whose_needs_are_back_is_tried_again(write: Write, follower: Follower, folder: Path) -> None:
    write(f"open('{folder}/needed')\n" + ORDERS)
    follow(follower)
    assert shown() == {"orders.py": (AGAIN_S, True)}
    (folder / "needed").touch()
    follow(follower)
    assert shown() == {"orders.py": (AGAIN_S, True)}
    follow(follower, AGAIN_S)
    assert shown() == {"orders.py:orders_open": (10, True)}


def test_a_broken_file_that_went_leaves_nothing(write: Write, follower: Follower, folder: Path) -> None:
    write("def broken(:\n")
    follow(follower)
    (folder / "orders.py").unlink()
    follow(follower)
    assert shown() == {}


def test_files_for_others_to_import_and_other_files_are_left_alone(
    write: Write, follower: Follower, folder: Path
) -> None:
    for name in ("_shops.py", ".hidden.py", "notes.txt", "a-b.py"):
        write(ORDERS, name)
    (folder / "folder.py").mkdir()
    follow(follower)
    assert shown() == {}


def test_a_name_that_is_taken_by_another_kind_stops_nothing(write: Write, follower: Follower) -> None:
    sources.create(SYSTEM, "host", "orders.py:orders_open", 10, {})
    write(ORDERS + MORE)
    follow(follower)
    assert shown() == {"orders.py:carts": (60, True)}


def test_two_who_follow_do_not_double_anything(write: Write, follower: Follower) -> None:
    write(ORDERS)
    follow(follower)
    follow(Follower())
    assert shown() == {"orders.py:orders_open": (10, True)}


def test_a_file_that_everybody_may_change_is_not_loaded(write: Write, follower: Follower, folder: Path) -> None:
    write(ORDERS)
    (folder / "orders.py").chmod(0o666)
    follow(follower)
    assert shown() == {"orders.py": (AGAIN_S, True)}
    runs.collect(Source.objects.get().pk)
    assert Source.objects.get().last_error.startswith("Everybody may write to")
