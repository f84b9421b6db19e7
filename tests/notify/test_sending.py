"""The process that sends: through apprise too, only where it may, in time, and to the end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from pytest_django import Settings
from redis import Redis

from metrics.notify.base import ChannelError, Receipt
from metrics.notify.sending import picture, process
from metrics.notify.sending.process import Job
from metrics.redis_state.connection import client
from tests.browser.person import SOON_S
from tests.notify.receivers import hook
from tests.notify.test_webhook import MESSAGE, SECRET

pytestmark = pytest.mark.usefixtures("redis")

ROOT = Path(__file__).parents[2]
WORKER = """
import json, sys
from django.conf import settings
job = json.loads(sys.stdin.read())
settings.configure(**job.pop("settings"))
from metrics.notify.message import Message
from metrics.notify.sending.process import Job, send
send(Job(**{**job, "message": Message.of(job["message"])}))
"""
LONG_S = 3 * SOON_S
"""Two processes start one after the other."""


def apprise(url: str, **fields: Any) -> Job:
    return Job("apprise", {"url": url}, True, MESSAGE, f"wf:delivered:{uuid.uuid4()}", **fields)


def webhook(url: str) -> Job:
    config = {"url": url, "secret": SECRET}
    return Job("webhook", config, True, MESSAGE, f"wf:delivered:{uuid.uuid4()}")


def address(url: str, path: str = "") -> str:
    """Return the address of a web server as apprise has it."""
    return url.replace("http://", "json://") + path


def test_apprise_sends_it_and_the_token_is_nowhere() -> None:
    with hook() as receiver:
        receipt = process.send(apprise(address(receiver.url, "/in?+X-Token=secret-token")))
    assert receipt == Receipt("json://… took it.", "")
    ((path, headers, body),) = receiver.got
    assert path.startswith("/in")
    assert headers["x-token"] == "secret-token"
    said = json.loads(body)
    assert (said["title"], said["type"]) == ("Firing (critical): Disk full on web-1 <b>", "failure")
    assert '* Disk full{host="web-1"}: 97 %' in said["message"]


@pytest.mark.parametrize(("status", "permanent", "wait_s"), [(404, True, None), (429, False, 42.0), (503, False, 42.0)])
def test_apprise_does_not_say_why_and_we_do(status: int, permanent: bool, wait_s: float | None) -> None:
    with hook(status, Retry_After="42") as receiver, pytest.raises(ChannelError) as problem:
        process.send(apprise(address(receiver.url)))
    assert str(problem.value).startswith(f"json://… answered {status} ")
    assert problem.value.permanent is permanent
    assert wait_s is None or problem.value.wait_s == wait_s
    assert len(receiver.got) == 1


@pytest.mark.parametrize("url", ["nosuch://token", "syslog://"])
def test_of_people_who_are_not_administrators_nothing_here_is_used(url: str) -> None:
    job = Job("apprise", {"url": url}, False, MESSAGE, f"wf:delivered:{uuid.uuid4()}")
    with pytest.raises(ChannelError) as problem:
        process.send(job)
    assert problem.value.permanent or "did not take" in str(problem.value)


def test_of_people_who_are_not_administrators_no_private_address_is_connected_to() -> None:
    with hook() as receiver:
        job = Job("apprise", {"url": address(receiver.url)}, False, MESSAGE, f"wf:delivered:{uuid.uuid4()}")
        with pytest.raises(ChannelError, match=r"^The address 127\.0\.0\.1 is loopback") as problem:
            process.send(job)
    assert problem.value.permanent
    assert receiver.got == []


def test_what_drips_is_ended_with_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SENDS_S", 60.0)
    monkeypatch.setattr(process, "ENDS_S", 8.0)
    with hook() as receiver, pytest.raises(ChannelError, match="It took longer than") as problem:
        process.send(apprise(address(receiver.url, "/drip")))
    assert not problem.value.permanent


def test_what_ignores_its_alarm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ENDS_S", 60.0)
    started, start = list[int](), process._sender

    def sender(kind: str, until: float) -> tuple[socket.socket, int]:
        opened, pid = start(kind, until + LONG_S)
        started.append(pid)
        return opened, pid

    monkeypatch.setattr(process, "_sender", sender)
    monkeypatch.setattr(process, "WAITS_S", 0.01)
    with hook() as receiver, pytest.raises(ChannelError, match="It took longer than"):
        process.send(apprise(address(receiver.url, "/hang")))
    until = time.monotonic() + LONG_S
    while psutil.pid_exists(started[0]):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_an_answer_counts_though_the_worker_was_killed_meanwhile() -> None:
    arrived, go_on = threading.Event(), threading.Event()
    noted_as = f"wf:delivered:{uuid.uuid4()}"

    def wait() -> None:
        arrived.set()
        go_on.wait(LONG_S)

    with hook(before=wait) as receiver:
        config = {"url": receiver.url, "secret": SECRET, "timeout_s": 15}
        given = {
            "kind": "webhook",
            "config": config,
            "trusted": True,
            "noted_as": noted_as,
            "message": MESSAGE.document(),
            "settings": {name: getattr(settings, name) for name in process.NEEDED},
        }
        worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, stdin=subprocess.PIPE, text=True)
        assert worker.stdin
        with worker.stdin as line:
            line.write(json.dumps(given))
        try:
            assert arrived.wait(LONG_S)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        go_on.set()
        until = time.monotonic() + SOON_S
        while not client().get(noted_as) and time.monotonic() < until:
            time.sleep(0.05)
        again = process.send(Job("webhook", config, True, MESSAGE, noted_as))
    assert again.said.endswith("answered 200 OK.")
    assert len(receiver.got) == 1


@pytest.fixture
def hang(redis: Redis) -> Iterator[Callable[[], None]]:
    """Have Redis hang until the end of the test."""
    pid = int(redis.info("server")["process_id"])
    try:
        yield lambda: os.kill(pid, signal.SIGSTOP)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_without_redis_it_is_not_sent_and_that_is_not_the_channels_fault(hang: Callable[[], None]) -> None:
    with hook() as receiver:
        hang()
        with pytest.raises(ChannelError, match=r"^Redis does not answer\.$") as problem:
            process.send(webhook(receiver.url))
        assert receiver.got == []
    assert problem.value.is_ours
    assert not problem.value.permanent


@contextmanager
def refusing_at_first(redis: Redis, count: int) -> Iterator[str]:
    """Yield the URL of a Redis that ends its first connections, `count` of them, before it serves one."""
    path = redis.connection_pool.connection_kwargs["path"]

    def pass_on(source: socket.socket, to: socket.socket) -> None:
        with source, to, suppress(OSError):
            while said := source.recv(65_536):
                to.sendall(said)

    def serve() -> None:
        for _ in range(count):
            listener.accept()[0].close()
        near, far = listener.accept()[0], socket.socket(socket.AF_UNIX)
        far.connect(path)
        threading.Thread(target=pass_on, args=(far.dup(), near.dup()), daemon=True).start()
        pass_on(near, far)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_a_redis_that_is_started_anew_is_waited_for(redis: Redis, settings: Settings) -> None:
    with hook() as receiver, refusing_at_first(redis, 5) as settings.REDIS_URL:
        job = webhook(receiver.url)
        assert process.send(job).said.endswith("answered 200 OK.")
        assert json.loads(redis.get(job.noted_as) or "{}")["said"].endswith("answered 200 OK.")
        assert len(receiver.got) == 1


def test_an_answer_that_redis_does_not_take_is_told_all_the_same(hang: Callable[[], None]) -> None:
    with hook(before=hang) as receiver:
        assert process.send(webhook(receiver.url)).said.endswith("answered 200 OK.")
        assert len(receiver.got) == 1


def test_one_that_can_not_be_started_in_time_is_not_the_channels_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def sender(*_: Any) -> Any:
        raise TimeoutError

    monkeypatch.setattr(process, "_sender", sender)
    with pytest.raises(ChannelError, match="could not be started in time") as problem:
        process.send(webhook("http://127.0.0.1:9"))
    assert problem.value.is_ours


def test_a_drawing_becomes_a_picture_with_letters() -> None:
    def drawing(text: str) -> str:
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="28" font-family="sans-serif">'
            f'<text x="2" y="20" font-size="14">{text}</text></svg>'
        )

    made = picture.png(drawing("CPU ü"))
    assert made[16:24] == (128).to_bytes(4, "big") + (56).to_bytes(4, "big")
    assert len(made) > len(picture.png(drawing(" ")))


@pytest.mark.parametrize("drawing", ["no drawing", "<svg" + " " * picture.SVG_MOST])
def test_what_cannot_be_drawn_is_no_picture(drawing: str) -> None:
    with pytest.raises(picture.NoPicture):
        picture.png(drawing)
