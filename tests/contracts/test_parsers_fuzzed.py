"""Every module that reads what is pushed has a test that gives it anything."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
READ_NOTHING = {"__init__", "messages", "prompb"}
"""They say what messages look like; remote_write and metric_families read them."""
MODULES = sorted({file.stem for file in (ROOT / "metrics" / "ingest").glob("*.py")} - READ_NOTHING)


@pytest.mark.parametrize("module", MODULES)
def test_it_is_given_anything(module: str) -> None:
    imported = re.compile(rf"^from metrics\.ingest(\.{module} import|.* import .*\b{module}\b)", re.MULTILINE)
    texts = [file.read_text() for file in (ROOT / "tests" / "ingest").glob("test_*.py")]
    assert any("@given" in text for text in texts if imported.search(text))
