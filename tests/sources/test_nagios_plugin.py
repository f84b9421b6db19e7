"""Real checks of Debian's monitoring-plugins, and some that misbehave."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import LazySettings
from pydantic import ValidationError
from structlog.testing import capture_logs

from metrics.sample import Sample, check
from metrics.sources import network_policy
from metrics.sources.base import Noted, SourceError
from metrics.sources.nagios_plugin import NagiosPlugin, NagiosPluginConfig
from tests.debian import installed
from tests.sources.documented import undocumented

Write = Callable[..., None]


@pytest.fixture
def real(settings: LazySettings) -> None:
    """Debian's own checks."""
    settings.NAGIOS_PLUGINS_DIR = Path(installed("check_dummy")).parent


@pytest.fixture
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    settings.NAGIOS_PLUGINS_DIR = tmp_path / "checks"
    settings.NAGIOS_PLUGINS_DIR.mkdir(mode=0o755)
    return tmp_path / "checks"


@pytest.fixture
def write(folder: Path) -> Write:
    """Make a check of our own out of lines of shell."""

    def made(*lines: str, name: str = "check_ours", mode: int = 0o755) -> None:
        (folder / name).write_text("\n".join(["#!/bin/sh", *lines, ""]))
        (folder / name).chmod(mode)

    return made


def collected(plugin: str, *arguments: str, **fields: Any) -> list[Sample]:
    config = {"plugin": plugin, "arguments": list(arguments), **fields}
    samples = NagiosPlugin().collect(NagiosPluginConfig.model_validate(config))
    check(samples, time.time())
    return samples


def refusal(plugin: str, *arguments: str, **fields: Any) -> str:
    with pytest.raises(SourceError) as refused:
        collected(plugin, *arguments, **fields)
    assert str(refused.value).endswith(".")
    return str(refused.value)


def note(samples: list[Sample]) -> str:
    assert isinstance(samples, Noted)
    return samples.note


@pytest.mark.usefixtures("real")
class TestRealChecks:
    @pytest.mark.parametrize(
        ("status", "word", "verdict"), [(0, "OK", "up"), (1, "WARNING", "warning"), (2, "CRITICAL", "down")]
    )
    def test_the_exit_code_is_the_status_and_the_text_is_noted(self, status: int, word: str, verdict: str) -> None:
        samples = collected("check_dummy", str(status), "as it was told")
        assert samples == [Sample("nagios_status", status, {"check": "check_dummy"})]
        assert note(samples) == f"{word}: as it was told"
        assert isinstance(samples, Noted)
        assert samples.verdict == verdict

    def test_unknown_is_no_verdict_but_a_run_that_found_nothing_out(self) -> None:
        with pytest.raises(
            SourceError, match=r"^check_dummy could not find out: UNKNOWN: as it was told\.$"
        ) as refused:
            collected("check_dummy", "3", "as it was told")
        assert refused.value.samples == [Sample("nagios_status", 3, {"check": "check_dummy"})]

    def test_load(self) -> None:
        samples = collected("check_load", "-w", "1000,1000,1000", "-c", "2000,2000,2000", name="load")
        assert [(one.metric, one.labels.get("label")) for one in samples] == [
            ("nagios_status", None),
            ("nagios_value", "load1"),
            ("nagios_value", "load5"),
            ("nagios_value", "load15"),
        ]
        assert samples[1].value == pytest.approx(os.getloadavg()[0], abs=5)
        assert {one.labels["check"] for one in samples} == {"load"}
        assert undocumented(samples) == set()

    def test_disk(self) -> None:
        status, used = collected("check_disk", "-w", "1%", "-c", "0%", "-p", "/")
        assert (status.value, used.unit, used.labels["label"]) == (0, "bytes", "/")
        assert used.value == pytest.approx(psutil.disk_usage("/").used, rel=0.2)

    def test_ping(self) -> None:
        samples = collected("check_ping", "-H", "127.0.0.1", "-w", "500,50%", "-c", "900,90%", "-p", "1")
        assert [(one.labels.get("label"), one.unit) for one in samples[1:]] == [("rta", "seconds"), ("pl", "percent")]
        assert note(samples).startswith("PING OK")

    def test_a_text_of_several_lines(self) -> None:
        samples = collected("check_tcp", "-H", "127.0.0.1", "-p", "9")
        assert samples[0].value == 2
        assert "refused" in note(samples)


