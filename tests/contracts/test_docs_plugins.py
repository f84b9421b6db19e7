"""The examples of functions of one's own are what they say: they load, and the first one runs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from metrics.sources import plugin_process

ROOT = Path(settings.BASE_DIR)
EXAMPLES = [
    (page, code)
    for page in ("README.md", "docs/plugins.md")
    for code in re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "orders.py"
    plugin_process.end_all()


def test_there_are_some() -> None:
    assert {page for page, _ in EXAMPLES} == {"README.md", "docs/plugins.md"}


@pytest.mark.parametrize("code", [code for _, code in EXAMPLES])
def test_an_example_loads(file: Path, code: str) -> None:
    file.write_text(code)
    assert len(plugin_process.functions(file)) == 1


def test_the_first_one_is_the_same_on_both_pages_and_runs(file: Path) -> None:
    first = [next(code for where, code in EXAMPLES if where == page) for page in ("README.md", "docs/plugins.md")]
    assert first[0] == first[1]
    file.write_text(first[0])
    (sample,) = plugin_process.run(file, "orders_open", 5, ())
    assert (sample.metric, sample.value, sample.unit) == ("orders_open", 42, "orders")
