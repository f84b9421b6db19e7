"""Errors in values, in plain sentences: pydantic's errors by their type, for pages and API alike.

The types are those of https://docs.pydantic.dev/latest/errors/validation_errors/.
"""

from collections.abc import Mapping
from typing import Any

WORDS = {
    "bool_parsing": "It has to be true or false",
    "bool_type": "It has to be true or false",
    "bytes_invalid_encoding": "It has a character that can't be there",
    "bytes_too_long": "It may have at most {max_length} bytes",
    "bytes_too_short": "It has to have at least {min_length} bytes",
    "bytes_type": "It has to be a text",
    "date_from_datetime_inexact": "It has to be a day, without a time of day",
    "date_from_datetime_parsing": "It has to be a day, such as 2026-11-28",
    "date_future": "It has to be in the future",
    "date_parsing": "It has to be a day, such as 2026-11-28",
    "date_past": "It has to be in the past",
    "date_type": "It has to be a day, such as 2026-11-28",
    "datetime_from_date_parsing": "It has to be a time, such as 2026-11-28T12:00:00Z",
    "datetime_future": "It has to be in the future",
    "datetime_object_invalid": "It has to be a time, such as 2026-11-28T12:00:00Z",
    "datetime_parsing": "It has to be a time, such as 2026-11-28T12:00:00Z",
    "datetime_past": "It has to be in the past",
    "datetime_type": "It has to be a time, such as 2026-11-28T12:00:00Z",
    "decimal_max_digits": "It may have at most {max_digits} digits",
    "decimal_max_places": "It may have at most {decimal_places} decimals",
    "decimal_parsing": "It has to be a number",
    "decimal_type": "It has to be a number",
    "decimal_whole_digits": "It may have at most {whole_digits} digits before the decimals",
    "dict_type": "It has to be an object: names and values",
    "enum": "It has to be {expected}",
    "extra_forbidden": "There is no such field",
    "finite_number": "It has to be a finite number",
    "float_parsing": "It has to be a number",
    "float_type": "It has to be a number",
    "greater_than": "It has to be more than {gt}",
    "greater_than_equal": "It has to be {ge} or more",
    "int_from_float": "It has to be a whole number",
    "int_parsing": "It has to be a whole number",
    "int_parsing_size": "It is too large a number",
    "int_type": "It has to be a whole number",
    "invalid_key": "A name in it has to be a text",
    "iterable_type": "It has to be a list",
    "json_invalid": "It is not valid JSON",
    "json_type": "It has to be JSON",
    "less_than": "It has to be less than {lt}",
    "less_than_equal": "It has to be {le} or less",
    "list_type": "It has to be a list",
    "literal_error": "It has to be {expected}",
    "mapping_type": "It has to be an object: names and values",
    "missing": "It has to be given",
    "missing_argument": "It has to be given",
    "model_attributes_type": "It has to be an object: names and values",
    "model_type": "It has to be an object: names and values",
    "multiple_of": "It has to be a multiple of {multiple_of}",
    "none_required": "It has to be null",
    "recursion_loop": "It contains itself",
    "recursion_depth_exceeded": "It is nested too deeply",
    "set_type": "It has to be a list",
    "string_not_ascii": "It may have letters without accents, digits and signs only",
    "string_too_long": "It may have at most {max_length} characters",
    "string_too_short": "It has to have at least {min_length} characters",
    "string_type": "It has to be a text",
    "string_unicode": "It has a character that can't be there",
    "time_delta_parsing": "It has to be a length of time, in seconds",
    "time_delta_type": "It has to be a length of time, in seconds",
    "time_parsing": "It has to be a time of day, such as 12:00",
    "time_type": "It has to be a time of day, such as 12:00",
    "timezone_aware": "It has to have a time zone, such as Z for UTC",
    "timezone_naive": "It may have no time zone",
    "timezone_offset": "It has the wrong time zone",
    "too_long": "There may be at most {max_length}",
    "too_short": "There have to be at least {min_length}",
    "tuple_type": "It has to be a list",
    "union_tag_invalid": "It has to say which kind it is: {expected_tags}",
    "union_tag_not_found": "It has to say which kind it is",
    "url_parsing": "It has to be an address, such as https://example.org/",
    "url_scheme": "The address has to begin with {expected_schemes}",
    "url_syntax_violation": "It has to be an address, such as https://example.org/",
    "url_too_long": "It may have at most {max_length} characters",
    "url_type": "It has to be an address, such as https://example.org/",
    "uuid_parsing": "It has to be a UUID",
    "uuid_type": "It has to be a UUID",
    "uuid_version": "It has to be a UUID of version {expected_version}",
}
"""By type, the sentence without its full stop."""

