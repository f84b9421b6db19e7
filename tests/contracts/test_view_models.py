"""Templates of widgets use documented fields of frozen view-models, and nothing else.

The templates' nodes are walked as Django parsed them, and every variable is followed through the types of the
dataclasses: `view.lines` is a tuple of `Line`, so `line.path` in its loop must be a field of `Line` that
`Line`'s docstring names.
"""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.template import Template
from django.template.base import FilterExpression, Node, Variable
from django.template.defaulttags import ForNode, WithNode
from django.template.loader import get_template
from django.template.loader_tags import IncludeNode

from metrics.actions.notice import Notice
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView

Scope = dict[str, Any]
BUILT_IN = {"forloop", "True", "False", "None"}


def view_class(kind: str) -> type:
    annotation = typing.get_type_hints(type(kinds()[kind]).view)["return"]
    assert isinstance(annotation, type)
    return annotation


def nodes_of(template: str) -> list[Node]:
    backend: Template = get_template(template).template  # type: ignore[attr-defined]
    return list(backend.nodelist)


def expressions(node: Node) -> Iterator[FilterExpression]:
    """Every expression of `node` itself, wherever the node keeps it."""
    seen: list[Any] = [value for name, value in vars(node).items() if not name.startswith("nodelist")]
    while seen:
        value = seen.pop()
        if isinstance(value, FilterExpression):
            yield value
        elif isinstance(value, Node) or type(value).__module__.startswith("django.template.smartif"):
            continue
        elif isinstance(value, dict):
            seen += value.values()
        elif isinstance(value, list | tuple):
            seen += value
    for condition, _ in getattr(node, "conditions_nodelists", []):
        yield from operands(condition)


def operands(condition: Any) -> Iterator[FilterExpression]:
    """The expressions of an {% if %}."""
    if condition is None:
        return
    if isinstance(getattr(condition, "value", None), FilterExpression):
        yield condition.value
    for side in ("first", "second"):
        yield from operands(getattr(condition, side, None))


def lookups(expression: FilterExpression) -> Iterator[list[str]]:
    variables = [expression.var, *(arg for _, args in expression.filters for _, arg in args)]
    for variable in variables:
        if isinstance(variable, Variable) and variable.lookups:
            yield list(variable.lookups)


def element(annotation: Any) -> Any:
    """The type of what is in a tuple, a list or another sequence."""
    arguments = typing.get_args(annotation)
    return arguments[0] if arguments else Any


def without_none(annotation: Any) -> Any:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        rest = [one for one in typing.get_args(annotation) if one is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def follow(path: list[str], scope: Scope, where: str) -> Any:
    """Return the type of `path`; AssertionError if it is not a documented field."""
    assert path[0] in scope, f"{where}: {'.'.join(path)} begins with a name that nothing gives"
    current = scope[path[0]]
    for name in path[1:]:
        current = without_none(current)
        if current is Any or current is object:
            return Any
        assert dataclasses.is_dataclass(current), f"{where}: {'.'.join(path)}: {current} is no view-model"
        hints = typing.get_type_hints(current)
        assert name in hints, f"{where}: {'.'.join(path)}: {current} has no field {name}"
        assert is_documented(current, name), f"{where}: {current}.{name} is not in the docstring"
        current = hints[name]
    return current


def is_documented(model: Any, field: str) -> bool:
    return bool(re.search(rf"\b{field}\b", inspect.getdoc(model) or ""))


def walk(nodes: list[Node], scope: Scope, where: str) -> int:
    """Check every variable in `nodes`; return how many there were."""
    count = 0
    for node in nodes:
        for expression in expressions(node):
            for path in lookups(expression):
                if path[0] not in BUILT_IN:
                    follow(path, scope, where)
                    count += 1
        inner = dict(scope)
        if isinstance(node, ForNode):
            (path,) = lookups(cast(FilterExpression, node.sequence))
            (name,) = cast(list[str], node.loopvars)
            inner |= {name: element(follow(path, scope, where)), "forloop": Any}
        elif isinstance(node, WithNode):
            inner |= {name: follow(next(lookups(value)), scope, where) for name, value in node.extra_context.items()}
        elif isinstance(node, IncludeNode):
            continue  # each of the included templates is checked with what it is given
        for attribute in node.child_nodelists:
            count += walk(list(getattr(node, attribute, [])), inner, where)
        for _, branch in getattr(node, "conditions_nodelists", []):
            count += walk(list(branch), inner, where)
    return count


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_the_template_of_a_kind_uses_documented_fields_of_its_view(kind: str) -> None:
    where = f"widgets/{kind}.html"
    assert walk(nodes_of(where), {"view": view_class(kind), "title": str, "band": str}, where) > 0


def test_the_frame_around_them_does_too() -> None:
    where = "widgets/widget.html"
    assert walk(nodes_of(where), {"widget": WidgetView}, where) > 0


def test_the_notice_does_too() -> None:
    where = "notice/notice.html"
    assert walk(nodes_of(where), {"notice": Notice}, where) > 0


def models(root: type) -> Iterator[type]:
    """`root` and every dataclass that its fields are made of."""
    yield root
    for hint in typing.get_type_hints(root).values():
        for part in (without_none(hint), without_none(element(hint))):
            if isinstance(part, type) and dataclasses.is_dataclass(part) and part is not root:
                yield from models(part)


ROOTS = [Notice, WidgetView, *(view_class(kind) for kind in sorted(kinds()))]
MODELS = sorted({model for root in ROOTS for model in models(root)}, key=lambda model: model.__qualname__)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
class TestModels:
    def test_they_are_frozen(self, model: Any) -> None:
        assert model.__dataclass_params__.frozen

    def test_every_field_is_documented(self, model: Any) -> None:
        assert [f.name for f in dataclasses.fields(model) if not is_documented(model, f.name)] == []


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{{ view.nothing }}", "has no field nothing"),
        ("{{ other.value }}", "begins with a name that nothing gives"),
        ("{% if view.value and view.nothing %}{% endif %}", "has no field nothing"),
        ("{% if view.value %}{% else %}{{ view.nothing }}{% endif %}", "has no field nothing"),
        ("{{ view.ems|default:view.nothing }}", "has no field nothing"),
        ("{{ view.value.nothing }}", "has no field nothing"),
        ("{% with a=view.value %}{{ a.nothing }}{% endwith %}", "has no field nothing"),
    ],
)
def test_this_test_finds_what_it_looks_for(template: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        walk(list(Template(template).nodelist), {"view": view_class("number")}, "here")
