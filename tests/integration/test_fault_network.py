"""A network that drops everything, and closes nothing."""

import time
from functools import partial

import pytest

from tests.integration.bench import SLUG, Bench, shows
from tests.integration.page import Page
from tests.integration.wire import Wire

pytestmark = pytest.mark.integration


def test_a_network_that_drops_for_twenty_seconds(bench: Bench) -> None:
    with Wire(bench.stack.port) as wire, Page(bench.client, SLUG, port=wire.port) as page, bench.page() as other:
        wire.cut()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            value = bench.push()
            other.wait(partial(shows, other, value), "a value, on a page with a network", 3)
            time.sleep(0.5)
        assert not shows(page, value)
        assert time.monotonic() - page.heard_at > 15, "a page that hears nothing for so long says so"
        wire.mend()
        page.wait(partial(shows, page, value), "the newest value", 5)
        page.becomes_right(5)
