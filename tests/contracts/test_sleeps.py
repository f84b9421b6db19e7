"""Unit tests wait for conditions: a sleep that is not part of a loop that looks for one is a guess."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

TESTS = Path(settings.BASE_DIR) / "tests"
WHOLE_SYSTEMS = ("integration", "browser")
SLOW_SERVERS = {"sources/test_http_check.py", "sources/test_tcp_check.py"}
"""Tests of servers that answer slowly, which sleep in these servers."""
FILES = sorted(
    name
    for name in (str(file.relative_to(TESTS)) for file in TESTS.rglob("*.py"))
    if not name.startswith(WHOLE_SYSTEMS) and name not in SLOW_SERVERS
)


def is_sleep(call: ast.Call) -> bool:
    """Whether `call` lets time pass; to sleep for 0 is to let others run."""
    named = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
    return named == "sleep" and re.fullmatch(r"((time|asyncio)\.)?sleep\((?!0\)).+\)", ast.unparse(call)) is not None


def sleeps(node: ast.AST) -> Iterator[int]:
    """Lines below `node` that sleep outside of a `while`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.While):
            continue
        if isinstance(child, ast.Call) and is_sleep(child):
            yield child.lineno
        yield from sleeps(child)


def test_they_wait_for_conditions() -> None:
    assert len(FILES) > 100
    texts = {name: (TESTS / name).read_text() for name in FILES}
    found = ((name, line) for name, text in texts.items() if "sleep(" in text for line in sleeps(ast.parse(text)))
    assert [f"{name}:{line}" for name, line in found] == []
