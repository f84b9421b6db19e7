"""Values in the place of variables: `$host` in titles, legends, labels and links stands for what a viewer chose."""

import copy
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import islice, product
from typing import Any

from metrics.models import Widget
from metrics.widgets import links, promql_text
from metrics.widgets.annotated import CHOSEN_MOST, tag
from metrics.widgets.variables import ALL, NAME, OPTIONS_MOST, Asked, Choice, Choices

LEGEND_CHARACTERS = 100
_USE = re.compile(rf"\$(?:\{{({NAME})\}}|({NAME}))")


def with_values(widget: Widget, choices: Choices) -> Widget:
    """Return a copy of `widget` with what is chosen in the place of the variables in its title and its config."""
    found = copy.copy(widget)
    found.title, found.config = _text(widget.title, choices), _config(widget.config, choices)
    return found


def _config(part: Any, choices: Choices) -> Any:
    """Return a config, or a part of one, with values in its legends, links, tags, and the labels of its queries."""
    match part:
        case dict():
            return {name: _field(name, inner, choices) for name, inner in part.items()}
        case list():
            return [_config(inner, choices) for inner in part]
    return part


def _field(name: str, value: Any, choices: Choices) -> Any:
    match name, value:
        case "labels", dict():
            return _labels(value, choices)
        case "annotations", list():
            return _tags(value, choices)
        case "promql", str():
            return promql_text.filled(value, choices)
        case "legend", str():
            return _cut(_text(value, choices), LEGEND_CHARACTERS)
        case (("url" | "link" | "row_link"), str()):
            return links.with_values(value, _values(choices), is_row=name == "row_link")
    return _config(value, choices)


def _values(choices: Choices) -> dict[str, Sequence[str]]:
    return {name: (ALL,) if one.is_all else one.chosen for name, one in choices.items()}


def _text(text: str, choices: Choices) -> str:
    return _USE.sub(lambda found: str(choices.get(found[1] or found[2], found[0])), text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _labels(labels: Mapping[str, Any], choices: Choices) -> dict[str, Any]:
    """Return the labels of a query with values; one that may have any is left out."""
    found: dict[str, Any] = {}
    for name, given in labels.items():
        several = [_alternatives(value, choices) for value in (given if isinstance(given, list) else [given])]
        known = [value for values in several if values is not None for value in values]
        if None not in several:
            found[name] = known[0] if len(known) == 1 else known[:OPTIONS_MOST]
    return found


def _tags(tags: Sequence[Any], choices: Choices) -> list[Any]:
    """Return the tags of annotations with values; one for which all are chosen is all of them.

    Values that can't be tags are left out; where no other is chosen, the tag stays as it was typed, which nothing has.
    """
    if not all(isinstance(one, str) for one in tags):  # a config that was not checked when it was made
        return list(tags)
    found: list[str] = []
    for one in tags:
        alone = _USE.fullmatch(one)
        choice = choices.get(alone[1] or alone[2]) if alone else None
        values = None if choice and choice.is_all else _alternatives(one, choices)
        found += [ALL] if values is None else list(filter(_is_tag, values)) or [one]
    return list(dict.fromkeys(found))[:CHOSEN_MOST]


def _is_tag(value: str) -> bool:
    try:
        tag(value)
    except ValueError:
        return False
    return True


def narrowed(labels: Mapping[str, Any], chosen: Asked) -> dict[str, Any]:
    """Return the labels of a query with values, without those whose values do not follow from what is `chosen`."""
    choices = {name: Choice(tuple(values)) for name, values in chosen.items() if ALL not in values}
    follow = {name: value for name, value in labels.items() if _used(value) <= choices.keys()}
    return _labels(follow, choices)


def _used(value: Any) -> set[str]:
    return {found[1] or found[2] for found in _USE.finditer(str(value))}


def _alternatives(value: Any, choices: Choices) -> list[Any] | None:
    """Return all texts that `value` stands for, itself if nothing can be chosen; None for any text at all."""
    if not isinstance(value, str):  # a config that was not checked when it was made
        return [value]
    used = [name for found in _USE.finditer(value) if (name := found[1] or found[2]) in choices]
    if not used or not all(choices[name].chosen or choices[name].open for name in used):
        return [value]
    alone = _USE.fullmatch(value)
    if alone and choices[used[0]].open:
        return None
    names = list(dict.fromkeys(used))
    each = islice(product(*(choices[name].chosen for name in names)), OPTIONS_MOST)
    return [_text(value, {n: Choice((v,)) for n, v in zip(names, values, strict=True)}) for values in each]


def unknown(labels: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """Return the names of what looks like variables in the labels of a query, and is none of those that are `known`."""
    return sorted(set().union(*map(_used, labels.values())) - set(known))


def names(text: str, variable: str) -> bool:
    """Return whether `text` uses a variable."""
    return variable in _used(text)
