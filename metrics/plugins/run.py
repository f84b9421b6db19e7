"""`python -m metrics.plugins.run FILE [FUNCTION KEPT_S]`: loads a file of somebody's own, and runs a function of it.

Without a function it says which there are. With one, it runs it once for each line on its input, which is how many
seconds that may take; and ends when there was no line for KEPT_S seconds, or whoever asks is gone. Each answer is a
line of JSON. Output that the file prints goes where its errors go.
"""

import faulthandler
import inspect
import json
import logging
import mmap
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from msgspec import structs

from metrics.plugins.declare import Declared
from metrics.plugins.load import TooLong, explain, load
from metrics.plugins.outcome import Outcome

LOAD_S = 7
SLACK_S = 0.5
"""So much later a function is interrupted wherever it is; one that waits says better where that was."""
GRACE_S = 3
"""Time after which the process ends, even unasked, while a function is busy in C: Python can't interrupt that."""
IDLE = 75
"""Exit code of a process that was not asked anything for so long that it went."""

ALLOWED_BYTES = resource.getrlimit(resource.RLIMIT_DATA)[0]
TOO_LARGE = f"It needs more memory than PLUGIN_MEMORY_BYTES allows ({ALLOWED_BYTES / 1024**2:g} MiB)."


Answer = dict[str, Any]


def main(file: Path, function: str = "", kept_s: float = 0) -> int:
    """Do what the command line says; return the exit code."""
    questions, answers = _apart()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    found: list[Declared] = []
    loaded = _attempt(LOAD_S, file, None, lambda: _load(file, found))
    if "error" in loaded or not function:
        _say(answers, loaded)
        return 0
    one = next((one for one in found if one.function == function), None)
    if one is None:
        _say(answers, {"error": f"{file.name} has no function {function} with a metric above it."})
        return 0
    _say(answers, {"ready": True})
    return _serve(one, file, kept_s, questions, answers)


def _apart() -> tuple[int, TextIO]:
    """Take input and output away for our own use, so that what the file reads and prints can't come in between."""
    questions, answers = os.dup(0), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    return questions, answers


def _load(file: Path, found: list[Declared]) -> Answer:
    found += load(file)
    return {
        "functions": [{"function": one.function, "every_s": one.every_s, "timeout_s": one.timeout_s} for one in found]
    }


def _serve(one: Declared, file: Path, kept_s: float, questions: int, answers: TextIO) -> int:
    while select.select([questions], [], [], kept_s)[0]:
        question = os.read(questions, 100)
        if not question:
            return 0
        timeout_s = float(question)
        outcome = Outcome()
        answer = _attempt(timeout_s, file, one.line, partial(_run, one, timeout_s, outcome))
        # what came before something went wrong is kept
        answer["samples"] = [structs.asdict(sample) for sample in outcome.samples]
        answer["problems"] = [str(problem) for problem in outcome.problems]
        if _forked[0] or _leaves_processes():
            answer["over"] = True
        _say(answers, answer)
        if answer.get("over"):
            return 0
    return IDLE


def _leaves_processes() -> bool:
    """Return whether there is something that the function started: it would pile up, run after run.

    The guard above this process has adopted the processes that the function started and left. Where the system does not
    tell (Linux does, proc_pid_children(5)), all of that ends when this process does.
    """
    me, guard = os.getpid(), os.getppid()
    lists = [*Path("/proc/self/task").glob("*/children"), Path(f"/proc/{guard}/task/{guard}/children")]
    return any(_runs(pid) for one in lists for pid in _text(one).split() if int(pid) != me)


def _runs(pid: str) -> bool:
    state = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return bool(state) and state[0] not in ("Z", "X")


def _text(file: Path) -> str:
    with suppress(OSError):
        return file.read_text()
    return ""


def _run(one: Declared, timeout_s: float, outcome: Outcome) -> Answer:
    ends_at = time.monotonic() + timeout_s
    result = one.call()
    if inspect.isawaitable(result):
        result = _wait(result, ends_at, timeout_s)
    outcome.take(one, result)
    return {}


def _wait(result: Awaitable[Any], ends_at: float, timeout_s: float) -> Any:
    import asyncio  # what most files do without, and takes as long to import as all the rest

    async def limited() -> Any:
        try:
            async with asyncio.timeout_at(ends_at) as limit:  # a loop's clock is the monotonic one
                return await result
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TooLong(_too_long(timeout_s)) from error

    if not _loops:
        _loops.append(asyncio.Runner())  # one for all runs, so that clients and their connections can be kept
    return _loops[0].run(limited())


_loops: list[Any] = []
_logged: list[str] = []
_forked = mmap.mmap(-1, 1)
"""Shared with forks: 1 once one of them came back from the function. Nobody waits for what is left of those."""


def _attempt(timeout_s: float, file: Path, line: int | None, work: Callable[[], Answer]) -> Answer:
    """Return what `work` does, or what went wrong; and whether that was so bad that this process had better end."""
    try:
        with _limited(timeout_s):
            return work()
    except BaseException as error:
        explained = TOO_LARGE if isinstance(error, MemoryError) else explain(error, file, line)
        if _logged != [explained] and not isinstance(error, TooLong):  # the same is not told anew with each run
            _logged[:] = [explained]
            traceback.print_exception(error)
        return {"error": explained, "over": isinstance(error, MemoryError) or not isinstance(error, Exception)}


@contextmanager
def _limited(timeout_s: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooLong(_too_long(timeout_s))

    mine = os.getpid()
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, timeout_s + SLACK_S)
    faulthandler.dump_traceback_later(timeout_s + GRACE_S, exit=True)
    try:
        yield
    finally:
        if os.getpid() != mine:  # a fork: it would answer as well, and stay; what cancels below would wait for ever
            _forked[0] = 1
            os._exit(0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


def _too_long(timeout_s: float) -> str:
    return f"It took longer than {timeout_s:g} s"


def _say(answers: TextIO, answer: Answer) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    name, function, kept_s, *_ = [*sys.argv[1:], "", "0"]
    try:
        code = main(Path(name), function, float(kept_s))
    except BrokenPipeError:  # nobody asks any more
        code = 0
    os._exit(code)  # threads that the file started are not waited for
