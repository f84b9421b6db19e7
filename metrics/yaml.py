"""YAML that people write and programs change: read with the lines of its values, changed without touching the rest.

Read are plain values of YAML 1.2: maps with texts as keys, lists, texts, numbers, true, false and null. A time is a
text. Tags, anchors and aliases are refused, and so are large and deep documents.
"""

import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

SIZE_MOST_BYTES = 256 * 1024
DEPTH_MOST = 30
WIDTH = 120
FLOW_MOST = 70
"""A map or list of plain values is written on one line if that has at most so many characters."""
UNUSUAL = re.compile("[\r\x85\u2028\u2029\ufeff]|^[?]")
"""Texts that ruamel.yaml writes in a way that is read as something else."""
TAG = "tag:yaml.org,2002:"

Path = tuple[str | int, ...]


class BadYaml(ValueError):
    """Text that is no YAML as it is read here: a sentence, and the `line` from 1, None if it has no line."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


class _Composer(Composer):
    """Composes nodes of plain values only: what an alias stands for could be as large as anything."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise BadYaml(f"It has an anchor or an alias ({event.anchor!r}), which are not read here.", line)
        if getattr(event, "ctag", None) is not None:
            raise BadYaml(f"It has a tag ({event.ctag}), which are not read here.", line)
        return super().compose_node(parent, index)


class _Representer(RoundTripRepresenter):
    """Writes null as a word: an empty value is easily overlooked."""


_Representer.add_representer(type(None), lambda self, _: self.represent_scalar(f"{TAG}null", "null"))


@dataclass(frozen=True)
class Document:
    """A YAML document: its `text`, its `value`, and where each part of it stands."""

    text: str
    root: Node

    @cached_property
    def value(self) -> Any:
        """The document as plain values."""
        return _plain(self.root)

    def line(self, path: Iterable[str | int]) -> int:
        """Return the line, from 1, of what `path` leads to; of what is around it, if there is no such thing."""
        node, line = self.root, self.root.start_mark.line
        for part in path:
            found = _inside(node, part)
            if found is None:
                break
            node, line = found
        return int(line) + 1

    def changed(self, value: Any, origins: Mapping[Path, Sequence[int | None]] | None = None) -> str:
        """Return the text that says `value`. A value that stays the same keeps its place, its form and its comments.

        `origins` tells of lists, by the path to them, which item of the document each of theirs is; None is a new one.
        They are in the order of the document.
        """
        if self.value == value:
            return self.text
        edits = list(_Editor(self.text, origins or {}).edits(self.root, value, ()))
        text = self.text
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        try:
            same = read(text).value == value
        except BadYaml:
            same = False
        return text if same else write(value)


def read(text: str) -> Document:
    """Read one document. Raises BadYaml."""
    size = len(text.encode(errors="surrogatepass"))
    if size > SIZE_MOST_BYTES:
        raise BadYaml(f"It has {size} bytes, more than {SIZE_MOST_BYTES}.")
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _Composer
    yaml.max_depth = DEPTH_MOST
    try:
        root = yaml.compose(text)
        if root is None:
            raise BadYaml("It is empty.")
        document = Document(text, root)
        _ = document.value
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        said = " ".join(str(part) for part in (problem.context, problem.problem) if part)
        raise BadYaml(f"It is no YAML: {_first_line(said)}.", mark.line + 1 if mark else None) from None
    except ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        raise BadYaml("It has a character that YAML does not allow.", line) from None
    except (YAMLError, RecursionError) as problem:
        raise BadYaml(f"It is no YAML: {_first_line(str(problem))}.") from None
    return document


def write(value: Any) -> str:
    """Return `value` as a document for people: what is short on one line, an empty line between the parts of a list."""
    yaml = YAML(typ="rt", pure=True)
    yaml.Representer = _Representer
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = WIDTH
    into = io.StringIO()
    yaml.dump(_dressed(value, top=True), into)
    return "\n".join(_spaced(into.getvalue().split("\n"), value))


