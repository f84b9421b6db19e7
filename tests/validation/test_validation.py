"""Errors in values are told in plain words, whatever pydantic found."""

import re
import typing
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model
from pydantic_core.core_schema import ErrorType

from metrics import validation
from metrics.api import api
from metrics.sources import registry as sources
from metrics.widgets import registry as widgets

OTHERWISE = {"string_pattern_mismatch", "value_error", "assertion_error"}
ONLY_IN_PYTHON = {
    # Errors of attributes, calls and types that no JSON and no form can have.
    *("no_such_attribute", "needs_python_object", "frozen_field", "frozen_instance", "get_attribute_error"),
    *("dataclass_type", "dataclass_exact_type", "named_tuple_type", "default_factory_not_called", "iteration_error"),
    *("frozen_dict_type", "ordered_dict_type", "counter_type", "deque_type", "set_item_not_hashable"),
    *("missing_sentinel_error", "ellipsis_error", "frozen_set_type", "is_instance_of", "is_subclass_of"),
    *("callable_type", "arguments_type", "unexpected_keyword_argument", "missing_keyword_only_argument"),
    *("unexpected_positional_argument", "missing_positional_only_argument", "multiple_argument_values"),
    *("fraction_type", "fraction_parsing", "complex_type", "complex_str_parsing"),
}


def test_every_type_of_error_has_its_words() -> None:
    types = set(typing.get_args(ErrorType))
    assert types - ONLY_IN_PYTHON - OTHERWISE - set(validation.WORDS) == set()


def test_they_are_whole_sentences() -> None:
    for said in {*validation.WORDS.values(), *validation.PATTERNS.values(), validation.ANY_PATTERN, validation.EMPTY}:
        assert re.match(r"[A-Z].*[^.]$", said)
        assert not re.search(r"[Ii]nput|[Ss]tring|parse|dictionary|\bregex", said)


def model(annotation: Any) -> type[BaseModel]:
    return create_model("Model", __config__=ConfigDict(extra="forbid"), field=(annotation, ...))


SAID = [
    (int, "many", "It has to be a whole number"),
    (float, None, "It has to be a number"),
    (Annotated[float, Field(gt=0)], 0, "It has to be more than 0"),
    (Annotated[int, Field(le=25)], 26, "It has to be 25 or less"),
    (Annotated[str, Field(max_length=2)], "abc", "It may have at most 2 characters"),
    (Annotated[str, Field(min_length=1)], "", "It may not be empty"),
    (Annotated[SecretStr, Field(min_length=1)], "", "It may not be empty"),
    (Annotated[list[int], Field(min_length=1)], [], "It may not be empty"),
    (Annotated[list[int], Field(min_length=2)], [1], "There have to be at least 2"),
    (Annotated[SecretStr, Field(max_length=2)], "abc", "It may have at most 2 characters"),
    (Annotated[list[int], Field(max_length=1)], [1, 2], "There may be at most 1"),
    (Literal["up", "down"], "left", "It has to be 'up' or 'down'"),
    (Annotated[str, Field(pattern="^[A-Z]?$")], "aa", "It has to be one letter from A to Z"),
    (Annotated[str, Field(pattern="^door:")], "x", validation.ANY_PATTERN),
    (dict[str, str], [], "It has to be an object: names and values"),
]


@pytest.mark.parametrize(("annotation", "value", "said"), SAID)
def test_it_says(annotation: Any, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        model(annotation).model_validate({"field": value})
    assert [validation.message(error) for error in refused.value.errors()] == [said]


def test_what_is_missing_and_what_there_is_not() -> None:
    with pytest.raises(ValidationError) as refused:
        model(int).model_validate({"other": 1})
    said = [validation.message(error) for error in refused.value.errors()]
    assert said == ["It has to be given", "There is no such field"]


def test_what_a_newer_pydantic_may_find_is_said_too() -> None:
    assert validation.message({"type": "moon_phase", "msg": "Input should be a moon"}) == "It does not fit"


def patterns(schema: Any) -> set[str]:
    """The patterns anywhere in a JSON schema."""
    if isinstance(schema, list):
        return set().union(*map(patterns, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
    return own.union(*map(patterns, schema.values()))


def test_every_pattern_of_our_own_has_its_words() -> None:
    schemas = [kind.config_class.model_json_schema() for one in (sources, widgets) for kind in one.kinds().values()]
    found = set().union(*map(patterns, [*schemas, api.get_openapi_schema()]))
    assert len(found) > 5
    assert found - set(validation.PATTERNS) == set()
