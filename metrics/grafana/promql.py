"""PromQL as queries on stored series, as far as these mean exactly the same.

A selector with `=`, `rate`, `increase` and functions `…_over_time` of it, aggregations of these, and arithmetic of all:
anything else is refused with the reason.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import promql_parser
from promql_parser import AggModifierType, MatchOp

from metrics.widgets import promql_text
from metrics.widgets.variables import Choice

LENGTH_MOST = 2000
DEPTH_MOST = 50
USUAL, WHOLE = timedelta(days=365), timedelta(days=730)
"""Windows that stand for `$__rate_interval` and `$__range`."""
VARIABLE = r"(?:(?:\$\{|\[\[)(\w+)(?::\w+)?(?:\}|\]\])|\$(\w+))"
"""A use of a variable; one of the two groups is its name."""
BUILT_IN = r"__(rate_interval|interval|range)(_s|_ms)?"
COUNTER = re.compile(r"_(total|count|sum|bucket)$")
OVER_TIME = {f"{name}_over_time": name for name in ("avg", "min", "max", "sum", "count", "last")}
AGGREGATES = ("sum", "avg", "min", "max", "count")
TRANSPARENT = ("scalar", "sort", "sort_desc")
"""Functions whose result is the same here: one series is calculated with many, and widgets sort for themselves."""
ARITHMETIC = {"+": 1, "-": 1, "*": 2, "/": 2}


class Untranslatable(ValueError):
    """PromQL that means nothing here; the message is the rest of a sentence that begins with its panel."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in an expression."""

    value: float


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a widget, as in its config."""

    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Binary:
    """Two terms and the operator between them."""

    operator: str
    left: "Term"
    right: "Term"


Term = Number | Query | Binary


@dataclass(slots=True)
class Translator:
    """Translates expressions that use variables of which the dashboard has those that are `known`.

    `used` are those of them that a label has to be equal to, `dropped` the others, whose matchers are left out. With a
    `source` the server of that is asked, live, instead of stored series.
    """

    known: Collection[str] = ()
    source: str = ""
    used: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)

    def text(self, text: str) -> str:
        """Return `text` with the variables that are known, and without the others."""

        def replaced(found: re.Match[str]) -> str:
            return f"${{{_name(found)}}}" if _name(found) in self.known else ""

        return re.sub(VARIABLE, replaced, text)

    def live(self, text: str) -> Query:
        """Return `text` as a query for the server; a label that is compared with a variable that there is not may have
        any value. Raises Untranslatable where such a variable stands elsewhere.
        """
        names = {_name(found) for found in re.finditer(VARIABLE, text)}
        strange = {name for name in names - set(self.known) if not re.fullmatch(BUILT_IN, name)}
        text = re.sub(VARIABLE, lambda found: f"${{{_name(found)}}}", text.strip())
        text = promql_text.filled(text, {name: Choice((), open=True) for name in strange})
        left = promql_text.without_texts(text)
        if loose := next((name for name in sorted(strange) if f"${{{name}}}" in left), ""):
            raise Untranslatable(f"it uses ${loose}, which is no variable that there can be here")
        self.used |= names & set(self.known)
        self.dropped |= strange
        return Query({"source": self.source, "promql": text})

    def term(self, text: str) -> Term:
        """Return what `text` means. Raises Untranslatable."""
        if len(text) > LENGTH_MOST or text.count("(") > DEPTH_MOST:
            raise Untranslatable("its query is too long")
        try:
            parsed = promql_parser.parse(_windows(text))
        except ValueError as problem:
            raise Untranslatable(f"its query can't be read ({_short(str(problem))})") from None
        found = self._term(parsed)
        if isinstance(found, Number) or not any(True for _ in queries(found)):
            raise Untranslatable("its query names no metric")
        return found

    def _term(self, node: Any) -> Term:
        handle: dict[str, Callable[[Any], Term]] = {
            "NumberLiteral": lambda one: Number(one.val),
            "ParenExpr": lambda one: self._term(one.expr),
            "UnaryExpr": lambda one: Binary("-", Number(0), self._term(one.expr)),
            "VectorSelector": self._selector,
            "BinaryExpr": self._binary,
            "AggregateExpr": self._aggregate,
            "Call": self._call,
        }
        name = type(node).__name__
        if name not in handle:
            raise Untranslatable(f"{_short(str(node))} has no counterpart")
        return handle[name](node)

    def _selector(self, node: Any) -> Query:
        config = self._series(node)
        # Without a function the rate of a counter is shown.
        return Query({**config, "function": "last"} if COUNTER.search(config["metric"]) else config)

    def _series(self, node: Any) -> dict[str, Any]:
        if node.offset or node.at:
            raise Untranslatable(f"{_short(str(node))} looks at another time")
        name: str | list[str] | None = node.name
        labels: dict[str, str | list[str]] = {}
        for one in node.matchers.matchers:
            value = self._value(one)
            if one.name == "__name__":
                name = value
            elif value is not None:
                labels[one.name] = value
        if node.matchers.or_matchers or not isinstance(name, str) or not name or "$" in name:
            raise Untranslatable(f"{_short(str(node))} names no single metric")
        return {"metric": name, "labels": labels} if labels else {"metric": name}

    def _value(self, matcher: Any) -> str | list[str] | None:
        """Return the value that a label has to have, or one of several, None for any. Raises Untranslatable."""
        found = {_name(one) for one in re.finditer(VARIABLE, matcher.value)}
        if found and matcher.op in (MatchOp.Equal, MatchOp.Re):
            whole = re.fullmatch(VARIABLE, matcher.value)
            if whole and _name(whole) in self.known:
                self.used.add(_name(whole))
                return f"${_name(whole)}"
            self.dropped |= found
            return None
        if matcher.op == MatchOp.Equal and matcher.value:
            return str(matcher.value)
        if matcher.op == MatchOp.Re and matcher.value == ".*":
            return None
        values = str(matcher.value).removeprefix("(").removesuffix(")").split("|")
        if matcher.op == MatchOp.Re and all(re.fullmatch(r"[\w :/@-]+", one) for one in values):
            return values if len(values) > 1 else values[0]
        signs = ((MatchOp.Equal, "="), (MatchOp.NotEqual, "!="), (MatchOp.Re, "=~"), (MatchOp.NotRe, "!~"))
        sign = next(sign for op, sign in signs if op == matcher.op)
        raise Untranslatable(f"labels are only compared with =, and not {matcher.name}{sign}{_short(matcher.value)!r}")

    def _binary(self, node: Any) -> Term:
        sign = str(node.op)
        if sign not in ARITHMETIC:
            raise Untranslatable(f"{sign} has no counterpart")
        if node.modifier and (node.modifier.matching or node.modifier.group_labels or node.modifier.return_bool):
            raise Untranslatable(f"{sign} {_short(str(node.modifier))} has no counterpart")
        left, right = self._term(node.lhs), self._term(node.rhs)
        if isinstance(left, Number) and isinstance(right, Number):
            return Number(_calculated(sign, left.value, right.value))
        return Binary(sign, left, right)

    def _aggregate(self, node: Any) -> Term:
        name = str(node.op)
        if name == "topk" and type(node.param).__name__ == "NumberLiteral" and not node.modifier:
            inner = self._term(node.expr)
            if isinstance(inner, Query) and "top" not in inner.config and 1 <= node.param.val <= 100:
                return Query({**inner.config, "top": int(node.param.val)})
            raise Untranslatable("topk of a calculation has no counterpart")
        if name not in AGGREGATES or node.param:
            raise Untranslatable(f"{name} has no counterpart")
        if node.modifier and node.modifier.type != AggModifierType.By:
            raise Untranslatable("without has no counterpart")
        labels = list(node.modifier.labels) if node.modifier else []
        return _aggregated(name, labels, self._term(node.expr))

    def _call(self, node: Any) -> Term:
        name = node.func.name
        if name in TRANSPARENT:
            return self._term(node.args[0])
        if name not in ("rate", "irate", "increase", *OVER_TIME) or type(node.args[0]).__name__ != "MatrixSelector":
            raise Untranslatable(f"{name} has no counterpart")
        window: timedelta = node.args[0].range
        config = self._series(node.args[0].vector_selector)
        if name in OVER_TIME:
            if window not in (USUAL, WHOLE):
                raise Untranslatable(f"{name} over a window of its own has no counterpart")
            return Query({**config, "function": OVER_TIME[name]})
        if name == "increase" and window in (USUAL, WHOLE):
            return Query({**config, "function": "increase"})
        if name == "irate" or window in (USUAL, WHOLE):  # the newest rate, over as little as makes sense
            return Query({**config, "function": "rate"})
        rate = Query({**config, "function": "rate", "over": _duration(window)})
        return rate if name == "rate" else Binary("*", rate, Number(window.total_seconds()))


def queries(term: Term) -> Iterator[Query]:
    """Yield the queries of `term`, from left to right."""
    if isinstance(term, Query):
        yield term
    elif isinstance(term, Binary):
        yield from queries(term.left)
        yield from queries(term.right)


def written(term: Term, name: Callable[[Query], str]) -> str:
    """Return `term` as an expression, in which `name` gives the letter of each query."""
    if isinstance(term, Number):
        return f"{term.value:.12g}" if term.value >= 0 else f"(0 - {-term.value:.12g})"
    if isinstance(term, Query):
        return name(term)
    strength = ARITHMETIC[term.operator]
    left, right = written(term.left, name), written(term.right, name)
    if isinstance(term.left, Binary) and ARITHMETIC[term.left.operator] < strength:
        left = f"({left})"
    if isinstance(term.right, Binary) and ARITHMETIC[term.right.operator] <= strength:
        right = f"({right})"
    return f"{left} {term.operator} {right}"


def _name(found: re.Match[str]) -> str:
    return found[1] or found[2]


def _windows(text: str) -> str:
    """Return `text` with windows in the place of variables: only durations may not be texts."""
    text = re.sub(r"\$\{?__range(?:_s|_ms)?\}?", "2y", text)
    text = re.sub(r"\$\{?__(?:rate_)?interval(?:_s|_ms)?\}?", "1y", text)
    return re.sub(rf"\[\s*{VARIABLE}\s*(:[^\]]*)?\]", r"[1y\3]", text)


def _aggregated(name: str, labels: list[str], inner: Term) -> Term:
    """Return `inner` aggregated. A factor comes out of it, as it does in arithmetic."""
    if isinstance(inner, Query):
        if "group_by" in inner.config or "top" in inner.config:
            raise Untranslatable(f"{name} of what is aggregated already has no counterpart")
        aggregate = {} if name == "sum" else {"aggregate": name}
        return Query({**inner.config, "group_by": labels, **aggregate})
    if isinstance(inner, Binary) and inner.operator in ("*", "/") and name != "count":
        if isinstance(inner.right, Number) and (inner.right.value > 0 or name in ("sum", "avg")):
            return Binary(inner.operator, _aggregated(name, labels, inner.left), inner.right)
        if (
            inner.operator == "*"
            and isinstance(inner.left, Number)
            and (inner.left.value > 0 or name in ("sum", "avg"))
        ):
            return Binary("*", inner.left, _aggregated(name, labels, inner.right))
    raise Untranslatable(f"{name} of a calculation has no counterpart")


def _calculated(sign: str, left: float, right: float) -> float:
    if sign == "/" and not right:
        raise Untranslatable("its query divides by zero")
    return {"+": left + right, "-": left - right, "*": left * right, "/": left / right if right else 0.0}[sign]


def _duration(window: timedelta) -> str:
    seconds = int(window.total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{max(1, seconds)}s"


def _short(text: str) -> str:
    text = " ".join(text.split()).replace("{}", "")
    return text if len(text) <= 80 else f"{text[:79]}…"