def _spaced(lines: list[str], value: Any) -> Iterator[str]:
    """Yield `lines`, an empty one before each map in a list at the top."""
    inside, first = False, False
    for line in lines:
        if line[:1].strip():
            name = line.partition(":")[0]
            inside = isinstance(value, Mapping) and _is_list_of_maps(value.get(name))
            first = True
        elif inside and line.startswith("  - "):
            if not first:
                yield ""
            first = False
        yield line


def _is_list_of_maps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, Mapping) for one in value)


def _first_line(said: str) -> str:
    return said.strip().partition("\n")[0].rstrip(".")


def _plain(node: Node) -> Any:
    if isinstance(node, SequenceNode):
        return [_plain(one) for one in node.value]
    if isinstance(node, ScalarNode):
        return _scalar(node)
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode):
            raise BadYaml("It has a key that is no text.", line)
        if key.value in found:
            raise BadYaml(f"It has the key {key.value!r} twice.", line)
        found[key.value] = _plain(value)
    return found


def _scalar(node: ScalarNode) -> Any:
    text, tag = node.value, node.tag.removeprefix(TAG) if node.tag else "str"
    try:
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() in ("true", "yes", "on")
        if tag == "int":
            return _integer(text.replace("_", ""))
        if tag == "float":
            return _float(text.replace("_", "").lower())
    except ValueError:
        raise BadYaml(f"{text[:50]!r} is no number that can be read.", node.start_mark.line + 1) from None
    return text


def _integer(text: str) -> int:
    base = {"0x": 16, "0o": 8, "0b": 2}.get(text.lstrip("+-")[:2].lower(), 10)
    return int(text, base)


def _float(text: str) -> float:
    if text.lstrip("+-") in (".inf", ".nan"):
        return {".nan": math.nan, "-.inf": -math.inf}.get(text, math.inf)
    return float(text)


