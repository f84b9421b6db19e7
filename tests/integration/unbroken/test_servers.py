"""Pages, sockets and static files under every server that the docs name, beside our own."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.integration.bench import SLUG, Bench, shows
from tests.integration.page import ARTICLE, PULSE, Page
from tests.integration.stack import READY_S, ROOT, STOPS_S, free_port

pytestmark = pytest.mark.integration

SERVERS = {
    "runserver": "manage.py runserver --noreload {port}",
    "daphne": "-m daphne --port {port} dashboard_project.asgi:application",
    "uvicorn": "-m uvicorn --port {port} dashboard_project.asgi:application",
}


@pytest.fixture(scope="module")
def ports(bench: Bench) -> Iterator[dict[str, int]]:
    """All of them, started at once, by the port that each listens on."""
    with ExitStack() as running, bench.stack.log.open("ab") as log:
        ports = {name: free_port() for name in SERVERS}
        for name, port in ports.items():
            command = [sys.executable, *SERVERS[name].format(port=port).split()]
            process = subprocess.Popen(command, cwd=ROOT, env=bench.stack.env, stdout=log, stderr=subprocess.STDOUT)
            running.callback(process.wait, STOPS_S)
            running.callback(process.terminate)
        yield ports


def wait_until_it_answers(url: str) -> None:
    until = time.monotonic() + READY_S
    while True:
        try:
            httpx.get(f"{url}/healthz").raise_for_status()
            return
        except httpx.TransportError:
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.mark.parametrize("name", SERVERS)
def test_it_serves_pages_sockets_and_static_files(bench: Bench, ports: dict[str, int], name: str) -> None:
    url = f"http://127.0.0.1:{ports[name]}"
    wait_until_it_answers(url)
    with httpx.Client(base_url=url, cookies=bench.client.cookies, timeout=20) as client:
        page = client.get(f"/d/{SLUG}/?range=15m").raise_for_status().text
        assert ARTICLE.search(page)
        assert PULSE.search(page)
        styles = re.findall(r'href="(/static/[^"]+\.css)"', page)
        assert styles
        for style in styles:
            assert client.get(style).raise_for_status().headers["Content-Type"].startswith("text/css")
        with Page(client, SLUG) as open_page:  # it has had a first frame
            value = bench.push()
            open_page.wait(lambda: shows(open_page, value), "the value that was pushed")
            assert open_page.codes == []
