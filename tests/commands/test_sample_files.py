"""Export and import, as an operator runs them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from metrics.models import Sample, Series
from tests.make import AT, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def samples() -> None:
    stored("orders_open", {20: 1.5, 10: 2}, shop="nörd")
    stored("orders_open", {10: 3})
    stored("queue_length", {5: 7})


def held() -> set[tuple[str, tuple[tuple[str, str], ...], int, float]]:
    rows = Sample.objects.select_related("series")
    return {(row.series.metric, tuple(row.series.labels.items()), row.at_ms, row.value) for row in rows}


def run(command: str, *arguments: Any, **options: Any) -> str:
    err = io.StringIO()
    call_command(command, *map(str, arguments), stderr=err, **options)
    return err.getvalue()


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_what_is_exported_is_the_same_when_it_is_imported(tmp_path: Path, ending: str) -> None:
    file, before = tmp_path / f"all.{ending}", held()
    run("export_samples", file)
    Series.objects.all().delete()
    assert held() == set()
    assert "4 samples" in run("import_samples", file)
    assert held() == before
    run("import_samples", file)
    assert held() == before
    assert set(Series.objects.values_list("source__name", flat=True)) == {f"import: all.{ending}"}


@pytest.mark.usefixtures("samples")
def test_a_metric_and_a_time_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("export_samples", metric="orders_open", end="2026-11-20T11:59:45Z")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"metric": "orders_open", "at": AT - 20, "value": 1.5, "labels": {"shop": "nörd"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metric,at,value\nm,0,1\nm,1,x\n", "line 3: value 'x' is not a number. Nothing was stored."),
        ("metric,at,value\nm,0,1\n,1,1\n", "line 3: metric"),
        ("metric,at,value\nm,99999999999,1\n", "line 2: at is more than"),
        ("metric,at,value\nm,nan,1\n", "line 2: at is not a time"),
    ],
)
def test_one_bad_line_and_nothing_is_stored(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    with pytest.raises(CommandError, match=said):
        run("import_samples", file)
    assert held() == set()


def test_a_line_without_a_time_is_of_no_time(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"metric": "m", "value": 1}\n')
    with pytest.raises(CommandError, match="line 1: at is missing"):
        run("import_samples", file)


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        ("import_samples", ["nowhere.csv"], r"can't be read \(No such file or directory\)\.$"),
        ("import_samples", ["samples.xls"], r"say --format\.$"),
        ("export_samples", ["/nowhere/samples.csv"], r"can't be written \(No such file or directory\)\.$"),
        ("export_samples", ["--start", "yesterday"], r"is not a time"),
        ("export_samples", ["--start", "2026-11-20T12:00"], r"no time zone"),
    ],
)
def test_what_can_not_be_done_is_one_sentence(command: str, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(command, *arguments)


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    file.write_text("mine")
    with pytest.raises(CommandError, match=r"\(File exists\)"):
        run("export_samples", file)
    assert file.read_text() == "mine"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(b"metric,at,value\nm,0,\xff\n")
    with pytest.raises(CommandError, match="is not UTF-8"):
        run("import_samples", file)