def _inside(node: Node, part: str | int) -> tuple[Node, int] | None:
    """Return the node that `part` names in `node`, and the line on which it begins."""
    if isinstance(node, MappingNode):
        return next(((value, key.start_mark.line) for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, SequenceNode) and str(part).isdigit() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item, item.start_mark.line
    return None


class _Editor:
    """Finds the edits that make a text say another value: each is a start, an end, and the new text between them."""

    def __init__(self, text: str, origins: Mapping[Path, Sequence[int | None]]) -> None:
        self.text = text
        self.origins = origins

    def edits(self, node: Node, value: Any, path: Path) -> Iterator[tuple[int, int, str]]:
        """Yield the edits inside of `node`, which says something else than `value`. Raises _Whole if it is replaced."""
        if self._is_block(node):
            if isinstance(node, MappingNode) and isinstance(value, Mapping) and value:
                yield from self._of_map(node, value, path)
                return
            if isinstance(node, SequenceNode) and isinstance(value, list) and value:
                yield from self._of_list(node, value, path)
                return
        yield node.start_mark.index, self._end(node), write(value)

    def _is_block(self, node: Node) -> bool:
        return isinstance(node, MappingNode | SequenceNode) and not node.flow_style and bool(node.value)

    def _of_map(self, node: MappingNode, value: Mapping[str, Any], path: Path) -> Iterator[tuple[int, int, str]]:
        column = node.start_mark.column
        kept = [(key, inner) for key, inner in node.value if key.value in value]
        if not kept:
            yield node.start_mark.index, self._end(node), self._fresh(value, column)
            return
        for index, (key, inner) in enumerate(node.value):
            if key.value not in value:
                yield self._removed(
                    key.start_mark.index, inner, node.value[index - 1][1] if index else None, node, index
                )
            elif _plain(inner) != value[key.value]:
                yield from self._replaced(key, inner, value[key.value], (*path, key.value))
        for before, names in _added(value, {key.value for key, _ in node.value}, [key.value for key, _ in kept]):
            new = {name: value[name] for name in names}
            if before is None:
                first = kept[0][0].start_mark.index
                yield first, first, self._fresh(new, column) + "\n" + " " * column
            else:
                at = self._line_end(self._end(next(inner for key, inner in kept if key.value == before)))
                yield at, at, "\n" + " " * column + self._fresh(new, column)

    def _replaced(self, key: Node, inner: Node, value: Any, path: Path) -> Iterator[tuple[int, int, str]]:
        keeps = isinstance(value, Mapping) if isinstance(inner, MappingNode) else isinstance(value, list)
        if self._is_block(inner) and keeps and value:
            yield from self.edits(inner, value, path)
        else:
            yield key.start_mark.index, self._end(inner), self._fresh({key.value: value}, key.start_mark.column)

    def _of_list(self, node: SequenceNode, value: list[Any], path: Path) -> Iterator[tuple[int, int, str]]:
        column = node.start_mark.column
        origins = self.origins.get(path) or _paired([_plain(one) for one in node.value], value)
        stay = [index for index in origins if index is not None]
        if not stay or stay != sorted(set(stay)):
            yield node.start_mark.index, self._end(node), self._fresh(value, column)
            return
        for index, item in enumerate(node.value):
            if index not in stay:
                dash = self._dash(item, column)
                yield self._removed(dash, item, node.value[index - 1] if index else None, node, index)
            elif _plain(item) != (new := value[origins.index(index)]):
                if self._is_block(item) and isinstance(new, Mapping) == isinstance(item, MappingNode) and new:
                    yield from self.edits(item, new, (*path, index))
                else:
                    yield item.start_mark.index, self._end(item), self._fresh(new, item.start_mark.column)
        gap = "\n\n" if self._has_gaps(node) else "\n"
        last: int | None = None
        runs: list[tuple[int | None, list[Any]]] = []
        for origin, item in zip(origins, value, strict=True):
            if origin is not None:
                last = origin
            elif runs and runs[-1][0] == last:
                runs[-1][1].append(item)
            else:
                runs.append((last, [item]))
        for before, items in runs:
            new_text = (gap + " " * column).join(self._fresh([item], column) for item in items)
            if before is None:
                at = self._dash(node.value[stay[0]], column)
                yield at, at, new_text + gap + " " * column
            else:
                at = self._line_end(self._end(node.value[before]))
                yield at, at, gap + " " * column + new_text

    def _removed(
        self, start: int, inner: Node, before: Node | None, around: MappingNode | SequenceNode, index: int
    ) -> tuple[int, int, str]:
        """Return the edit that removes an entry which begins at `start`, with the comments above and inside it."""
        column = around.start_mark.column
        if before is not None:
            return self._line_end(self._end(before)), self._with_deeper(inner, column), ""
        line = self.text.rfind("\n", 0, start) + 1
        if not self.text[line:start].strip():
            return self._with_comments(line), self._with_deeper(inner, column) + 1, ""
        following = around.value[index + 1]
        if isinstance(around, MappingNode):
            return start, following[0].start_mark.index, ""
        return start, self._dash(following, column), ""

    def _with_comments(self, line: int) -> int:
        """Return where the comments begin that stand directly above the line that begins at `line`."""
        while line:
            above = self.text.rfind("\n", 0, line - 1) + 1
            if not self.text[above:line].lstrip().startswith("#"):
                break
            line = above
        return line

    def _with_deeper(self, node: Node, column: int) -> int:
        """Return where the lines of `node` end, with the comments behind it that are indented by more than `column`."""
        end = self._line_end(self._end(node))
        while end < len(self.text):
            after = self._line_end(end + 1)
            line = self.text[end + 1 : after]
            if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= column:
                break
            end = after
        return end

    def _dash(self, item: Node, column: int) -> int:
        """Return where the dash before an item of a list stands."""
        line = self.text.rfind("\n", 0, item.start_mark.index) + 1
        while self.text[line + column : line + column + 1] != "-":
            line = self.text.rfind("\n", 0, line - 1) + 1
        return line + column

    def _has_gaps(self, node: SequenceNode) -> bool:
        ends = (self._line_end(self._end(item)) for item in node.value[:-1])
        return any(self.text[end + 1 : end + 2] == "\n" for end in ends)

    def _end(self, node: Node) -> int:
        """Return where `node` ends, without the comments and the blanks that follow."""
        if self._is_block(node):
            last = node.value[-1]
            return self._end(last[1] if isinstance(node, MappingNode) else last)
        if isinstance(node, ScalarNode) and node.style in ("|", ">"):
            return self._block_end(node)
        return int(node.end_mark.index)

    def _block_end(self, node: ScalarNode) -> int:
        """Return the end of a text that is written over several lines: the last that is indented as the first is."""
        lines = self.text[node.start_mark.index : node.end_mark.index].split("\n")
        indent = min((len(one) - len(one.lstrip()) for one in lines[1:] if one.strip()), default=0)
        depth = next((len(one) - len(one.lstrip()) for one in lines[1:] if one.strip()), indent)
        while len(lines) > 1 and (not lines[-1].strip() or len(lines[-1]) - len(lines[-1].lstrip()) < depth):
            lines.pop()
        return int(node.start_mark.index) + len("\n".join(lines))

    def _line_end(self, index: int) -> int:
        end = self.text.find("\n", index)
        return len(self.text) if end < 0 else end

    def _fresh(self, value: Any, column: int) -> str:
        """Return `value` as a block whose first line begins where it is put, the others at `column`."""
        text = write(value).removesuffix("\n...\n").rstrip("\n")
        lines = text.split("\n")
        if isinstance(value, list) and lines[0].startswith("  - "):
            lines = [line.removeprefix("  ") for line in lines]
        return "\n".join([lines[0], *(" " * column + line if line else "" for line in lines[1:])])


def _paired(old: list[Any], new: list[Any]) -> list[int | None]:
    """Return for each item of `new` the index of the one in `old` that it was, None for a new one."""
    found: list[int | None] = [None] * len(new)
    matcher = SequenceMatcher(None, [repr(one) for one in old], [repr(one) for one in new], autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind in ("equal", "replace"):
            for index, other in zip(range(start, end), range(new_start, new_end), strict=False):
                found[other] = index
    return found


def _added(value: Mapping[str, Any], had: set[str], kept: list[str]) -> list[tuple[str | None, list[str]]]:
    """Return the names in `value` that are new, each run with the kept name that they stand behind, None for none."""
    runs: list[tuple[str | None, list[str]]] = []
    before: str | None = None
    for name in value:
        if name in had:
            before = name if name in kept else before
        elif runs and runs[-1][0] == before:
            runs[-1][1].append(name)
        else:
            runs.append((before, [name]))
    return runs


def _dressed(value: Any, *, top: bool = False) -> Any:
    """Return `value` as ruamel.yaml writes it as people would."""
    if isinstance(value, Mapping):
        found = CommentedMap((name, _dressed(inner)) for name, inner in value.items())
        if not top and _is_short(value.values(), value):
            found.fa.set_flow_style()
        return found
    if isinstance(value, list | tuple):
        items = CommentedSeq([_dressed(one, top=isinstance(one, Mapping)) for one in value])
        if not top and _is_short(value, value):
            items.fa.set_flow_style()
        return items
    if isinstance(value, str) and UNUSUAL.search(value):
        return DoubleQuotedScalarString(value)
    return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value


def _is_short(parts: Iterable[Any], whole: Any) -> bool:
    if len(repr(whole)) > FLOW_MOST or "\\n" in repr(whole):
        return False
    return not any(isinstance(one, Mapping | list | tuple) for one in parts)
