"""Texts: Markdown in, harmless HTML out."""

from metrics.widgets.text import Text, TextConfig
from tests.widgets.make import window


def test_a_text_is_markdown_and_its_html_is_harmless() -> None:
    said = Text().view(TextConfig(text="# Plan\n\n<b>x</b> [a](javascript:alert(1)) **now**"), [], window()).html
    assert "<h1>Plan</h1>" in said
    assert "<strong>now</strong>" in said
    assert "&lt;b&gt;" in said
    assert "<a" not in said