class TestItsLimits:
    def test_nothing_goes_through_a_shell(self, write: Write, folder: Path) -> None:
        write('echo "$# $1 $2"')
        assert note(collected("check_ours", "$(touch x); `id`", "a b * ?")) == "2 $(touch x); `id` a b * ?"
        assert [file.name for file in folder.iterdir()] == ["check_ours"]

    def test_a_check_learns_nothing_of_our_environment(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_KEY", "hush")
        write("env | sort | cut -d= -f1 | tr '\\n' ' '")
        assert set(note(collected("check_ours")).split()) <= {"PATH", "LC_ALL", "PWD", "_", "OLDPWD", "SHLVL"}

    def test_one_that_hangs_is_killed_with_all_it_started(self, write: Write, tmp_path: Path) -> None:
        write(f"sleep 300 & echo $! > {tmp_path}/pid", "sleep 300")
        began = time.monotonic()
        assert refusal("check_ours", timeout_s=0.5) == "It took longer than 0.5 s."
        assert time.monotonic() - began < 3
        assert ends(int((tmp_path / "pid").read_text()))

    def test_what_it_leaves_behind_is_killed(self, write: Write, tmp_path: Path) -> None:
        write(f"sleep 300 > /dev/null 2>&1 & echo $! > {tmp_path}/pid", "echo fine")
        assert note(collected("check_ours")) == "fine"
        assert ends(int((tmp_path / "pid").read_text()))

    def test_one_that_closes_its_output_and_hangs_is_killed(self, write: Write) -> None:
        write("exec > /dev/null 2>&1", "sleep 300")
        assert refusal("check_ours", timeout_s=0.5) == "It took longer than 0.5 s."

    @pytest.mark.parametrize("where", ["", ">&2"])
    def test_a_flood_is_stopped(self, write: Write, where: str) -> None:
        write(f"yes {where}")
        assert refusal("check_ours") == "It wrote more than 64 KiB."

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("exit 4", "check_ours ended with code 4, which is no status."),
            ("no_such_program", "check_ours ended with code 127, which is no status: {}"),
            ("kill -SEGV $$", "check_ours was ended by signal 11, which is no status."),
        ],
    )
    def test_other_codes_are_no_status(self, write: Write, line: str, said: str) -> None:
        write(line)
        assert refusal("check_ours").startswith(said.partition("{}")[0])

    def test_what_can_not_be_read_stands_in_the_note(self, write: Write) -> None:
        write("echo 'fine | a=1,5 b=2'")
        samples = collected("check_ours")
        assert note(samples) == "fine (can't be read: a=1,5)"
        assert len(samples) == 2

    def test_a_check_that_says_nothing_has_its_status_noted(self, write: Write) -> None:
        write("exit 2")
        assert note(collected("check_ours")) == "CRITICAL"

    def test_bytes_that_are_no_text_do_no_harm(self, write: Write) -> None:
        write(r"printf 'caf\351 \000 fine | a\351=1\n'")
        assert note(collected("check_ours")).startswith("caf\N{REPLACEMENT CHARACTER}")

    def test_a_password_goes_where_it_is_asked_for(self, write: Write) -> None:
        write('echo "$1"')
        assert note(collected("check_ours", "user:{password}", password="hush")) == "user:hush"
        assert note(collected("check_ours", "user:{password}")) == "user:{password}"


