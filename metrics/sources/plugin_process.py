"""Processes that run functions of somebody's own: each function has one, kept while it is asked often.

A process instead of a thread, because only a process can be ended: whatever a function does, hang, crash or fill the
memory, happens to it alone. Starting one costs what the file imports, which is most of what a run costs; so it stays
between runs, and ends by itself after a pause.
"""

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

from metrics.plugins.run import IDLE, LOAD_S
from metrics.sample import Sample
from metrics.sources.base import Noted, SourceError, left_out
from metrics.sources.plugin_files import Version
from metrics.sources.process import Guarded

log = structlog.get_logger(__name__)

ROOT = Path(__file__).parents[2]
OURS = ("ADMIN_PASSWORD", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "REDIS_URL", "SECRET_KEY", "SECRET_KEY_FALLBACKS")
"""Environment variables that plug-ins must not see."""
KEPT_S = 20
KEPT_MOST = 32
BACKSTOP_S = 1.0
"""How much later than the process itself would give up it is ended."""
ANSWER_MOST_BYTES = 16 * 1024 * 1024
CHUNK_BYTES = 65536
LINE_MOST = 500
LINES_MOST = 50

Answer = dict[str, Any]
Key = tuple[str, str]


class Gone(Exception):
    """A process ended without an answer, with the exit `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Process:
    """A process that has loaded `file`, or soon will, to run `function` of it, or to say what functions there are."""

    def __init__(self, file: Path, function: str = "", version: Version = ()) -> None:
        self.version = version
        self._name = f"{file.name}:{function}".rstrip(":")
        arguments = [str(file), *([function, str(KEPT_S)] if function else [])]
        self._process = Guarded(
            # -P: what is in the folder of the file takes nobody's place; -B: what is compiled is not kept
            [sys.executable, "-P", "-B", "-m", "metrics.plugins.run", *arguments],
            _environment(),
            settings.PLUGIN_MEMORY_BYTES,
            cwd=file.parent,
            stdin=subprocess.PIPE,
        )
        self._said = b""

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, timeout_s: float) -> Answer:
        """Have the function run once, and return the answer. Raises Gone and SourceError."""
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it is gone, and that is what there is to read
            self._process.stdin.write(b"%g\n" % timeout_s)
        return self.answer(timeout_s)

    def answer(self, timeout_s: float) -> Answer:
        """Wait for an answer, and log what the file says meanwhile. Raises Gone and SourceError."""
        until = time.monotonic() + timeout_s + BACKSTOP_S
        answer, lines_left = bytearray(), LINES_MOST
        output, errors = self._process.stdout, self._process.stderr
        assert output
        assert errors
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            selector.register(errors, selectors.EVENT_READ)
            # what it said before it answered is there when the answer is
            while ready := selector.select(0 if answer.endswith(b"\n") else max(0.0, until - time.monotonic())):
                for key, _ in ready:
                    chunk = os.read(key.fd, CHUNK_BYTES)
                    if key.fileobj is errors:
                        lines_left = self._log(chunk, lines_left)
                    answer += chunk if key.fileobj is output else b""
                    if not chunk:
                        selector.unregister(key.fileobj)
                if not selector.get_map() or len(answer) > ANSWER_MOST_BYTES:
                    break
        return self._read(answer, timeout_s)

    def _read(self, answer: bytearray, timeout_s: float) -> Answer:
        if answer.endswith(b"\n"):
            found: Answer = json.loads(answer)
            return found
        if len(answer) > ANSWER_MOST_BYTES:
            raise SourceError(f"It returned more than {ANSWER_MOST_BYTES // 1024**2} MiB.")
        with suppress(subprocess.TimeoutExpired):
            raise Gone(self._process.wait(0.1))
        raise SourceError(f"It took longer than {timeout_s:g} s, and did not let itself be interrupted.")

    def end(self) -> None:
        """End the process and all that it started."""
        self._process.end()

    def _log(self, chunk: bytes, lines_left: int) -> int:
        """Log the lines in `chunk`, the first `lines_left` of them; return how many more may come."""
        *lines, rest = (self._said + chunk).split(b"\n")
        self._said = rest[:LINE_MOST]
        for line in lines[: max(0, lines_left)]:
            log.info("plugin said", plugin=self._name, line=line[:LINE_MOST].decode(errors="replace"))
        if 0 < lines_left <= len(lines):
            log.warning("plugin said too much", plugin=self._name, lines_logged=LINES_MOST)
        return lines_left - len(lines)


_kept: dict[Key, Process] = {}
_lock = threading.Lock()


def functions(file: Path) -> list[Answer]:
    """Return the function, every_s and timeout_s of each metric in `file`. Raises SourceError if it can't be loaded."""
    process = Process(file)
    try:
        answer = process.answer(LOAD_S)
    except Gone as gone:
        raise SourceError(_ended(gone.code)) from None
    finally:
        process.end()
    if "error" in answer:
        raise SourceError(answer["error"])
    found: list[Answer] = answer["functions"]
    return found


def run(file: Path, function: str, timeout_s: float, version: Version) -> Noted:
    """Run one function of `file`, and return its samples; what was loaded from another version of it is not asked.

    Raises SourceError, with the samples that came before something went wrong.
    """
    key = str(file), function
    kept = _take(key, version)
    try:
        if kept:
            return _ask(kept, key, timeout_s)
    except Gone as gone:
        if gone.code != IDLE:
            raise SourceError(_ended(gone.code)) from None
    try:
        return _ask(_started(file, function, version), key, timeout_s)
    except Gone as gone:
        raise SourceError(_ended(gone.code)) from None


def sweep() -> None:
    """Forget the processes that ended."""
    with _lock:
        ended = [key for key, process in _kept.items() if not process.is_alive]
        processes = [_kept.pop(key) for key in ended]
    for process in processes:
        process.end()


def end_all() -> None:
    """End the processes that are kept."""
    with _lock:
        processes = list(_kept.values())
        _kept.clear()
    for process in processes:
        process.end()


def _started(file: Path, function: str, version: Version) -> Process:
    process = Process(file, function, version)
    try:
        answer = process.answer(LOAD_S)
        if "error" in answer:
            raise SourceError(answer["error"])
    except BaseException:
        process.end()
        raise
    return process


def _ask(process: Process, key: Key, timeout_s: float) -> Noted:
    answer: Answer = {"over": True}
    try:
        answer = process.ask(timeout_s)
    finally:
        if answer.get("over"):
            process.end()
        else:
            _keep(process, key)
    found = [Sample(**sample) for sample in answer["samples"]]
    if "error" in answer:
        raise SourceError(answer["error"], found)
    return Noted(found, left_out([f"{problem}." for problem in answer["problems"]]))


def _take(key: Key, version: Version) -> Process | None:
    """Take the process that is kept for `key`, if there is one with that version; until it is kept again it is ours."""
    with _lock:
        process = _kept.pop(key, None)
    if process and process.version != version:
        process.end()
        return None
    return process


def _keep(process: Process, key: Key) -> None:
    sweep()
    with _lock:
        has_room = key not in _kept and len(_kept) < KEPT_MOST
        if has_room:
            _kept[key] = process
    if not has_room:
        process.end()


def _ended(code: int) -> str:
    return f"Its process was ended by signal {-code}." if code < 0 else f"It ended its process, with code {code}."


def _environment() -> dict[str, str]:
    ours = {*OURS, *(f"{name}_FILE" for name in OURS)}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}
