"""A pytest plugin that runs each test where there is room for the frames of all it calls.

Beneath pytest, Django and a client some loop always calls across the end of a chunk: a fifth of the processor.
"""

from typing import Any

import pytest

from dashboard_project.frames import with_room


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Any:
    """Run a test as pytest's own hook does."""
    runner: Any = item.config.pluginmanager.get_plugin("runner")
    return with_room(runner.pytest_runtest_protocol, item=item, nextitem=nextitem)
