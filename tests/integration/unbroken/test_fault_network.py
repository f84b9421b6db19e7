"""A network that drops everything, and closes nothing."""

import time
from functools import partial

import pytest

from tests.integration.bench import HELD_UP_S, SLUG, Bench, nobody_was_held_up, shows
from tests.integration.page import Page
from tests.integration.wire import Wire

pytestmark = pytest.mark.integration


def test_a_network_that_drops_for_twenty_seconds(bench: Bench) -> None:
    with Wire(bench.stack.port) as wire, Page(bench.client, SLUG, port=wire.port) as page, bench.page() as other:
        wire.cut()
        until = time.monotonic() + 20
        waits_s = []
        while time.monotonic() < until:
            value = bench.push()
            waits_s.append(other.wait(partial(shows, other, value), "a value, on a page with a network", HELD_UP_S))
            time.sleep(0.5)
        assert nobody_was_held_up(waits_s)
        assert not shows(page, value)
        assert time.monotonic() - page.heard_at > 15, "a page that hears nothing for so long says so"
        wire.mend()
        page.wait(partial(shows, page, value), "the newest value", 5)
        page.becomes_right(5)
