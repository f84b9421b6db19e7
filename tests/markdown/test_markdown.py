"""Markdown: what is drawn, what is hostile, and how long it takes. And which texts are emoji."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metrics import markdown
from metrics.emoji import is_emoji

TEXT_MOST = 4000
TAKES_S = 2.0
"""Far above what any takes, some 0.1 s, and far below what a table that fills itself took: machines differ."""
BYTES_MOST = 120_000
LINK = ' target="_blank" rel="noopener noreferrer"'
NAMES = ("user:ada", "user:ada.l", "team:Night shift")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\ntwo", "<p>one<br>two</p>"),
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>"),
        ("```python\n<a>\n```", '<pre class="scroll" tabindex="0" aria-label="Code"><code>&lt;a&gt;\n</code></pre>'),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>'),
        ("    code", '<pre class="scroll" tabindex="0" aria-label="Code"><code>code'),
        ("|a|\n|-:|\n|1|", '<table class="scroll" tabindex="0" aria-label="Table">'),
        ("|a|\n|-:|\n|1|", '<td align="right">1</td>'),
        ("https://x.example/_a_/b_c.", f'<p><a href="https://x.example/_a_/b_c"{LINK}>https://x.example/_a_/b_c</a>.</p>'),
        ("[x](/d/shop/)", '<p><a href="/d/shop/" rel="noopener noreferrer">x</a></p>'),
        ("[x](mailto:a@b.example)", '<p><a href="mailto:a@b.example" rel="noopener noreferrer">x</a></p>'),
        ("![x](https://x.example/p.png)", f'<p>!<a href="https://x.example/p.png"{LINK}>x</a></p>'),
        ("[x](//evil.example)", "<p>[x](//evil.example)</p>"),
        ("[x](/\\evil.example)", '<p><a href="/%5Cevil.example" rel="noopener noreferrer">x</a></p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](data:text/html,x)", "<p>[x](data:text/html,x)</p>"),
        ("[x](JaVaScRiPt&#58;alert(1))", "<p>[x](JaVaScRiPt:alert(1))</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"),
        ("@ada, @ada.l!", "<p>{ada}, {ada.l}!</p>"),
        ("**@Night shift**", "<p><strong>{Night shift}</strong></p>"),
        ("`@ada` \\@ada me@ada @adam /@ada [@ada](/x)", "{none}"),
    ],
)  # fmt: skip
def test_what_is_drawn(text: str, html: str) -> None:
    found = markdown.html(text, NAMES)
    for kind, name in (one.split(":") for one in NAMES):
        html = html.replace(f"{{{name}}}", f'<span class="mention" data-mention="{kind}:{name}">@{name}</span>')
    if html == "{none}":
        assert "mention" not in found
    else:
        assert html in found


@pytest.mark.parametrize(
    "text",
    [
        ">" * TEXT_MOST, "- " * TEXT_MOST, "> - " * TEXT_MOST, "*a " * TEXT_MOST, "*a_ " * TEXT_MOST, "*_" * TEXT_MOST,
        "[" * TEXT_MOST, "[a](" * TEXT_MOST, "![" * TEXT_MOST, "[a](<" * TEXT_MOST, "~~a " * TEXT_MOST,
        "`" * TEXT_MOST, "".join("`" * n + "x" for n in range(1, 90)), "\\" * TEXT_MOST, "&" * TEXT_MOST,
        "<" * TEXT_MOST, "<a " * TEXT_MOST, "<http://" * TEXT_MOST, "http://a" * TEXT_MOST, "https://" * TEXT_MOST,
        "http://a.b " * TEXT_MOST, "http://a.b/" + "(" * TEXT_MOST, "@ada " * TEXT_MOST, "@" * TEXT_MOST,
        "|a" * 60 + "\n" + "|-" * 60 + "\n" + "|\n" * TEXT_MOST, "|a|b|\n|-|-|\n" + "|x\n" * TEXT_MOST,
        "\n".join(" " * (n % 30 * 2) + "- x" for n in range(200)), "# " * TEXT_MOST, "```\n" * TEXT_MOST,
        "x\n" * TEXT_MOST, "\u202e" * TEXT_MOST, "a\u0301" * TEXT_MOST, "👨‍👩‍👧" * TEXT_MOST,
    ],
)  # fmt: skip
def test_a_bomb_is_drawn_in_time_and_stays_small(text: str) -> None:
    text = text[:TEXT_MOST]
    began = time.perf_counter()
    found = markdown.html(text, ("user:ada",))
    behind = markdown.behind_at(text, 50)
    assert time.perf_counter() - began < TAKES_S
    assert len(found) < BYTES_MOST
    assert len(behind) <= 50


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((one, True) for one in ("👍", "👍🏽", "❤️", "✅", "👨‍👩‍👧‍👦", "🇨🇭", "1️⃣", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", "☕", "🏳️‍🌈")),
        *((one, False) for one in ("", "a", "1", "👍👍", "👍 ", "<b>", "\u202e", "\u200d", "👍" * 40, "👍\u202e", "🇨")),
    ],
)  # fmt: skip
def test_an_emoji_is_one_of_them_alone(text: str, expected: bool) -> None:
    assert is_emoji(text) is expected


def test_the_words_alone() -> None:
    text = "**CPU** is at <b> `top` & more\n- one\n\n<script>alert(1)</script> [x](http://a.b)"
    assert markdown.plain(text) == "CPU is at <b> top & more one <script>alert(1)</script> x"


WORDS = st.text(st.sampled_from("aZé0 9.,:;!?()%=+-_*@/#\n"), max_size=30)


@given(WORDS)
@example("10:30 - 3 of 4 (75%)")
@example("a  b- c+")
@example("mailto:a.b")
def test_a_line_of_words_is_drawn_as_the_parser_would(text: str) -> None:
    """It is told without it, in a tenth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        markdown.html.cache_clear()
        found = markdown.html(text)
        markdown.html.cache_clear()
        patch.setattr(markdown, "_PLAIN", re.compile(r"(?!)"))
        assert found == markdown.html(text)
    markdown.html.cache_clear()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("disk_used on db-1.example (90 %)", "disk_used on db-1.example (90 %)"),
        ("*a* _b_ `c` ~~d~~", "\\*a\\* \\_b\\_ \\`c\\` \\~\\~d\\~\\~"),
        ("<b>a</b> [x](https://x.example)", "\\<b\\>a\\</b\\> \\[x\\](https://x.example)"),
        ("# a", "\\# a"),
        ("1. a", "1\\. a"),
        ("two\n\n- lines", "two - lines"),
        ("@ada me@ada.example", "\\@ada me@ada.example"),
    ],
)
def test_what_comes_from_outside_marks_nothing_up(text: str, expected: str) -> None:
    assert markdown.literal(text) == expected
    assert re.fullmatch(r"<p>[^<]*(<a [^>]*>[^<]*</a>[^<]*)?</p>", markdown.html(markdown.literal(text), NAMES))
    assert markdown.plain(markdown.literal(text)) == " ".join(text.split())


@given(st.text("ab1 .)#*_-+=`~|[]()<>!&;\\\\@\n", max_size=30))
def test_nothing_but_its_words_come_of_it(text: str) -> None:
    assert markdown.plain(markdown.literal(text)) == " ".join(text.split())