OF_SECRETS = {"too_long": WORDS["string_too_long"], "too_short": WORDS["string_too_short"]}
"""The same where pydantic counts the characters of a SecretStr as if they were items."""

PATTERNS = {
    r"^[-a-zA-Z0-9_]+$": "It may have letters without accents, digits, - and _ only",
    r"^[A-Za-z][A-Za-z0-9_]*\.py$": "It has to be the name of a file that ends with .py: letters, digits and _",
    r"^([A-Za-z_][A-Za-z0-9_]*)?$": "It has to be the name of a function: letters, digits and _, and no digit first",
    r"^[a-zA-Z0-9_:*]+$": "It may have letters without accents, digits, _, : and * only",
    r"^[^\s,\x00]*$": "It may have no space, comma or NUL character",
    r"^[^\x00]*$": "It may have no NUL character",
    r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$": "It has to be the name of a file: letters, digits, _ . + and -",
    r"^[a-zA-Z_:][a-zA-Z0-9_:]*$": "It may have letters without accents, digits, _ and : only, and no digit first",
    r"^([a-z0-9][a-z0-9-]*)?$": "It may have small letters without accents, digits and - only, and no - first",
    r"^[\x21-\x7e]{1,255}$": "It has to have 1 to 255 letters, digits and signs, and no spaces",
    r"^([a-zA-Z_:][a-zA-Z0-9_:]*)?$": "It may have letters without accents, digits, _ and : only, and no digit first",
    r"^([a-zA-Z_][a-zA-Z0-9_]*)?$": "It may have letters without accents, digits and _ only, and no digit first",
    r"^[a-zA-Z][a-zA-Z0-9_]*$": "It has to begin with a letter without accents, and may have digits and _ then",
    r"^([0-9a-f]{64})?$": "It has to be the hash of an uploaded picture: 64 digits and letters from a to f",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$": "It has to be a time of day, such as 22:00",
    "^[A-Z]?$": "It has to be one letter from A to Z",
}
"""The patterns of our own fields, as nobody should have to read them."""
EMPTY = "It may not be empty"
ANY_PATTERN = "It has a character that can't be there, or lacks one that has to be"


def message(error: Mapping[str, Any]) -> str:
    """Return what `error`, one of pydantic's `ValidationError.errors()`, says to people, without a full stop."""
    type, context = error["type"], error.get("ctx", {})
    if type == "string_pattern_mismatch":
        return PATTERNS.get(context.get("pattern", ""), ANY_PATTERN)
    if type in ("string_too_short", "too_short") and context.get("min_length") == 1:
        return EMPTY
    if type in ("value_error", "assertion_error"):  # a validator of our own speaks
        return str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ").rstrip(".")
    ours = OF_SECRETS.get(type) if context.get("field_type") == "Value" else None
    try:
        return (ours or WORDS[type]).format(**{name: _plain(value) for name, value in context.items()})
    except KeyError:  # a type that a newer pydantic has, or context that it has no more
        return "It does not fit"


def _plain(value: Any) -> Any:
    """Return a limit as people write it: 25 and not 25.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
