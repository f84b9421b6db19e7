from collections.abc import AsyncIterator

import pytest

from tests import loop


@pytest.fixture
async def _closed() -> AsyncIterator[None]:
    yield
    await loop.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Close what tests with an event loop opened on it."""
    for item in items:
        if item.get_closest_marker("asyncio") and "tests/live/" in item.nodeid:
            item.add_marker(pytest.mark.usefixtures("_closed"))
