"""YAML that people keep: what is read, what is refused, and what a change leaves alone."""

from difflib import unified_diff
from typing import Any

import pytest

from metrics import yaml
from metrics.yaml import BadYaml

FILE = """\
# The shop's wall.
title: Shop  # on top
range: 6h

widgets:
  # Parcels that nobody has packed yet.
  - key: orders
    kind: number   # large
    title: "Orders"
    # Limits of the warehouse.
    config:
      queries:
        - metric: orders_open
          labels: {a: b}
      thresholds:
        warn: 80

  # The machines.
  - kind: text
    title: Note
    config:
      text: |
        One
          two
      # Nothing more.
  - kind: line
    title: Load
    config: {queries: [{metric: host_load}]}
# The end.
"""

NASTY = [
    "",
    " ",
    "~",
    "null",
    "yes",
    "no",
    "1",
    "1.0",
    "1e3",
    "0x1F",
    "017",
    "1_000",
    ".inf",
    "- a",
    "a: b",
    "a #b",
    "#",
    "'",
    '"',
    "{x}",
    "[",
    "&a",
    "*a",
    "!t",
    "%",
    "@",
    "`",
    "|",
    ">",
    "a\n",
    "\na",
    "a\n\n b\n",
    " a\nb",
    "a\tb",
    "é€😀",
    "\u2028",
    "\x85",
    "\ufeffa",
    "2026-12-01T00:00:00+01:00",
    "12:30",
    "x" * 300,
    "a " * 100,
    "=",
    "<<",
    "a\r\nb",
    "\\",
    "---",
    "...",
    "? a",
    ":",
]


@pytest.mark.parametrize("text", NASTY)
def test_every_text_is_read_as_it_was_written(text: str) -> None:
    value = {"a": text, "list": [text, {"b": text}], "deep": {"er": {"c": text}}, "rows": [{"d": text, "e": 1}]}
    assert yaml.read(yaml.write(value)).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, -2, 0x1F, 0o17, 017, 1.5, 1e3, .inf]", [1, -2, 31, 15, 17, 1.5, 1000.0, float("inf")]),
        ("[true, False, null, ~, yes, no, on]", [True, False, None, None, "yes", "no", "on"]),
        (
            "{since: 2026-12-01T00:00:00+01:00, at: 12:30, a: }",
            {"since": "2026-12-01T00:00:00+01:00", "at": "12:30", "a": None},
        ),
        ("1: a", {"1": "a"}),
    ],
)
def test_plain_values_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    assert yaml.read(text).value == value


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", None, "It is empty."),
        ("# nothing\n", None, "It is empty."),
        ("a: [1, 2\nb: 3\n", 2, "It is no YAML: while parsing a flow sequence expected ',' or ']'"),
        ("a: 1\na: 2\n", 2, "It has the key 'a' twice."),
        ("a: 1\n? [b]\n: 2\n", 2, "It has a key that is no text."),
        ("a: &x [1]\nb: *x\n", 1, "It has an anchor or an alias ('x'), which are not read here."),
        ("a: 1\nb: *x\n", 2, "It has an anchor or an alias ('x')"),
        ("a: !python/object [x]\n", 1, "It has a tag (!python/object)"),
        ("a: 1\n--- \nb: 2\n", 2, "It is no YAML: expected a single document in the stream"),
        ("[" * 40 + "]" * 40, 1, "It is no YAML: maximum depth of data structure exceeded"),
        ("a: b\n\tc: d\n", 2, "It is no YAML: while scanning"),
        ("a: 1\nb: \x00\n", 2, "It has a character that YAML does not allow."),
        ("a" * (yaml.SIZE_MOST_BYTES + 1), None, f"It has {yaml.SIZE_MOST_BYTES + 1} bytes, more than"),
        (f"a: 1\nb: {'1' * 5000}\n", 2, f"'{'1' * 50}' is no number that can be read."),
    ],
)
def test_what_is_refused_has_a_sentence_and_a_line(text: str, line: int | None, said: str) -> None:
    with pytest.raises(BadYaml) as refused:
        _ = yaml.read(text).value
    assert (refused.value.line, str(refused.value)[: len(said)]) == (line, said)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 2),
        (("range",), 3),
        (("widgets", 0, "config", "queries", 0, "labels", "a"), 14),
        (("widgets", 1, "title"), 20),
        (("widgets", 1, "nothing"), 19),
        (("widgets", 7), 5),
    ],
)
def test_a_part_has_a_line(path: tuple[str | int, ...], line: int) -> None:
    assert yaml.read(FILE).line(path) == line


def changed(change: Any, origins: list[int | None] | None = None) -> tuple[list[str], list[str]]:
    """Return the lines that a change removes from FILE, and those that it adds."""
    value = yaml.read(FILE).value
    change(value)
    text = yaml.read(FILE).changed(value, {("widgets",): origins} if origins else None)
    assert yaml.read(text).value == value
    lines = list(unified_diff(FILE.splitlines(), text.splitlines(), n=0))[2:]
    return [one[1:] for one in lines if one[0] == "-"], [one[1:] for one in lines if one[0] == "+"]


@pytest.mark.parametrize(
    ("change", "origins", "removed", "added"),
    [
        (lambda v: None, None, [], []),
        (lambda v: v.update(title="A: b"), None, ["title: Shop  # on top"], ["title: 'A: b'  # on top"]),
        (lambda v: v.pop("range"), None, ["range: 6h"], []),
        (lambda v: v.pop("title"), None, ["# The shop's wall.", "title: Shop  # on top"], []),
        (
            lambda v: v["widgets"][0].update(kind="bars"),
            None,
            ["    kind: number   # large"],
            ["    kind: bars   # large"],
        ),
        (lambda v: v["widgets"][0].update(w=6), None, [], ["    w: 6"]),
        (
            lambda v: v["widgets"][0].pop("key"),
            None,
            ["  - key: orders", "    kind: number   # large"],
            ["  - kind: number   # large"],
        ),
        (lambda v: v["widgets"][0]["config"].pop("thresholds"), None, ["      thresholds:", "        warn: 80"], []),
        (
            lambda v: v["widgets"][0]["config"]["thresholds"].clear(),
            None,
            ["      thresholds:", "        warn: 80"],
            ["      thresholds: {}"],
        ),
        (
            lambda v: v["widgets"][0]["config"]["queries"].append({"metric": "more"}),
            None,
            [],
            ["        - metric: more"],
        ),
        (
            lambda v: v["widgets"][1]["config"].update(text="Three\nfour"),
            None,
            ["      text: |", "        One", "          two"],
            ["      text: |-", "        Three", "        four"],
        ),
        (
            lambda v: v["widgets"][2]["config"].update(unit="ms"),
            None,
            ["    config: {queries: [{metric: host_load}]}"],
            ["    config:", "      queries:", "        - metric: host_load", "      unit: ms"],
        ),
        (
            lambda v: v["widgets"].pop(0),
            [1, 2],
            FILE.splitlines()[5:16],
            [],
        ),
        (
            lambda v: v["widgets"].pop(1),
            [0, 2],
            FILE.splitlines()[16:25],
            [],
        ),
        (
            lambda v: v["widgets"].insert(1, {"kind": "clock", "title": "Time", "config": {}}),
            [0, None, 1, 2],
            [],
            ["  - kind: clock", "    title: Time", "    config: {}", ""],
        ),
    ],
)
def test_a_change_touches_its_own_lines_alone(
    change: Any, origins: list[int | None] | None, removed: list[str], added: list[str]
) -> None:
    assert changed(change, origins) == (removed, added)
