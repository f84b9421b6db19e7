"""Each part of Daphne that does not fit stays as it comes: the server starts, and one line of the log says so."""

import gc
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import daphne.server  # (first, because it chooses the Twisted reactor)
import pytest
from autobahn.twisted.websocket import WebSocketAdapterProtocol
from autobahn.websocket import protocol as autobahn
from autobahn.websocket.compress import PerMessageDeflate
from daphne import http_protocol, ws_protocol
from django.conf import settings as ours
from pytest_django import Settings
from structlog.testing import capture_logs
from twisted.internet import abstract, tcp
from twisted.protocols import policies
from twisted.web import http

from dashboard_project.daphne_extensions import frames, parts, prepared_frames, self_test
from dashboard_project.daphne_extensions.server import _failure

ALL = [part.name for part in parts.PARTS]
FRAMES = ["prepared_frames", "compression"]
SOCKETS = (
    autobahn.WebSocketProtocol,
    autobahn.WebSocketServerProtocol,
    autobahn.WebSocketClientProtocol,
    WebSocketAdapterProtocol,
    ws_protocol.WebSocketProtocol,
)
TRANSPORTS = (abstract.FileDescriptor, tcp.Connection)
CHANNELS = (policies.TimeoutMixin, http.HTTPChannel)
REQUESTS = (http.Request, http_protocol.WebRequest, http.HTTPChannel)
Patch = Callable[[pytest.MonkeyPatch], None]


