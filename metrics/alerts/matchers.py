"""Matchers of labels, as Alertmanager has them: `name="value"`, with `=`, `!=`, `=~` or `!~`. Pure.

All of a list have to match. A label that is missing is "", and a regular expression matches a value as a whole. Read as
text in both of Alertmanager's ways, https://prometheus.io/docs/alerting/latest/configuration/#matcher: where the
classic way and the newer one with UTF-8 names differ, the classic one holds.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from metrics.sources.expect import compile

NAME_MOST = 200
VALUE_MOST = 1000
CLASSIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!=|!~|=)\s*(.*?)\s*", re.DOTALL | re.ASCII)
QUOTED = r'"(?:[^"\\\n]|\\.)*"'
TOKEN = re.compile(rf"""\s*(?:(?P<op>=~|!=|!~|=)|(?P<comma>,)|(?P<quoted>{QUOTED})|(?P<bare>[^\s{{}}!=~,\\"'`]+))""")
IS_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""Characters that mean more than themselves to RE2."""
EQUAL, UNEQUAL, MATCHES, DIFFERS = "=", "!=", "=~", "!~"


class BadMatcher(ValueError):
    """A text or a document that is no matcher; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on the label `name`; `op` is one of `= != =~ !~`."""

    name: str
    op: str
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        held = labels.get(self.name, "")
        if self.op in (MATCHES, DIFFERS):
            return bool(_compiled(self.value).fullmatch(held)) is (self.op == MATCHES)
        return (held == self.value) is (self.op == EQUAL)

    def __str__(self) -> str:
        name = self.name if IS_NAME.fullmatch(self.name) else _in_quotes(self.name)
        return f"{name}{self.op}{_in_quotes(self.value)}"


def match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Return whether all of `matchers` match."""
    return all(one.matches(labels) for one in matchers)


def matches_nothing_named(matchers: Iterable[Matcher]) -> bool:
    """Return whether all of `matchers` match what has no label at all, and so nearly everything."""
    return match(matchers, {})


def in_common(labelled: Sequence[Mapping[str, str]]) -> list[Matcher]:
    """Return matchers for what all of `labelled` have: an equal value, or any of the values where they differ.

    `alertname` comes first.
    """
    first, *others = labelled
    names = set(first).intersection(*others)
    found = []
    for name in sorted(names, key=lambda name: (name != "alertname", name)):
        values = sorted({labels[name] for labels in labelled})
        if len(values) == 1:
            found.append(Matcher(name, EQUAL, values[0]))
        else:
            found.append(Matcher(name, MATCHES, "|".join(SPECIAL.sub(r"\\\g<0>", value) for value in values)))
    return found


def written(matchers: Iterable[Matcher]) -> str:
    """Return `matchers` as a text that `parse` takes."""
    return ", ".join(map(str, matchers))


def parse(text: str) -> list[Matcher]:
    """Return the matchers in `text`, separated by commas, in braces or not. Raises BadMatcher."""
    try:
        return _classic(text)
    except BadMatcher:
        found = _newer(text)
        if found is None:
            raise
        return found


def parse_one(text: str) -> Matcher:
    """Return the single matcher in `text`. Raises BadMatcher."""
    try:
        return _classic_one(text)
    except BadMatcher:
        found = None if text.lstrip().startswith("{") else _newer(text)
        if found is None or len(found) != 1:
            raise
        return found[0]


def made(name: str, op: str, value: str) -> Matcher:
    """Return a matcher. Raises BadMatcher if it can't be: without a name, too long, or no regular expression."""
    if not name or len(name) > NAME_MOST:
        raise BadMatcher(f"The name of a label has 1 to {NAME_MOST} characters.")
    if len(value) > VALUE_MOST:
        raise BadMatcher(f"The value for {name} has more than {VALUE_MOST} characters.")
    if op in (MATCHES, DIFFERS):
        try:
            _compiled(value)
        except ValueError as problem:
            raise BadMatcher(f"For {name}: {problem}.") from None
    return Matcher(name, op, value)


def to_json(matchers: Iterable[Matcher]) -> list[dict[str, Any]]:
    """Return `matchers` as Alertmanager's API has them."""
    return [
        {
            "name": one.name,
            "value": one.value,
            "isRegex": one.op in (MATCHES, DIFFERS),
            "isEqual": one.op in (EQUAL, MATCHES),
        }
        for one in matchers
    ]


def from_json(documents: Iterable[Mapping[str, Any]]) -> list[Matcher]:
    """Return the matchers that `to_json` made, or that a client sent. Raises BadMatcher."""
    if not isinstance(documents, list | tuple):
        raise BadMatcher("Matchers are a list.")
    return [_from_json(one) for one in documents]


def _from_json(given: Any) -> Matcher:
    if not isinstance(given, Mapping):
        raise BadMatcher("A matcher has a name and a value, both texts.")
    name, value = given.get("name"), given.get("value")
    is_regex, is_equal = given.get("isRegex", False), given.get("isEqual", True)
    if not isinstance(name, str) or not isinstance(value, str):
        raise BadMatcher("A matcher has a name and a value, both texts.")
    if not isinstance(is_regex, bool) or not isinstance(is_equal, bool):
        raise BadMatcher(f"For {name[:50]}: isRegex and isEqual are true or false.")
    return made(name, {(0, 1): EQUAL, (0, 0): UNEQUAL, (1, 1): MATCHES, (1, 0): DIFFERS}[is_regex, is_equal], value)


def _classic(text: str) -> list[Matcher]:
    return [_classic_one(one) for one in _split(_without_braces(text))]


def _without_braces(text: str) -> str:
    return text.strip().removeprefix("{").removesuffix("}")


def _split(text: str) -> Sequence[str]:
    """Return the parts of `text` between commas that are not in quotes; what is empty at its end is none."""
    parts, is_quoted, is_escaped = [""], False, False
    for sign in text:
        if sign == "," and not is_quoted:
            parts.append("")
            continue
        if sign == '"' and not is_escaped:
            is_quoted = not is_quoted
        is_escaped = sign == "\\" and not is_escaped
        parts[-1] += sign
    return parts if parts[-1].strip() else parts[:-1]


def _classic_one(text: str) -> Matcher:
    found = CLASSIC.fullmatch(text)
    if found is None:
        raise BadMatcher(f'{text[:80]!r} is no matcher such as name="value" or name=~"a|b".')
    name, op, raw = found.groups()
    return made(name, op, _classic_value(raw))


def _classic_value(raw: str) -> str:
    is_quoted = raw.startswith('"')
    body = raw[1:] if is_quoted else raw
    is_open, value, place = is_quoted, "", 0
    while place < len(body):
        sign, is_last = body[place], place == len(body) - 1
        if sign == "\\" and not is_last:
            after = body[place + 1]
            value += ESCAPES.get(after, f"\\{after}")
            place += 2
            continue
        if sign == '"':
            if not is_open or not is_last:
                raise BadMatcher(f"{raw[:80]!r} has a double quote that needs a \\ before it.")
            is_open = False
        else:
            value += sign
        place += 1
    if is_open:
        raise BadMatcher(f"{raw[:80]!r} lacks its closing double quote.")
    return value


def _newer(text: str) -> list[Matcher] | None:
    """Return the matchers in `text` in the newer way, with any name in quotes; None if it is not written so."""
    body = text.strip()
    if body.startswith("{") != body.endswith("}"):
        return None
    body = body[1:-1] if body.startswith("{") else body
    tokens: list[tuple[str, str]] = []
    place = 0
    while body[place:].strip():
        found = TOKEN.match(body, place)
        if found is None:
            return None
        assert found.lastgroup is not None
        tokens.append((found.lastgroup, found[found.lastgroup]))
        place = found.end()
    matchers = []
    while tokens:
        head, tokens = tokens[:4], tokens[4:]
        kinds = [kind for kind, _ in head]
        texts = [_unquoted(text) if kind == "quoted" else text for kind, text in head]
        if len(kinds) < 3 or kinds[1] != "op" or not {kinds[0], kinds[2]} <= {"quoted", "bare"} or None in texts:
            return None
        if kinds[3:] not in ([], ["comma"]):
            return None
        matchers.append(made(str(texts[0]), str(texts[1]), str(texts[2])))
    return matchers


def _unquoted(text: str) -> str | None:
    """Return what is in quotes, as in JSON, which is what programs write; None if it is something else."""
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        return None


def _in_quotes(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Any:
    """Return a regular expression, remembered: all silences are tried with each alert. Raises ValueError."""
    return compile(pattern)
