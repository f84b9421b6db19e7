"""Sentences begin with a noun or a verb: none of code, docs, messages or pages begins with What or Who as a noun.

A reader of "What is refused is not counted" holds on to a riddle until the verb comes; "A refused request is not
counted" is understood at first reading, also in a second language. Questions and headings may begin so.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
BEGINS = re.compile(r"[\W_]*(What|Who|Whose|Whom)(ever)?\b")
BETWEEN = re.compile(r"(?<=[.!?:])[)*`\"]* +(?=[\W_]*[A-Z])")
COMMENT = re.compile(r"(?:^|\s)#:? (\S.*)")
PRODUCT = ("dashboard_project", "metrics", "consumers", "tasks")
CODE = sorted(
    file
    for place in (*PRODUCT, "tests", "benchmarks", "manage.py", "watchfloor.py")
    for file in ((ROOT / place).rglob("*.py") if (ROOT / place).is_dir() else [ROOT / place])
    if "migrations" not in file.parts
)
DOCS = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
PAGES = sorted((ROOT / "templates").rglob("*.html"))


def riddles(paragraph: str) -> list[str]:
    """Return the sentences that begin with What or Who as a noun."""
    sentences = BETWEEN.split(" ".join(paragraph.split()))
    return [one for one in sentences if BEGINS.match(one) and not one.rstrip(' *`")|').endswith("?")]


@pytest.mark.parametrize(
    ("paragraph", "found"),
    [
        ("A request is refused. What is refused is not counted.", ["What is refused is not counted."]),
        ("Ends with 2:\nWhoever waits is told.", ["Whoever waits is told."]),
        ("*(**Who** may?)* Somebody who may, does what they want.", []),
        ("What it costs? Nothing.", []),
        ("Whole numbers count.", []),
    ],
)
def test_a_riddle_is_found(paragraph: str, found: list[str]) -> None:
    assert riddles(paragraph) == found


def of_code(file: Path) -> Iterator[str]:
    """Yield the paragraphs of docstrings and comments, and the sentences of the product's messages."""
    source = file.read_text()
    tree = ast.parse(source)
    documents = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    # Help texts of models are parts of migrations, which stay as they are.
    has_messages = file.relative_to(ROOT).parts[0] in PRODUCT and "models" not in file.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in documents:
                yield from node.value.split("\n\n")
            elif has_messages:
                yield from (one for one in riddles(node.value) if one.endswith((".", ";", ":")))
    for line in source.splitlines():
        if comment := COMMENT.search(line):
            yield comment[1]


def of_markdown(text: str) -> Iterator[str]:
    """Yield the paragraphs, the items of lists and the cells of tables, without code and headings."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|\n(?=[|#])", text):
        if paragraph.startswith("|"):
            yield from paragraph.strip("| ").split(" | ")
        elif not paragraph.startswith("#"):
            yield paragraph


def of_page(text: str) -> Iterator[str]:
    """Yield the sentences between tags. Headings, labels and columns of tables have no full stop."""
    for part in re.split(r"<[^>]*>|{%.*?%}", text):
        yield from (one for one in riddles(part) if one.endswith((".", ";", ":")))


def test_no_sentence_of_code_begins_with_what_or_who() -> None:
    found = {str(file.relative_to(ROOT)): [one for part in of_code(file) for one in riddles(part)] for file in CODE}
    assert {name: those for name, those in found.items() if those} == {}


def test_no_sentence_of_docs_begins_with_what_or_who() -> None:
    found = {
        str(file.relative_to(ROOT)): [one for part in of_markdown(file.read_text()) for one in riddles(part)]
        for file in DOCS
    }
    assert {name: those for name, those in found.items() if those} == {}


def test_no_sentence_of_a_page_begins_with_what_or_who() -> None:
    found = {str(file.relative_to(ROOT)): list(of_page(file.read_text())) for file in PAGES}
    assert {name: those for name, those in found.items() if those} == {}
