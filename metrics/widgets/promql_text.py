"""Variables in PromQL: values in their place, so that none can be anything else than a value.

In a text a value is escaped, and in a regular expression also what would mean something there. Where a matcher has
several values, it becomes one of a regular expression. Outside of texts a value has to be a name, a number or a period.

https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals
"""

import ast
import json
import re
from collections.abc import Callable, Mapping
from typing import Protocol

_USE = re.compile(r"\$(?:\{([a-zA-Z][a-zA-Z0-9_]*)\}|([a-zA-Z][a-zA-Z0-9_]*))")
_PART = re.compile(
    r"""(?P<operator>=~|!~|!=|=)?(?P<space>\s{0,50})(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?P<comment>\#[^\n]*)""",
    re.DOTALL,
)
_PLAIN = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*|[0-9]+(\.[0-9]+)?|([0-9]+(ms|[smhdwy]))+")
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
ANY = ".*"


class Choice(Protocol):
    """Values chosen of a variable; one that is `open` stands for any."""

    @property
    def chosen(self) -> tuple[str, ...]: ...

    @property
    def open(self) -> bool: ...


def filled(text: str, choices: Mapping[str, Choice]) -> str:
    """Return the PromQL `text` with what is chosen; a variable whose value can't stand where it is stays."""
    known = {name: one for name, one in choices.items() if one.chosen or one.open}
    return _parts(text, lambda found: _literal(found, known), lambda plain: _names(plain, known))


def loose_variable(text: str) -> str:
    """Return the first variable in `text` that stands outside of texts, as it is written; empty if there is none."""
    found = _USE.search(without_texts(text))
    return found[0] if found else ""


def without_texts(text: str) -> str:
    """Return PromQL without its literals and comments."""
    return _parts(text, lambda _: " ", str)


def _parts(text: str, literal: Callable[[re.Match[str]], str], plain: Callable[[str], str]) -> str:
    """Return `text` with each literal, together with the operator before it, and what is between them replaced."""
    parts, at = [], 0
    for found in _PART.finditer(text):
        parts += [plain(text[at : found.start()]), "" if found["comment"] else literal(found)]
        at = found.end()
    return "".join([*parts, plain(text[at:])])


def _names(text: str, choices: Mapping[str, Choice]) -> str:
    def value(found: re.Match[str]) -> str:
        values = choices[name].chosen if (name := found[1] or found[2]) in choices else ()
        return values[0] if len(values) == 1 and _PLAIN.fullmatch(values[0]) else found[0]

    return _USE.sub(value, text)


def _literal(found: re.Match[str], choices: Mapping[str, Choice]) -> str:
    text, operator = _read(found["text"]), found["operator"] or ""
    used = {name for one in _USE.finditer(text or "") if (name := one[1] or one[2]) in choices}
    if text is None or not used:
        return found[0]
    several = any(choices[name].open or len(choices[name].chosen) > 1 for name in used)
    if operator in ("=", "!=") and several:
        operator, text = f"{operator[0]}~", _around(text, used)
    if operator in ("=~", "!~"):
        text = _USE.sub(lambda one: _alternatives(one, choices), text)
    else:
        text = _USE.sub(lambda one: _joined(one, choices), text)
    return f"{operator}{found['space']}{json.dumps(text, ensure_ascii=False)}"


def _read(literal: str) -> str | None:
    """Return what a literal means, None if that can't be told: escapes are as in Python."""
    if literal.startswith("`"):
        return literal[1:-1]
    try:
        value = ast.literal_eval(literal)
    except (SyntaxError, ValueError):
        return None
    return str(value)


def _around(text: str, used: set[str]) -> str:
    """Return `text` as a regular expression, except for the variables in it."""
    parts, at = [], 0
    for one in _USE.finditer(text):
        if (one[1] or one[2]) in used:
            parts += [_quoted(text[at : one.start()]), f"${{{one[1] or one[2]}}}"]
            at = one.end()
    return "".join([*parts, _quoted(text[at:])])


def _alternatives(found: re.Match[str], choices: Mapping[str, Choice]) -> str:
    choice = choices.get(found[1] or found[2])
    if choice is None:
        return found[0]
    if choice.open:
        return ANY
    values = [_quoted(one) for one in choice.chosen]
    return values[0] if len(values) == 1 else f"({'|'.join(values)})"


def _joined(found: re.Match[str], choices: Mapping[str, Choice]) -> str:
    choice = choices.get(found[1] or found[2])
    return found[0] if choice is None else ", ".join(choice.chosen)


def _quoted(text: str) -> str:
    """Return a regular expression of RE2's that fits `text` alone."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)