class TestWhichChecks:
    def test_without_the_setting_it_is_off(self, settings: LazySettings) -> None:
        settings.NAGIOS_PLUGINS_DIR = None
        assert "NAGIOS_PLUGINS_DIR" in refusal("check_dummy")

    def test_one_that_is_not_there(self, folder: Path) -> None:
        assert refusal("check_ours") == f"There is no check check_ours in {folder} that can be run."

    def test_one_that_is_not_executable(self, write: Write) -> None:
        write("echo", mode=0o644)
        assert "that can be run" in refusal("check_ours")

    def test_one_without_an_interpreter(self, folder: Path) -> None:
        (folder / "check_ours").write_text("#!/no/such/interpreter\n")
        (folder / "check_ours").chmod(0o755)
        assert "can't be run (No such file or directory)" in refusal("check_ours")

    def test_a_link_that_was_put_there_is_followed(self, folder: Path) -> None:
        (folder / "check_true").symlink_to("/bin/true")
        assert [one.value for one in collected("check_true")] == [0]

    def test_one_that_everybody_may_change_is_not_run(self, write: Write, folder: Path) -> None:
        write("echo", mode=0o777)
        assert refusal("check_ours").startswith(f"Everybody may write to {folder / 'check_ours'}")
        (folder / "check_ours").chmod(0o755)
        folder.chmod(0o777)
        assert refusal("check_ours").startswith(f"Everybody may write to {folder},")

    def test_they_are_for_administrators(self, write: Write) -> None:
        write("echo")
        assert NagiosPlugin.administrators_only
        with network_policy.limited():
            assert refusal("check_ours") == "Programs of this machine are only for sources made by administrators."

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"plugin": ""},
            {"plugin": "../check"},
            {"plugin": "/bin/sh"},
            {"plugin": ".."},
            {"plugin": "check\n"},
            {"plugin": "x", "arguments": ["a\x00b"]},
            {"plugin": "x", "arguments": ["x"] * 51},
            {"plugin": "x", "timeout_s": 26},
        ],
    )
    def test_a_bad_config_is_refused(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            NagiosPluginConfig.model_validate(fields)


class TestWhatItLeaves:
    @pytest.mark.parametrize(
        "line",
        [
            "sleep 300 & echo $! > {}",
            "setsid sleep 300 & echo $! > {}",
            "nohup sleep 300 > /dev/null 2>&1 & echo $! > {}",
            "(setsid sh -c 'sleep 300 & echo $! > {}; exec sleep 300' &)",
        ],
        ids=["background", "setsid", "nohup", "double fork"],
    )
    def test_a_child_is_ended_and_the_check_counts(self, write: Write, tmp_path: Path, line: str) -> None:
        file = tmp_path / "pid"
        write(line.format(file), f"while ! test -s {file}; do sleep 0.01; done", "echo fine")
        with capture_logs() as logs:
            assert note(collected("check_ours")) == "fine"
        assert ends(int(file.read_text()))
        assert [one["event"] for one in logs] == ["a program left processes behind, which were ended"]

    def test_a_thousand_are_ended(self, write: Write, tmp_path: Path) -> None:
        write(f"for i in $(seq 1000); do setsid sleep 300 & echo $! >> {tmp_path}/pids; done", "echo fine")
        assert note(collected("check_ours", timeout_s=20)) == "fine"
        left = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert len(left) == 1000
        assert all(ends(pid) for pid in left)

    def test_all_is_ended_with_a_worker_that_is_killed(self, write: Write, tmp_path: Path, folder: Path) -> None:
        write(f"setsid sleep 300 & echo $! $$ > {tmp_path}/pids; sleep 300")
        worker = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from metrics.sources.process import run; run(sys.argv[1:], 60, {'PATH': '/bin'}, 2**30)",
                str(folder / "check_ours"),
            ]
        )
        until = time.monotonic() + 30
        while not (tmp_path / "pids").exists() or not (tmp_path / "pids").read_text().endswith("\n"):
            assert time.monotonic() < until
            time.sleep(0.01)
        worker.kill()
        worker.wait()
        assert all(ends(int(pid)) for pid in (tmp_path / "pids").read_text().split())

    def test_memory_has_a_limit(self, write: Write, settings: LazySettings) -> None:
        settings.PLUGIN_MEMORY_BYTES = 64 * 1024**2
        write(f"{sys.executable} -c 'bytearray(200_000_000)' 2>&1 | tail -1")
        assert note(collected("check_ours")) == "MemoryError"


def ends(pid: int) -> bool:
    """Return whether that process ends soon; what only waits for its parent to notice has ended."""
    until = time.monotonic() + 5
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
    return True