def renamed(name: str, *classes: Any) -> Patch:
    """Have the classes' own code call an attribute otherwise, as another release of their library might."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        found = False
        for cls in classes:
            for key, value in list(vars(cls).items()):
                if isinstance(value, FunctionType):
                    code = value.__code__
                    names, constants = (
                        [f"{name}_" if one == name else one for one in each] for each in (code.co_names, code.co_consts)
                    )
                    monkeypatch.setattr(
                        value, "__code__", code.replace(co_names=tuple(names), co_consts=tuple(constants))
                    )
                    found |= name in (*code.co_names, *code.co_consts)
                if key == name:
                    monkeypatch.setattr(cls, f"{name}_", value, raising=False)
                    monkeypatch.delattr(cls, name)
                    found = True
        assert found

    return patch


def missing(part: str) -> Patch:
    """Have a module lack what it imports."""
    return lambda monkeypatch: monkeypatch.setitem(sys.modules, f"{parts.__package__}.{part}", None)


def no_choice_of_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    init = http.Request.__init__
    monkeypatch.setattr(http.Request, "__init__", lambda self, channel, queued=None: init(self, channel))


def replaced(where: Any, name: str, value: Any) -> Patch:
    return lambda monkeypatch: monkeypatch.setattr(where, name, value)


BROKEN = {
    "Twisted's count of what waits": (renamed("_tempDataLen", *TRANSPORTS), FRAMES),
    "Twisted's buffer": (renamed("dataBuffer", *TRANSPORTS), FRAMES),
    "Twisted's place in the buffer": (renamed("offset", *TRANSPORTS), FRAMES),
    "Twisted's time for a request": (renamed("resetTimeout", *CHANNELS), ["http_limits"]),
    "Twisted's end of a connection": (renamed("timeoutConnection", *CHANNELS), ["http_limits"]),
    "Twisted's length of a body": (renamed("gotLength", *REQUESTS), ["http_limits"]),
    "Twisted's piece of a body": (renamed("handleContentChunk", *REQUESTS), ["http_limits"]),
    "Twisted's forms": (no_choice_of_forms, ["http_limits"]),
    "Daphne's request": (renamed("process", *REQUESTS), ["http_limits"]),
    "Daphne's closing": (renamed("serverClose", *SOCKETS), ["close_codes"]),
    "Daphne's queue": (renamed("application_queue", *SOCKETS), ["socket_limits"]),
    "Daphne's note of a socket": (renamed("application_instance", daphne.server.Server), ["socket_memory"]),
    "Daphne's connections": (renamed("connections", daphne.server.Server), ALL),
    "autobahn's closing": (renamed("sendCloseFrame", *SOCKETS), ["close_codes"]),
    "autobahn's pings": (renamed("onPing", *SOCKETS), ["socket_limits"]),
    "autobahn's frame": (renamed("current_frame", *SOCKETS), FRAMES),
    "autobahn's message": (renamed("inside_message", *SOCKETS), FRAMES),
    "autobahn's rest": (renamed("data", *SOCKETS), FRAMES),
    "autobahn's unanswered ping": (renamed("autoPingTimeoutCall", *SOCKETS), FRAMES),
    "autobahn's compression": (renamed("_perMessageCompress", *SOCKETS), ["compression"]),
    "autobahn's window": (renamed("server_max_window_bits", PerMessageDeflate), ["compression"]),
    "frames that nobody can read": (
        replaced(prepared_frames, "text_frame", lambda payload, bits: b"\x81\x7f" + payload), FRAMES
    ),
    "frames that are not compressed": (
        replaced(prepared_frames, "text_frame", lambda payload, bits: frames.text_frame(payload)), ["compression"]
    ),
    **{f"an import of {name}": (missing(name), [name, *(FRAMES[1:] if name == FRAMES[0] else [])]) for name in ALL},
    "an offer that raises": (
        replaced(prepared_frames.PreparedWriter, "window_bits", property(lambda self: 1 / 0)), FRAMES
    ),
    "a self-test that does not fit": (
        replaced(self_test, "HTTPFactory", None), ALL
    ),
}  # fmt: skip


def usable() -> tuple[list[str], list[Any]]:
    """Return the parts that are left out, and the log."""
    with capture_logs() as log:
        used = parts.usable(_failure)
    return [name for name in ALL if name not in {part.name for part in used}], log


def test_all_fit() -> None:
    assert usable() == ([], [])


@pytest.mark.parametrize("broken", BROKEN)
def test_what_does_not_fit_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    patch, expected = BROKEN[broken]
    gc.freeze()  # what other tests left takes a second to look through
    with monkeypatch.context() as patched:
        patch(patched)
        left_out, log = usable()
    gc.collect()
    assert caplog.records == []  # beside that one line
    assert left_out == expected
    [line] = log
    assert line["log_level"] == "warning"
    assert line["parts"] == ", ".join(expected)
    assert line["so"] == "; ".join(part.without for part in parts.PARTS if part.name in expected)
    assert line["because"]


@pytest.mark.parametrize("broken", [None, "Twisted's time for a request", "Daphne's connections"])
def test_the_server_starts_all_the_same(monkeypatch: pytest.MonkeyPatch, broken: str | None) -> None:
    started: list[bool] = []
    server: Any = self_test.Talk(())
    server._ready = lambda: started.append(True)
    with monkeypatch.context() as patched, capture_logs() as log:
        if broken:
            BROKEN[broken][0](patched)
        server.ready_callable()
    assert started == [True]
    assert len(log) == bool(broken)
    # Without bounds of ours nobody tells proxies from strangers, so neither is believed.
    assert server.proxy_forwarded_address_header == (None if broken else "X-Forwarded-For")


def test_stock_behaviour_on_request(settings: Settings) -> None:
    settings.EXTEND_DAPHNE = False
    left_out, [line] = usable()
    assert left_out == ALL
    assert line["because"] == "EXTEND_DAPHNE is false"


def test_compression_that_is_turned_off_is_not_missed(settings: Settings) -> None:
    settings.COMPRESS_FRAMES = False
    assert usable() == (["compression"], [])


def test_another_release_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "TRIED_WITH", {**parts.TRIED_WITH, "daphne": "4.2.2"})
    with monkeypatch.context() as patched:
        BROKEN["autobahn's closing"][0](patched)
        _, [line] = usable()
    assert line["installed"]["daphne"] == "4.2.3"
    assert line["tried_with"]["daphne"] == "4.2.2"


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "requirements.in"])
def test_the_releases_that_were_tried_are_the_ones_that_are_installed(file: str) -> None:
    text = (Path(ours.BASE_DIR) / file).read_text()
    assert dict(re.findall(r"^(autobahn|daphne|twisted)==([\w.]+)", text, re.MULTILINE)) == parts.TRIED_WITH
