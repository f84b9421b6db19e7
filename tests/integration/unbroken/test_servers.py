"""Pages, sockets and static files under every server that the docs name, and under ours without its extensions."""

import re
from contextlib import ExitStack
from functools import partial

import httpx
import pytest

from tests.integration.bench import SLUG, Bench, shows
from tests.integration.page import ARTICLE, PULSE, Page
from tests.integration.servers import COMMANDS, PLAIN, Servers

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", COMMANDS)
def test_it_serves_pages_sockets_and_static_files(bench: Bench, servers: Servers, name: str) -> None:
    servers.started(*COMMANDS)
    with httpx.Client(base_url=servers[name].url, cookies=bench.client.cookies, timeout=20) as client:
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


def test_killed_with_pages_open(bench: Bench, servers: Servers) -> None:
    killed = servers.started(*PLAIN)
    with ExitStack() as opened:
        pages = [opened.enter_context(Page(bench.client, SLUG, port=server.port)) for server in killed]
        for server in killed:
            server.kill()
        value = bench.push()
        for server in killed:
            server.start()
        for page in pages:
            page.wait(partial(shows, page, value), "the value pushed meanwhile", 90)
            page.becomes_right(5)


def test_without_extensions_one_line_says_so(bench: Bench, servers: Servers) -> None:
    servers.started("stock")
    [line] = [line for line in bench.stack.output().splitlines() if "Daphne is used as it comes" in line][:1]
    assert "EXTEND_DAPHNE is false" in line
    assert "http_limits" in line
