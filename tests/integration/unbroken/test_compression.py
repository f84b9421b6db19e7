"""Answers and frames are compressed for those who ask, and for nobody else, side by side."""

import json
import re
from collections.abc import Sequence
from contextlib import ExitStack

import httpx
import pytest
from websockets.extensions import ClientExtensionFactory
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect

from tests.integration.bench import SLUG, Bench, until_closed
from tests.integration.page import PULSE

pytestmark = pytest.mark.integration

PAGES = ["/", f"/d/{SLUG}/?range=15m", "/sources/", "/heartbeats/", "/watching/", "/api/v1/openapi.json", "/metrics"]
OFFERS: dict[str, Sequence[ClientExtensionFactory]] = {
    "none": [],
    "of a browser": [ClientPerMessageDeflateFactory(client_max_window_bits=True)],
    "no context": [ClientPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)],
    "a small window": [ClientPerMessageDeflateFactory(server_max_window_bits=9)],
}


def encoding(bench: Bench, path: str, accepted: str, **headers: str) -> tuple[str, str, str]:
    """Return how an answer is encoded, what it varies by, and its text."""
    cookies = {"sessionid": bench.client.cookies["sessionid"]}
    headers |= {"Accept-Encoding": accepted}
    answer = httpx.get(bench.stack.url + path, cookies=cookies, headers=headers, timeout=20).raise_for_status()
    return answer.headers.get("Content-Encoding", ""), answer.headers.get("Vary", ""), answer.text


@pytest.mark.parametrize("path", PAGES)
def test_pages_and_data_are_compressed(bench: Bench, path: str) -> None:
    compressed, varies, text = encoding(bench, path, "gzip")
    assert compressed == "gzip"
    assert "Accept-Encoding" in varies
    plain, varies, same = encoding(bench, path, "identity")
    assert plain == ""
    assert "Accept-Encoding" in varies
    assert text[:40] == same[:40] != ""


def test_polls_are_compressed(bench: Bench) -> None:
    compressed, _, text = encoding(bench, "/sources/", "gzip", **{"HX-Request": "true", "HX-Target": "sources"})
    assert compressed == "gzip"
    assert "<html" not in text


def test_static_files_are_compressed_once_and_short_answers_never(bench: Bench) -> None:
    style = re.findall(r'href="(/static/[^"]+\.css)"', bench.client.get("/").text)[0]
    compressed, _, text = encoding(bench, style, "gzip")
    assert compressed == "gzip"
    assert "{" in text
    assert encoding(bench, "/healthz", "gzip")[0] == ""


@pytest.mark.usefixtures("untroubled")
def test_sockets_of_every_kind_are_sent_the_same(bench: Bench) -> None:
    url = f"ws://127.0.0.1:{bench.stack.port}/ws/dashboards/{SLUG}/?range=15m"
    bearer = {"Authorization": f"Bearer {bench.read_token}"}
    with ExitStack() as opened:
        sockets = {
            name: opened.enter_context(
                connect(url, additional_headers=bearer, compression=None, extensions=offers, close_timeout=1)
            )
            for name, offers in OFFERS.items()
        }
        agreed = {name: [one.name for one in socket.protocol.extensions] for name, socket in sockets.items()}
        assert agreed == {name: ["permessage-deflate"] if offers else [] for name, offers in OFFERS.items()}
        for _ in range(3):
            shown = f">{bench.push()}<"
            for name, socket in sockets.items():
                while shown not in (frame := str(socket.recv(10))):
                    pass
                found = PULSE.search(frame)
                assert found, name
                socket.send(json.dumps({"ack": int(found[2])}))
        for name, socket in sockets.items():
            socket.send("nonsense")
            heard, code = until_closed(socket)
            assert (code, "A message is" in heard[-1]) == (1008, True), name
