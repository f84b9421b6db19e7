"""Functions of one's own, in real processes: what they yield, and what they can't do to anybody else."""

import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import LazySettings
from pydantic import ValidationError
from structlog.testing import capture_logs

from metrics.sample import Sample, check
from metrics.sources import network_policy, plugin_process
from metrics.sources.base import Noted, SourceError
from metrics.sources.plugin import Plugin, PluginConfig
from tests.sources.test_nagios_plugin import ends

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def folder(plugins_dir: Path) -> Path:
    return plugins_dir


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a file of functions; what every file begins with is its first line already."""

    def written(body: str, name: str = "orders.py") -> Path:
        (folder / name).write_text("from watchfloor import Sample, metric\n" + textwrap.dedent(body))
        return folder / name

    return written


def collected(function: str = "orders_open", file: str = "orders.py", **fields: Any) -> list[Sample]:
    samples = Plugin().collect(PluginConfig(file=file, function=function, **fields))
    check(samples, time.time())
    return samples


def values(*arguments: str, **fields: Any) -> list[float]:
    return [one.value for one in collected(*arguments, **fields)]


def refusal(*arguments: str, **fields: Any) -> str:
    with pytest.raises(SourceError) as refused:
        collected(*arguments, **fields)
    return str(refused.value)


SIMPLE = """
@metric("orders_open", every="10s", unit="orders")
def orders_open():
    return 42
