"""Keeps child processes running, and stops all of them in order.

honcho's own manager ends everything when one child ends, and stops all at once; here a child that dies is
started again, and what others need (Redis) is stopped last. Its printer is what prefixes the output.
A process that listens is followed by another before it goes: see `dashboard_project.handover`.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from honcho.printer import Message, Printer

from dashboard_project import handover, prepared
from dashboard_project.processes import Process, Start, plainly

DELAY_LEAST_S = 1.0
DELAY_MOST_S = 10.0
LIVED_WELL_S = 30.0
COLOURS = ("36", "33", "32", "35", "34", "31")


@dataclass(frozen=True, slots=True)
class Command:
    """A child to keep running: its name in the output and of its pid file, its arguments, and where it listens.

    `waits` is the reading end of the pipe that tells it when all is prepared; see `dashboard_project.prepared`.
    """

    name: str
    arguments: Sequence[str]
    listener: socket.socket | None = None
    waits: int | None = None


class Child:
    """One command, run by a thread that starts it again when it ends.

    At once if it had run for long, else after 1 s, doubling to 10 s. It may replace a child that waits to go.
    """

    def __init__(
        self, command: Command, supervisor: "Supervisor", colour: str, replaces: "Child | None" = None
    ) -> None:
        self.command = command
        self.colour = colour
        self._supervisor = supervisor
        self._replaces = replaces
        self._stopping = threading.Event()
        self._process: Process | None = None
        self._line: socket.socket | None = None
        # The kernel ends it with the thread that starts the process, so that thread must live as long.
        self._thread = threading.Thread(target=self._keep_running, name=command.name, daemon=True)
        self._thread.start()

    def stop(self, force: bool = False) -> None:
        """Ask the child's process group to end, or kill it. It is not started again."""
        self._stopping.set()
        self.release()
        self._signal(signal.SIGKILL if force else signal.SIGTERM)

    def retire(self) -> bool:
        """Have it not started again when it ends; return whether that is news."""
        news = not self._stopping.is_set()
        self._stopping.set()
        return news

    def release(self) -> None:
        """Let the process go, if it waits for one that takes over."""
        if self._line is not None:
            with suppress(OSError):  # it is gone already
                self._line.shutdown(socket.SHUT_RDWR)

    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def join(self, until: float) -> bool:
        """Wait for the end until the monotonic time `until`; return whether it came."""
        self._thread.join(max(0.0, until - time.monotonic()))
        return self.is_over()

    def _keep_running(self) -> None:
        delay_s = DELAY_LEAST_S
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                process = self._start()
            except OSError as error:
                end = f"could not be started ({(error.strerror or str(error)).lower()})"
            else:
                end = f"ended with code {self._follow(process)}"
            if self._stopping.is_set():
                break
            if time.monotonic() - began > LIVED_WELL_S:
                delay_s = 0.0
            self._say(f"{end}; starting it again in {delay_s:g} s")
            self._stopping.wait(delay_s)
            delay_s = min(max(2 * delay_s, DELAY_LEAST_S), DELAY_MOST_S)

    def _start(self) -> Process:
        self._line, theirs = socket.socketpair() if self.command.listener else (None, None)
        self._process = process = self._supervisor.run(self.command, theirs)
        return process

    def _follow(self, process: Process) -> int:
        """Print what it says; return its exit code."""
        if self._line is not None:
            threading.Thread(target=self._listen, args=(self._line,), daemon=True).start()
        if self._stopping.is_set():  # asked to stop while it was being started
            self._signal(signal.SIGTERM)
        pid_file = self._supervisor.pid_file(self.command.name)
        try:
            pid_file.write_text(f"{process.pid}\n")
        except OSError as error:
            self._say(f"{pid_file} can't be written ({(error.strerror or str(error)).lower()})")
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._say(line)
        code = process.wait()
        with suppress(OSError, ValueError):
            if int(pid_file.read_text()) == process.pid:  # and not that of the one that took over
                pid_file.unlink()
        return code

    def _listen(self, line: socket.socket) -> None:
        """Hear what the process says of its coming and going, until either hangs up."""
        with line, line.makefile() as words:
            for word in words:
                if word.strip() == handover.LEAVING:
                    self._supervisor.replace(self)
                elif self._replaces is not None:
                    self._replaces.release()
                    self._replaces = None

    def _signal(self, number: int) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            # A child leads its own session, so its group is all that it started.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def _say(self, line: bytes | str) -> None:
        self._supervisor.say(line, self.command.name, self.colour)


class Supervisor:
    """Runs commands with `env`, prints what they say behind their names, keeps their pids in `pid_dir`.

    `start` is how a process is started.
    """

    def __init__(self, pid_dir: Path, env: Mapping[str, str], output: TextIO, start: Start = plainly) -> None:
        self._pid_dir = pid_dir
        self._env = dict(env)
        self._start = start
        self._printer = Printer(output, width=len("collect"))
        self._printing = threading.Lock()
        self._children: list[Child] = []
        self._changing = threading.Lock()
        pid_dir.mkdir(parents=True, exist_ok=True)

    def start(self, *commands: Command) -> None:
        for command in commands:
            self._children.append(Child(command, self, COLOURS[len(self._children) % len(COLOURS)]))

    def replace(self, child: Child) -> None:
        """Start another for `child`, which was asked to stop, though not by us, and goes when that one listens."""
        with self._changing:
            if not child.retire():
                return
            self.say("was asked to stop; another takes over", child.command.name, child.colour)
            running = [one for one in self._children if not one.is_over()]
            self._children = [*running, Child(child.command, self, child.colour, replaces=child)]

    def stop(self, first_for_s: float = 7.0, rest_for_s: float = 2.0, last: str = "redis") -> None:
        """Stop every child; the one named `last` only after all others.

        A process that does not end in time is killed.
        """
        with self._changing:
            for child in self._children:
                child.retire()
        self._stop([child for child in self._children if child.command.name != last], first_for_s)
        self._stop([child for child in self._children if child.command.name == last], rest_for_s)

    def kill(self) -> None:
        """End every child at once."""
        for child in self._children:
            child.stop(force=True)

    def say(self, line: bytes | str, name: str = "run", colour: str | None = None) -> None:
        """Print one line behind a name."""
        with self._printing:
            self._printer.write(Message(type="line", data=line, time=datetime.now(), name=name, colour=colour))

    def pid_file(self, name: str) -> Path:
        return self._pid_dir / f"{name}.pid"

    def run(self, command: Command, line: socket.socket | None = None) -> Process:
        """Start `command` once. It ends with this process, and is in a session of its own, out of reach of Ctrl-C.

        It inherits its listener, what it waits for, and `line`, which is closed here.
        """
        passed: dict[str, int] = {}
        if command.listener is not None and line is not None:
            passed = {handover.LISTENER_FD: command.listener.fileno(), handover.LINE_FD: line.fileno()}
        if command.waits is not None:
            passed[prepared.FD] = command.waits
        try:
            return self._start(command.arguments, self._env, passed, True)
        finally:
            if line is not None:
                line.close()

    @staticmethod
    def _stop(children: Sequence[Child], for_s: float) -> None:
        until = time.monotonic() + for_s
        for child in children:
            child.stop()
        for child in children:
            if not child.join(until):
                child.stop(force=True)
                child.join(time.monotonic() + 1)
