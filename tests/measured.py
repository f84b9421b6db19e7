"""A pytest plugin: `--coverage` measures which lines of pure code its unit tests run, and fails below a floor.

Only while tests of these folders run, because every call costs more while it is measured; and while all is imported,
which is the same in every worker, in the first one alone. Each writes a file, and the process that started them puts
these together.
"""

import os
import tempfile
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from tests.exit_code import FAILED_BESIDES

if TYPE_CHECKING:
    from coverage import Coverage

FLOORS = {"metrics/widgets": 92.0, "metrics/ingest": 99.0}
"""Least per cent of lines, by folder of code; tests/widgets has the tests of metrics/widgets."""
TESTS = tuple(folder.replace("metrics/", "tests/") + "/" for folder in FLOORS)
FIRST = "gw0"
"""The worker that is always there."""
FOLDER = "TEST_COVERAGE_FOLDER"
"""Environment variable with the folder of the workers' files."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--coverage", action="store_true", help=f"measure {', '.join(FLOORS)}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Begin to measure before Django, and so the code, is imported."""
    given = early_config.known_args_namespace
    if given.coverage:
        is_worker = "PYTEST_XDIST_WORKER" in os.environ
        if not is_worker:
            folder = tempfile.TemporaryDirectory(prefix="wf-coverage-")
            os.environ[FOLDER] = folder.name
            early_config.pluginmanager.register(Report(folder))
        if is_worker or not given.numprocesses:
            early_config.pluginmanager.register(Measure())
    return (yield)


def _coverage() -> "Coverage":
    from coverage import Coverage

    return Coverage(f"{os.environ[FOLDER]}/data", data_suffix=True, config_file=False, source=[*FLOORS])


class Measure:
    """Measures imports, in one process, and the tests of the folders."""

    def __init__(self) -> None:
        self._coverage = _coverage()
        self._runs = False
        self._measure(os.environ.get("PYTEST_XDIST_WORKER", FIRST) == FIRST)

    def _measure(self, runs: bool) -> None:
        if runs != self._runs:
            self._runs = runs
            if runs:
                self._coverage.start()
            else:
                self._coverage.stop()

    @pytest.hookimpl
    def pytest_collection_finish(self) -> None:
        self._measure(False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        self._measure(item.nodeid.startswith(TESTS))
        try:
            return (yield)
        finally:
            self._measure(False)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._measure(False)
        self._coverage.save()


class Report:
    """Puts together what was measured, says so, and fails below the floor."""

    def __init__(self, folder: "tempfile.TemporaryDirectory[str]") -> None:
        self._folder = folder
        self._lines: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, FAILED_BESIDES):
            return
        coverage = _coverage()
        coverage.combine([self._folder.name])
        for folder, floor in FLOORS.items():
            with open(os.devnull, "w") as nowhere:
                share = coverage.report(include=[f"{folder}/*"], file=nowhere)
            self._lines.append(f"{folder}: {share:.1f} % of lines, at least {floor:g} %")
            if share < floor:
                session.exitstatus = FAILED_BESIDES

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("coverage")
        for line in self._lines:
            terminalreporter.write_line(line)