"""


class TestWhatTheyYield:
    def test_a_number(self, write: Write) -> None:
        write(SIMPLE)
        assert collected() == [Sample("orders_open", 42.0, {}, unit="orders")]

    def test_samples_with_labels_times_and_types(self, write: Write) -> None:
        write("""
            @metric("orders_open", every="10s")
            def orders_open():
                yield Sample("orders_open", 3, {"shop": "berne"}, at=1000.5)
                yield Sample("orders_total", 9, type="counter")
        """)
        assert collected() == [
            Sample("orders_open", 3.0, {"shop": "berne"}, 1000.5),
            Sample("orders_total", 9.0, type="counter"),
        ]

    def test_an_async_function(self, write: Write) -> None:
        write("""
            import asyncio

            loops = set()

            @metric("loops", every="10s")
            async def orders_open():
                await asyncio.sleep(0)
                loops.add(asyncio.get_running_loop())
                return len(loops)
        """)
        assert [values(), values()] == [[1], [1]]

    def test_what_a_file_keeps_lasts_from_run_to_run(self, write: Write) -> None:
        write("""
            runs = []

            @metric("runs", every="10s")
            def orders_open():
                runs.append(1)
                return len(runs)
        """)
        assert [values() for _ in range(3)] == [[1], [2], [3]]

    def test_functions_of_a_file_do_not_share_a_process(self, write: Write) -> None:
        write("""
            import os

            @metric("a", every="10s")
            def one():
                return os.getpid()

            @metric("b", every="10s")
            def two():
                return os.getpid()
        """)
        assert values("one") != values("two")
        assert values("one") == values("one")

    def test_the_folder_can_be_imported_from_and_is_where_it_runs(self, write: Write, folder: Path) -> None:
        (folder / "_shops.py").write_text("SHOPS = ['berne', 'basel']\n")
        (folder / "data.txt").write_text("7")
        write("""
            from _shops import SHOPS

            @metric("shops", every="10s")
            def orders_open():
                return len(SHOPS) + int(open("data.txt").read())
        """)
        assert values() == [9]

    def test_a_file_that_is_called_like_a_library_is_no_obstacle(self, write: Write, folder: Path) -> None:
        for name in ("json.py", "metrics.py", "select.py"):
            (folder / name).write_text("raise RuntimeError('not me')\n")
        write("import json, select" + SIMPLE)
        assert values() == [42]


class TestWhatIsKept:
    def test_one_bad_value_loses_no_other_and_is_named(self, write: Write) -> None:
        write("""
            @metric("orders_open", every="10s", label="shop")
            def orders_open():
                return {"berne": 1, "basel": "many"}
        """)
        found = Plugin().collect(PluginConfig(file="orders.py", function="orders_open"))
        assert [one.value for one in found] == [1]
        assert isinstance(found, Noted)
        assert found.note == "Left out: orders_open returned text for 'basel', not a number."

    @pytest.mark.parametrize(
        ("then", "said"),
        [
            ("raise KeyError('berne')", "KeyError: 'berne' (orders.py, line 8)"),
            ("import time; time.sleep(60)", "It took longer than 1 s (orders.py, line 8)"),
        ],
    )
    def test_what_came_before_something_went_wrong(self, write: Write, then: str, said: str) -> None:
        write(f"""

            @metric("orders_open", every="10s")
            def orders_open():
                yield Sample("orders_open", 1)
                yield Sample("orders_open", 2, {{"shop": "berne"}})
                {then}
        """)
        with pytest.raises(SourceError) as failed:
            collected(timeout_s=1)
        assert (str(failed.value), [one.value for one in failed.value.samples]) == (said, [1, 2])


class TestChanges:
    def test_a_changed_file_is_loaded_anew(self, write: Write) -> None:
        write(SIMPLE)
        assert values() == [42]
        write(SIMPLE.replace("42", "43"))
        assert values() == [43]

    def test_a_changed_helper_too(self, write: Write, folder: Path) -> None:
        (folder / "_shops.py").write_text("SHOPS = 1\n")
        write("import _shops" + SIMPLE.replace("42", "_shops.SHOPS"))
        assert values() == [1]
        (folder / "_shops.py").write_text("SHOPS = 2\n")
        assert values() == [2]

    def test_a_function_that_went(self, write: Write) -> None:
        write(SIMPLE)
        assert refusal("other") == "orders.py has no function other with a metric above it."

    def test_a_file_that_went(self, folder: Path) -> None:
        assert refusal() == f"There is no file orders.py in {folder}."


class TestMistakes:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("return 1 / 0", "ZeroDivisionError: division by zero (orders.py, line 5)"),
            ("raise KeyError('berne')", "KeyError: 'berne' (orders.py, line 5)"),
            ("raise RuntimeError", "RuntimeError (orders.py, line 5)"),
            ("raise RuntimeError('first\\nsecond')", "RuntimeError: first (orders.py, line 5)"),
            ("import json; json.loads('{')", "JSONDecodeError: Expecting property name"),
            ("return 'many'", "TypeError: orders_open returned text, not a number, a dict or a list of Sample"),
            ("raise SystemExit(3)", "SystemExit: 3 (orders.py, line 5)"),
            ("def again(): again()\n    again()", "RecursionError: maximum recursion depth exceeded"),
        ],
    )
    def test_an_exception_says_where(self, write: Write, body: str, said: str) -> None:
        write(f'\n@metric("orders_open", every="10s")\ndef orders_open():\n    {body}\n')
        error = refusal()
        assert error.startswith(said)
        assert error.endswith(("line 5)", "line 4)", "line 3)"))

    def test_the_line_is_the_last_one_in_the_folder(self, write: Write, folder: Path) -> None:
        (folder / "_math.py").write_text("def half(x):\n    return x / 0\n")
        write("""
            import _math

            @metric("orders_open", every="10s")
            def orders_open():
                return _math.half(1)
        """)
        assert refusal() == "ZeroDivisionError: division by zero (_math.py, line 2)"

    def test_after_an_exception_the_next_run_is_as_good_as_any(self, write: Write) -> None:
        write("""
            runs = []

            @metric("runs", every="10s")
            def orders_open():
                runs.append(1)
                return 1 / (len(runs) - 1)
        """)
        assert refusal().startswith("ZeroDivisionError")
        assert values() == [1]

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("def broken(:\n", "SyntaxError: invalid syntax (orders.py, line 2)"),
            ("  x = 1\n", "IndentationError: unexpected indent (orders.py, line 2)"),
            ("import no_such_library\n", "ModuleNotFoundError: No module named 'no_such_library' (orders.py, line 2)"),
            ("x = 'caf\udce9'\n", "SyntaxError: (unicode error) 'utf-8' codec can't decode byte 0xe9"),
            ('@metric("x", every="often")\ndef x(): ...\n', "ValueError: every: 'often' is not a period such as"),
            ("raise SystemExit\n", "SystemExit (orders.py, line 2)"),
        ],
    )
    @pytest.mark.parametrize("function", ["", "orders_open"])
    def test_a_file_that_can_not_be_loaded_says_why(self, folder: Path, source: str, said: str, function: str) -> None:
        text = "from watchfloor import metric\n" + source
        (folder / "orders.py").write_bytes(text.encode("utf-8", "surrogateescape"))
        assert refusal(function).startswith(said)


class TestLimits:
    def test_those_that_hang_are_stopped_and_say_where(self, write: Write) -> None:
        bodies = (
            "import time; time.sleep(60)",
            "import asyncio; await asyncio.sleep(60)",
            "import subprocess; subprocess.run(['sleep', '60'])",
        )
        for body in bodies:
            kind = "async def" if "await" in body else "def"
            function = f'\n@metric("orders_open", every="10s")\n{kind} orders_open():\n    {body}\n'
            write(function, f"f{bodies.index(body)}.py")
        began, timeout_s = time.monotonic(), 8  # importing takes seconds on a busy machine
        with ThreadPoolExecutor(len(bodies)) as threads:
            files = [f"f{number}.py" for number in range(len(bodies))]
            said = list(threads.map(lambda file: refusal(file=file, timeout_s=timeout_s), files))
        assert said == [f"It took longer than {timeout_s} s ({file}, line 5)" for file in files]
        assert time.monotonic() - began < 30

    def test_one_that_computes_without_end_is_stopped_too(self, write: Write) -> None:
        write('\n@metric("orders_open", every="10s")\ndef orders_open():\n    while True: pass\n')
        assert refusal(timeout_s=2) == "It took longer than 2 s (orders.py, line 5)"

    def test_one_that_can_not_be_interrupted_is_ended(self, write: Write) -> None:
        write("""
            import signal, time

            @metric("orders_open", every="10s")
            def orders_open():
                signal.signal(signal.SIGALRM, signal.SIG_IGN)
                time.sleep(60)
        """)
        assert refusal(timeout_s=1) == "It took longer than 1 s, and did not let itself be interrupted."

    def test_one_that_swallows_everything_is_ended(self, write: Write) -> None:
        write("""
            import time

            @metric("orders_open", every="10s")
            def orders_open():
                while True:
                    try:
                        time.sleep(60)
                    except BaseException:
                        pass
        """)
        assert "did not let itself be interrupted" in refusal(timeout_s=1)

    def test_what_it_started_ends_with_it(self, write: Write, tmp_path: Path) -> None:
        write(f"""
            import subprocess

            @metric("orders_open", every="10s")
            def orders_open():
                child = subprocess.Popen(["sleep", "300"])
                open("{tmp_path}/pid", "w").write(str(child.pid))
                child.wait()
        """)
        refusal(timeout_s=2)
        assert ends(int((tmp_path / "pid").read_text()))

    def test_a_fork_of_its_process_neither_answers_nor_stays(self, write: Write, tmp_path: Path) -> None:
        write(f"""
            import os

            @metric("orders_open", every="10s")
            def orders_open():
                child = os.fork()
                if not child:
                    return -1
                with open("{tmp_path}/pids", "a") as file:
                    print(child, file=file)
                return 1
        """)
        assert [values() for _ in range(5)] == [[1]] * 5
        assert all(ends(int(pid)) for pid in (tmp_path / "pids").read_text().split()[:-2])

    def test_an_exception_that_can_not_be_told_is_named(self, write: Write) -> None:
        write("""
            class Odd(Exception):
                def __str__(self):
                    raise ValueError("no")

            @metric("orders_open", every="10s")
            def orders_open():
                raise Odd
        """)
        assert refusal() == "Odd (orders.py, line 9)"

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("import os; os._exit(3)", "It ended its process, with code 3."),
            ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Its process was ended by signal 9."),
        ],
    )
    def test_one_that_ends_its_process_says_how(self, write: Write, body: str, said: str) -> None:
        write(f'\n@metric("orders_open", every="10s")\ndef orders_open():\n    {body}\n')
        assert refusal() == said
        assert refusal() == said

    def test_a_file_that_takes_too_long_to_load_is_stopped(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(plugin_process, "LOAD_S", 0.2)
        write("import time; time.sleep(60)\n" + SIMPLE)
        assert "took longer than 0.2 s" in refusal()
        assert "took longer than 0.2 s" in refusal("")

    def test_more_than_it_may_return_is_refused(self, write: Write) -> None:
        write("""
            @metric("x", every="10s")
            def orders_open():
                return (Sample("x", i, {"i": str(i)}) for i in range(10_001))
        """)
        assert "more than 10000 samples" in refusal()

    def test_many_samples_are_fine(self, write: Write) -> None:
        write("""
            @metric("x", every="10s", label="i")
            def orders_open():
                return {i: i for i in range(5000)}
        """)
        assert len(collected()) == 5000


class TestSurroundings:
    def test_what_it_prints_and_logs_is_in_the_log(self, write: Write) -> None:
        write("""
            import logging, os, sys

            @metric("x", every="10s")
            def orders_open():
                print("printed")
                logging.getLogger("orders").info("logged")
                os.system("echo by a shell")
                print("an error", file=sys.stderr)
                return len(sys.stdin.read())
        """)
        with capture_logs() as logs:
            assert values() == [0]
        assert [one["line"] for one in logs] == ["printed", "INFO orders: logged", "by a shell", "an error"]
        assert {one["plugin"] for one in logs} == {"orders.py:orders_open"}

    def test_a_flood_is_cut_short(self, write: Write) -> None:
        write("""
            @metric("x", every="10s")
            def orders_open():
                for _ in range(10_000):
                    print("x" * 1000)
                return 1
        """)
        with capture_logs() as logs:
            assert values() == [1]
        assert len(logs) == plugin_process.LINES_MOST + 1
        assert {len(one["line"]) for one in logs if "line" in one} == {plugin_process.LINE_MOST}

    def test_our_own_settings_are_not_in_its_environment(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_KEY", "hush")
        monkeypatch.setenv("DATABASE_URL_FILE", "/hush")
        monkeypatch.setenv("SHOP_KEY", "mine")
        write("""
            import os

            @metric("x", every="10s")
            def orders_open():
                assert os.environ["SHOP_KEY"] == "mine"
                ours = {"SECRET_KEY", "DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "ADMIN_PASSWORD"}
                return len(ours & os.environ.keys())
        """)
        assert values() == [0]

    def test_nothing_is_left_in_the_folder(self, write: Write, folder: Path) -> None:
        write(SIMPLE)
        values()
        assert [file.name for file in folder.iterdir()] == ["orders.py"]


class TestProcesses:
    PID = SIMPLE.replace("42", "__import__('os').getpid()")

    def test_one_that_was_idle_for_long_goes_and_another_comes(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(plugin_process, "KEPT_S", 0.05)
        write(self.PID)
        (first,) = values()
        assert ends(int(first))
        (second,) = values()
        assert second != first
        assert ends(int(second))
        with suppress(psutil.NoSuchProcess):  # its guard forgets it, and goes as well
            psutil.Process(int(second)).wait(5)
        assert not psutil.pid_exists(int(second))

    def test_one_whose_parent_is_gone_goes(self, write: Write) -> None:
        file = write(self.PID)
        process = plugin_process.Process(file, "orders_open")
        process.answer(5)
        pid = process._process.pid
        for pipe in (process._process.stdin, process._process.stdout, process._process.stderr):
            assert pipe
            pipe.close()
        assert process._process.wait(5) == 0
        assert not psutil.pid_exists(pid)

    def test_only_so_many_are_kept(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(plugin_process, "KEPT_MOST", 1)
        for name in ("one.py", "two.py"):
            write(self.PID, name)
        (one,), (two,) = values("orders_open", "one.py"), values("orders_open", "two.py")
        assert values("orders_open", "one.py") == [one]
        assert ends(int(two))

    def test_two_runs_at_a_time_have_two_processes(self, write: Write) -> None:
        """One on schedule, and one for somebody who tries the source."""
        file = write(self.PID)
        (kept,) = values()
        taken = plugin_process._take((str(file), "orders_open"), plugin_process._kept[str(file), "orders_open"].version)
        assert taken
        (other,) = values()
        assert other != kept
        plugin_process._keep(taken, (str(file), "orders_open"))
        assert ends(int(kept))


class TestWhatItLeaves:
    CHILD = """
        import os, subprocess

        @metric("x", every="10s")
        def orders_open():
            {}
            return os.getpid()
    """
    SLEEPS = "with open('{}', 'a') as file: print({}, file=file)"

    @pytest.mark.parametrize(
        "start",
        [
            "subprocess.Popen(['sleep', '300']).pid",
            "subprocess.Popen(['sleep', '300'], start_new_session=True).pid",
            "int(subprocess.check_output('setsid sleep 300 > /dev/null & echo $!', shell=True))",
        ],
        ids=["child", "session", "double fork"],
    )
    def test_a_run_that_leaves_a_child_is_the_last_of_its_process(
        self, write: Write, tmp_path: Path, start: str
    ) -> None:
        write(self.CHILD.format(self.SLEEPS.format(tmp_path / "pids", start)))
        first, second = values(), values()
        assert first != second
        left = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert len(left) == 2
        assert all(ends(pid) for pid in left)

    def test_one_that_waited_for_its_child_keeps_its_process(self, write: Write) -> None:
        write(self.CHILD.format("subprocess.run(['true'])"))
        assert values() == values()

    def test_memory_has_a_limit(self, write: Write, settings: LazySettings) -> None:
        settings.PLUGIN_MEMORY_BYTES = 256 * 1024**2
        write(self.CHILD.format("bytearray(400_000_000)"))
        assert refusal() == "It needs more memory than PLUGIN_MEMORY_BYTES allows (256 MiB)."


class TestWho:
    def test_a_file_that_everybody_may_change_is_not_run(self, write: Write, folder: Path) -> None:
        file = write(SIMPLE)
        file.chmod(0o666)
        assert refusal().startswith(f"Everybody may write to {file}")
        file.chmod(0o644)
        folder.chmod(0o777)
        assert refusal().startswith(f"Everybody may write to {folder},")

    def test_they_are_for_administrators(self, write: Write) -> None:
        write(SIMPLE)
        assert Plugin.administrators_only
        with network_policy.limited():
            assert refusal() == "Programs of this machine are only for sources made by administrators."

    @pytest.mark.parametrize("file", ["", "../x.py", "/etc/x.py", "x", "x.txt", "_x.py", ".x.py", "x-y.py", "x.py\n"])
    def test_a_file_elsewhere_is_refused(self, file: str) -> None:
        with pytest.raises(ValidationError):
            PluginConfig(file=file)

    @pytest.mark.parametrize("function", ["a b", "a.b", "1a", "--help"])
    def test_a_function_that_is_no_name_is_refused(self, function: str) -> None:
        with pytest.raises(ValidationError):
            PluginConfig(file="x.py", function=function)
