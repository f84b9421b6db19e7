"""The decorator: what it remembers, and which mistakes it names."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from metrics.plugins import declare
from metrics.plugins.declare import metric


@pytest.fixture(autouse=True)
def _nothing_declared() -> Iterator[None]:
    declare.declared.clear()
    yield
    declare.declared.clear()


def test_the_function_stays_what_it_is_and_is_remembered() -> None:
    @metric("orders_open", every="1m30s", unit="orders", label="shop", type="counter", timeout="3s")
    def orders() -> int:
        return 42

    (one,) = declare.declared
    assert orders() == 42
    assert (one.function, one.metric, one.every_s, one.unit, one.label) == (
        "orders",
        "orders_open",
        90,
        "orders",
        "shop",
    )
    assert (one.type, one.timeout_s) == ("counter", 3)
    assert one.line == orders.__code__.co_firstlineno


def test_arguments_that_have_defaults_are_fine() -> None:
    @metric("x", every="10s")
    def one(shop: str = "berne", *rest: int, **more: int) -> int:
        return 1

    assert len(declare.declared) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "2xx"}, "'2xx' is not the name of a metric, such as orders_open"),
        ({"every": "often"}, "every: 'often' is not a period such as 10s, 5m, 1h30m or 1d"),
        ({"every": 10}, "every is a period in quotes, such as 10s, 5m, 1h30m or 1d"),
        ({"every": "2d"}, "every is longer than 86400 s"),
        ({"timeout": "1m"}, "timeout is longer than 20 s"),
        ({"unit": "x" * 21}, "unit is longer than 20 characters"),
        ({"label": "a-b"}, "'a-b' is not the name of a label, such as shop"),
        ({"label": "__x"}, "'__x' is not the name of a label, such as shop"),
        ({"type": "gage"}, "type is not one of counter, gauge"),
    ],
)
def test_a_mistake_is_named(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        metric(**{"name": "x", "every": "10s", **arguments})
    assert str(refused.value) == said


@pytest.mark.parametrize("arguments", [{"name": print}, {"name": "x"}])
def test_what_lacks_something_says_how_it_is_written(arguments: dict[str, Any]) -> None:
    with pytest.raises(
        ValueError, match=r'^metric needs a name and a period, as in @metric\("orders_open", every="10s"\)$'
    ):
        metric(**arguments)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda needed: needed, "<lambda> needs arguments, and is called without"),
        (print, "metric goes above a function"),
        (type("Class", (), {}), "metric goes above a function"),
    ],
)
def test_what_can_not_be_called_is_refused(function: Callable[..., Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        metric("x", every="10s")(function)
    assert str(refused.value) == said


def test_two_functions_of_one_name_are_refused() -> None:
    decorate = metric("x", every="10s")

    def one() -> int:
        return 1

    decorate(one)
    with pytest.raises(ValueError, match="there are two functions one with a metric"):
        decorate(one)
