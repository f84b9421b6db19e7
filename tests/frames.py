"""A pytest plugin that runs each test where there is room for the frames of all it calls.

CPython keeps the frames of a thread in chunks of 16 kB. It takes one from the system when a call is the first that does
not fit, and gives it back when that call returns. So a loop that calls across the end of a chunk asks the system for
memory with each call, and beneath pytest, Django and a client some loop is always there: it took a fifth of the
processor. Newer releases of Python keep a chunk: https://github.com/python/cpython/issues/142183.
"""

from types import FunctionType
from typing import Any

import pytest

SLOTS = 70_000
"""References that the first frame asks for, which makes its chunk 1 MiB; it touches none of them."""


def _call(function: Any, **given: Any) -> Any:
    return function(**given)


with_room = FunctionType(_call.__code__.replace(co_stacksize=SLOTS), globals())
"""Call a function with what is given, in a chunk that half of is left for what it calls."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Any:
    """Run a test as pytest's own hook does."""
    runner: Any = item.config.pluginmanager.get_plugin("runner")
    return with_room(runner.pytest_runtest_protocol, item=item, nextitem=nextitem)
