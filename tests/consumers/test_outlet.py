"""How sockets are closed under servers that let an application send some codes only."""

import asyncio
from typing import Any

import pytest

from consumers import outlet
from consumers.frame import Frame

Messages = list[dict[str, Any]]


@pytest.fixture
def sent() -> Messages:
    return []


@pytest.fixture
def send(sent: Messages) -> outlet.Send:
    """Like Daphne as it comes, whose autobahn raises a bare Exception for other codes."""

    async def send(message: dict[str, Any]) -> None:
        code = message.get("code", 1000)
        if code != 1000 and not 3000 <= code <= 4999:
            raise Exception(f"invalid close code {code} (must be 1000 or from [3000, 4999])")
        sent.append(message)

    return send


async def done() -> None:
    await asyncio.gather(*outlet._running, return_exceptions=True)


@pytest.mark.parametrize(("code", "closed"), [(1012, 1000), (1013, 1000), (1008, 1000), (1000, 1000), (4401, 4401)])
async def test_a_code_that_the_server_refuses_becomes_a_normal_end(
    send: outlet.Send, sent: Messages, code: int, closed: int
) -> None:
    one = outlet.outlet({}, send)
    one.write(Frame("first"))
    one.close(code)
    await done()
    assert sent[-1] == {"type": "websocket.close", "code": closed}


async def test_frames_go_in_order_and_one_that_waits_is_given_up_when_the_socket_closes(
    send: outlet.Send, sent: Messages
) -> None:
    one = outlet.outlet({}, send)
    one.write(Frame("first"))
    one.write(Frame("second"))
    await done()
    assert [message["text"] for message in sent] == ["first", "second"]
    one.write(Frame("third"))
    one.close(4401)
    await done()
    assert [message["type"] for message in sent[2:]] == ["websocket.close"]


async def test_a_socket_that_is_gone_is_no_error() -> None:
    async def gone(message: dict[str, Any]) -> None:
        raise RuntimeError("Cannot send once the socket is gone.")

    one = outlet.outlet({}, gone)
    one.close(1013)
    await done()
    assert not outlet._running
