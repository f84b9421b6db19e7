"""Markdown as HTML: what people write in rooms. Pure: the same text and mentions give the same HTML.

CommonMark with tables, strikethrough and bare links; a line's end is a line break. HTML in the text is shown as it was
typed, and there are no pictures. Links lead to http, https and mailto, and to paths here. The HTML of markdown-it is
cleaned by nh3 all the same: two libraries would have to be wrong at once.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from html import unescape
from typing import TYPE_CHECKING, Any

import nh3

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

NAME_MOST = 150
"""Characters that are looked at behind an @; no name of a person or a team is longer."""
CELLS_MOST = 2000
"""Table cells of one text: shorter rows are filled up, so that 4000 characters could become 600 kB."""
KEPT = 512
"""Texts whose HTML is kept."""

TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre"),
    *("s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
ATTRIBUTES = {
    "a": {"href", "target"},
    "ol": {"start"},
    "pre": {"aria-label", "class", "tabindex"},
    "span": {"class", "data-mention"},
    "table": {"aria-label", "class", "tabindex"},
    "td": {"align"},
    "th": {"align"},
}
_LINK = re.compile(r"https?://|mailto:|/(?![/\\])|#m-\d+$", re.IGNORECASE)
_PLAIN = re.compile(r"[^\W\d_](?:[^\W_]|[ ,.!?;:()%=+-])*(?<! )")
"""A line of words, in which nothing marks anything up: most of what people write, and told in a tenth of the time."""
_MARKS = re.compile(r"[\\`*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|(?<![\w@/.])@")
"""Characters that mark up, refer or mention within a line: an underscore only where it is not within a word."""
_BEGINS = re.compile(r"^(\d*)([#+=.)-])")
"""Characters that make a heading, a list or a line of a text if they stand first."""
_AT = re.compile(r"(?<![\w@/.])@(?=\S)")


@lru_cache(maxsize=KEPT)
def html(text: str, mentions: tuple[str, ...] = ()) -> str:
    """Return `text` as HTML that is safe on a page, with `mentions` (user:NAME or team:NAME) highlighted in it."""
    if _PLAIN.fullmatch(text):
        return f"<p>{text}</p>"
    made = _parser(text).render(text, {"mentions": mentions})
    return nh3.clean(
        made,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        link_rel="noopener noreferrer",
        url_schemes={"http", "https", "mailto"},
    ).strip()


def literal(text: str) -> str:
    """Return `text`, which comes from outside, as one line of Markdown that shows it as it is, and mentions nobody."""
    line = _MARKS.sub(r"\\\g<0>", " ".join(text.split()))
    return _BEGINS.sub(r"\1\\\2", line)


def plain(text: str) -> str:
    """Return the words of `text` on one line, without what marks them up."""
    return " ".join(unescape(nh3.clean(html(text).replace("<br>", " "), tags=set())).split())


def behind_at(text: str, most: int) -> list[str]:
    """Return what stands behind the first `most` @ that may begin a mention: not in code, an address or a link."""
    if "@" not in text:
        return []
    found: list[str] = []
    _parser(text).parse(text, {"behind_at": found})
    return found[:most]


def begins_with(text: str, name: str) -> bool:
    """Return whether `text`, which stands behind an @, begins with `name` as a whole word."""
    return text.startswith(name) and not re.match(r"\w", text[len(name) :])


def _parser(text: str) -> "MarkdownIt":
    lines = text.split("\n")
    widest = max(line.count("|") for line in lines)
    return _made() if widest * len(lines) > CELLS_MOST else _made("table")


@cache
def _made(*more: str) -> "MarkdownIt":
    from markdown_it import MarkdownIt  # only where somebody reads or writes a message

    made = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": True})
    made.enable(["linkify", "strikethrough", *more]).disable(["image", "reference"])
    assert made.linkify is not None
    made.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    made.validateLink = lambda url: _LINK.match(url) is not None  # type: ignore[method-assign]
    made.core.ruler.after("linkify", "mentions", _mark_mentions)
    made.core.ruler.push("attributes", _set_attributes)
    made.add_render_rule("mention", _mention)
    made.add_render_rule("fence", _code)
    made.add_render_rule("code_block", _code)
    made.add_render_rule("softbreak", _line_break)
    made.add_render_rule("hardbreak", _line_break)
    return made


def _mark_mentions(state: "StateCore") -> None:
    if "behind_at" in state.env:
        texts = [child.content for token in state.tokens for child in _texts(token.children or ())]
        state.env["behind_at"] += [text[at.end() : at.end() + NAME_MOST] for text in texts for at in _AT.finditer(text)]
    names = {one.partition(":")[2]: one for one in state.env.get("mentions", ())}
    if not names:
        return
    any_name = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w@/.])@({any_name})(?!\w)")
    for token in state.tokens:
        outside = {id(child) for child in _texts(token.children or ())}
        token.children = token.children and [
            part
            for child in token.children
            for part in (_split(child, pattern, names) if id(child) in outside else [child])
        ]


def _texts(children: "Sequence[Token]") -> "list[Token]":
    """Return the tokens of text that is not in a link."""
    found, depth = [], 0
    for child in children:
        depth += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        if child.type == "text" and not depth:
            found.append(child)
    return found


def _split(token: "Token", pattern: re.Pattern[str], names: dict[str, str]) -> "list[Token]":
    from markdown_it.token import Token

    parts = pattern.split(token.content)  # text, name, text, name, …, text
    return [
        Token("mention", "", 0, content=part, meta={"mention": names[part]})
        if index % 2
        else Token("text", "", 0, content=part)
        for index, part in enumerate(parts)
        if part
    ]


def _set_attributes(state: "StateCore") -> None:
    """Open links to elsewhere in a tab of their own; align cells by an attribute, as the CSP forbids styles.

    An element that may be wider than a message scrolls: it is reached by the keyboard, and has a name.
    """
    for token in [inner for block in state.tokens for inner in (block, *(block.children or ()))]:
        if token.type == "link_open" and str(token.attrs["href"]).lower().startswith("http"):
            token.attrs["target"] = "_blank"
        elif token.type == "table_open":
            token.attrs.update({"class": "scroll", "tabindex": "0", "aria-label": "Table"})
        elif "style" in token.attrs:
            token.attrs["align"] = str(token.attrs.pop("style")).removeprefix("text-align:")


def _code(self: Any, tokens: "Sequence[Token]", index: int, *_: Any) -> str:
    return f'<pre class="scroll" tabindex="0" aria-label="Code"><code>{_escaped(tokens[index].content)}</code></pre>\n'


def _mention(self: Any, tokens: "Sequence[Token]", index: int, *_: Any) -> str:
    token = tokens[index]
    return f'<span class="mention" data-mention="{_escaped(token.meta["mention"])}">@{_escaped(token.content)}</span>'


def _line_break(*_: Any) -> str:
    return "<br>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _attribute(tag: str, name: str, value: str) -> str | None:
    return value if name != "href" or _LINK.match(value) else None
