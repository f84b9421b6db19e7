"""Credentials: which fields are, that nobody reads them without the key, and that errors don't tell them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError
from pytest_django import Settings

from metrics.actions import credentials
from metrics.actions.credentials import LostKey
from tests.door import DoorConfig


class Inner(BaseModel):
    user: str
    key: SecretStr


class Many(BaseModel):
    plain: str
    number: int | None
    secret: SecretStr
    perhaps: SecretStr | None
    several: list[SecretStr]
    headers: dict[str, SecretStr]
    inner: Inner
    inners: list[Inner] | None
    texts: dict[str, list[str]]


def test_a_field_is_a_credential_if_its_type_says_so() -> None:
    assert credentials.names(Many) == {"secret", "perhaps", "several", "headers", "inner", "inners"}
    assert credentials.names(DoorConfig) == {"password", "headers"}


VALUES = st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@given(st.dictionaries(st.text(), VALUES))
def test_what_is_kept_is_read_again(values: dict[str, Any]) -> None:
    assert credentials.read(credentials.keep(values)) == values


def test_only_the_names_can_be_read_of_what_is_kept() -> None:
    kept = credentials.keep({"password": "open sesame", "headers": {"X-Key": "alibaba"}})
    assert credentials.kept(kept) == ["headers", "password"]
    assert not any(word in kept for word in ("sesame", "alibaba", "X-Key"))
    assert (credentials.keep({}), credentials.kept(""), credentials.read("")) == ("", [], {})


class TestKey:
    def test_another_key_reads_nothing_and_says_what_to_do(self, settings: Settings) -> None:
        kept = credentials.keep({"password": "open sesame"})
        settings.SECRET_KEY = "another one"
        assert credentials.kept(kept) == ["password"]
        with pytest.raises(LostKey, match=r"^The credentials .+ SECRET_KEY_FALLBACKS\.$"):
            credentials.read(kept)

    def test_an_earlier_key_still_reads(self, settings: Settings) -> None:
        kept = credentials.keep({"password": "open sesame"})
        settings.SECRET_KEY_FALLBACKS = ["even older", settings.SECRET_KEY]
        settings.SECRET_KEY = "another one"
        assert credentials.read(kept) == {"password": "open sesame"}

    def test_renewed_the_earlier_key_is_needed_no_more(self, settings: Settings) -> None:
        kept = credentials.keep({"password": "open sesame"})
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another one"
        renewed = credentials.renewed(kept)
        settings.SECRET_KEY_FALLBACKS = []
        assert credentials.read(renewed) == {"password": "open sesame"}

    @pytest.mark.parametrize("token", ["", "x", "gAAAA", "\u00fc"])
    def test_what_is_no_token_is_not_read_either(self, token: str) -> None:
        with pytest.raises(LostKey):
            credentials.read(json.dumps({"password": token}))


class TestHide:
    @pytest.mark.parametrize(
        ("text", "hidden"),
        [
            ("wrong password 'open sesame'", "wrong password '…'"),
            ("http://u:open%20sesame@host/", "http://u:…@host/"),
            ('{"key": "two\\nlines"}', '{"key": "…"}'),
            ("two\nlines", "…"),
            ("nothing to see", "nothing to see"),
            ("an abc remains", "an abc remains"),
        ],
    )
    def test_an_error_does_not_tell_a_credential(self, text: str, hidden: str) -> None:
        secret = {"password": "open sesame", "headers": {"a": "two\nlines"}, "short": ["abc"], "none": None}
        assert credentials.hide(text, secret) == hidden

    def test_one_that_holds_another_is_hidden_as_a_whole(self) -> None:
        assert credentials.hide("it was sesame street", ["sesame", "sesame street"]) == "it was …"


def test_what_pydantic_says_of_a_config_does_not_quote_it() -> None:
    with pytest.raises(ValidationError) as refused:
        DoorConfig.model_validate({"url": "open sesame", "password": "abc", "headers": "alibaba"})
    assert not any(word in str(refused.value) for word in ("sesame", "abc", "alibaba"))


@pytest.mark.parametrize(("value", "expected"), [("", False), (None, False), ({}, False), ([], False), ("x", True)])
def test_an_empty_one_is_none(value: Any, expected: bool) -> None:
    assert credentials.is_set(value) is expected
