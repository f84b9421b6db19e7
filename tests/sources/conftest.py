"""Fixtures of the tests of sources."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from metrics.sources import tls


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Return a function that has the certificates in a file count as authorities, as SSL_CERT_FILE does."""

    def trusted(file: Path) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        tls.forget()

    yield trusted
    tls.forget()
