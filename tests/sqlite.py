"""A pytest plugin: `--sqlite-as-well` runs what touches the database on SQLite, too, beside the tests asked for.

In a pytest of its own, because the settings say which database it is. It takes what the others leave of the processors,
who mostly wait in the beginning; without workers it comes after them. Its output is in the summary, and a failure in it
fails the whole run.
"""

import os
import subprocess
import sys
import tempfile

import pytest

from dashboard_project.processes import die_with_parent
from tests.exit_code import FAILED_BESIDES

FILES = (
    "tests/series",
    "tests/widgets/test_late.py",
    *(
        f"tests/actions/test_{name}.py"
        for name in (
            "arrivals",
            "beside",
            "dashboards",
            "heartbeats",
            "idempotency",
            "messages",
            "notifications",
            "rollup",
            "rooms",
            "samples",
            "search",
            "writable",
        )
    ),
)
"""Tests that ask the database for more than rows by their fields; whole systems in other tests run on SQLite."""
LEFT_OUT = (
    "tests/actions/test_beside.py::TestCards",
    "tests/actions/test_dashboards.py::TestCreate::test_a_bad_document",
    "tests/actions/test_dashboards.py::test_viewers_are_refused",
    "tests/actions/test_messages.py::test_a_page_of_a_long_room",
    "tests/actions/test_notifications.py::test_what_can_not_be",
    "tests/actions/test_search.py::test_what_can_not_be",
    "tests/series/test_codec.py",
    "tests/series/test_functions.py",
    "tests/series/test_growth.py::test_a_counter",
    "tests/series/test_growth.py::test_a_number",
    "tests/series/test_growth.py::test_any_counter",
    "tests/series/test_growth.py::test_columns",
    "tests/series/test_growth.py::test_every_tier_tells_the_truth[born",
    "tests/series/test_growth.py::test_every_tier_tells_the_truth[restarts every",
    "tests/series/test_growth.py::test_every_tier_tells_the_truth[tenths",
    "tests/series/test_growth.py::test_two_years",
    "tests/series/test_minutes.py::test_a_minute_of",
    "tests/series/test_minutes.py::test_eleven_digits",
    "tests/series/test_minutes.py::test_numbers_of",
    "tests/series/test_step_cache.py",
)
"""Of these files, what is computed, packed or refused: it asks the database for nothing that others don't."""
GIVES_WAY = ("nice", "-n", "5")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sqlite-as-well", action="store_true", help="run what depends on the database on SQLite, too")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.sqlite_as_well and "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(OnSqlite(beside=bool(config.option.numprocesses)))


class OnSqlite:
    """The other pytest; `beside` says that it runs while this one does."""

    def __init__(self, beside: bool) -> None:
        self._beside = beside
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self._process: subprocess.Popen[bytes] | None = None

    def pytest_sessionstart(self) -> None:
        if self._beside:
            self._start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Wait for it; the terminal's summary, which closes the session, comes after."""
        if self._process is None:
            self._start()
        assert self._process is not None
        if self._process.wait():
            session.exitstatus = FAILED_BESIDES

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._output.seek(0)
        terminalreporter.section("on SQLite")
        terminalreporter.write(self._output.read().decode(errors="replace"))

    def _start(self) -> None:
        left_out = [word for test in LEFT_OUT for word in ("--deselect", test)]
        command = [sys.executable, "-m", "pytest", "--quiet", *FILES, *left_out]
        self._process = subprocess.Popen(
            [*GIVES_WAY, *die_with_parent(*command)],
            env={**os.environ, "TEST_DATABASE": "sqlite"},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
