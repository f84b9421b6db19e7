"""The form of a config: how each type of field looks, and what is typed becomes; left alone, it says nothing."""

import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from metrics.sources.base import SourceConfig
from metrics.sources.registry import kinds
from metrics.views.source_form import PREFIX, Entry, entries, label, parse
from tests.door import DoorConfig


class Pick(BaseModel):
    path: str
    key: SecretStr = SecretStr("")


class Step(BaseModel):
    path: str


class Config(SourceConfig):
    url: str = Field(description="Where.", max_length=500)
    query: str = Field("", max_length=5000)
    name: str | None = None
    method: Literal["GET", "HEAD"] = "GET"
    colour: Literal["red", "blue"] | None = None
    port: int = Field(443, ge=1, le=65535)
    ratio: float = Field(0.5, gt=0, lt=1)
    limit: int | None = None
    verify: bool = True
    deep: bool = False
    hosts: list[str] = Field(default_factory=list)
    ports: list[int] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    either: int | str = ""
    steps: list[Step] = Field(default_factory=list)
    step: Step | None = None
    anything: dict[str, Any] = Field(default_factory=dict)
    expected: str = "2xx"
    password: SecretStr = SecretStr("")
    perhaps: SecretStr | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    picks: list[Pick] = Field(default_factory=list)
    short: Annotated[str, Field(max_length=5)] = "x"


SCHEMA = Config.model_json_schema()
LEAST = {"url": "http://x/"}


def form(config: dict[str, Any], **more: Any) -> dict[str, Entry]:
    return {entry.name.removeprefix(PREFIX): entry for entry in entries(SCHEMA, config, **more)}


def as_sent(shown: list[Entry]) -> dict[str, str]:
    """Return what a browser sends when nobody typed anything."""
    return {
        one.name: one.value or "on" if one.type == "checkbox" else one.value
        for one in shown
        if one.type != "checkbox" or one.checked
    }


def typed(**fields: str) -> dict[str, Any]:
    """Return the config of a form in which these fields were typed over, with every other left alone."""
    config, errors = parse(SCHEMA, as_sent(entries(SCHEMA, LEAST)) | {PREFIX + k: v for k, v in fields.items()})
    assert errors == {}
    assert config.pop("url") == "http://x/"
    return config


def test_each_type_of_field_has_its_entry() -> None:
    assert {name: entry.type for name, entry in form({}).items()} == {
        "url": "text",
        "query": "long",
        "name": "text",
        "method": "select",
        "colour": "select",
        "port": "number",
        "ratio": "number",
        "limit": "number",
        "verify": "checkbox",
        "deep": "checkbox",
        "hosts": "lines",
        "ports": "lines",
        "labels": "pairs",
        "either": "text",
        "steps": "json",
        "step": "json",
        "anything": "json",
        "expected": "text",
        "password": "text",
        "perhaps": "text",
        "headers": "pairs",
        "picks": "json",
        "short": "text",
    }


def test_credentials_are_those_that_are_kept_as_such() -> None:
    assert {name for name, entry in form({}).items() if entry.is_secret} == {"password", "perhaps", "headers", "picks"}


def test_what_the_schema_says_is_on_the_form() -> None:
    shown = form({})
    assert (shown["url"].required, shown["port"].required) == (True, False)
    assert (shown["port"].least, shown["port"].most) == (1, 65535)
    assert (shown["ratio"].least, shown["ratio"].most) == (0, 1)
    assert (shown["method"].options, shown["colour"].options) == (("GET", "HEAD"), ("", "red", "blue"))
    assert (shown["url"].help, shown["hosts"].help) == ("Where.", "One a line.")


def test_values_stand_in_it_and_defaults_where_there_are_none() -> None:
    shown = form({"url": "http://x/", "hosts": ["a", "b"], "labels": {"a": "b:c"}, "steps": [{"path": "x"}]})
    values = {name: shown[name].value for name in ("url", "port", "ratio", "method", "hosts", "labels", "either")}
    assert values == {
        "url": "http://x/",
        "port": "443",
        "ratio": "0.5",
        "method": "GET",
        "hosts": "a\nb",
        "labels": "a: b:c",
        "either": "",
    }
    assert json.loads(shown["steps"].value) == [{"path": "x"}]
    assert (shown["verify"].checked, shown["deep"].checked) == (True, False)


def test_a_credential_never_stands_in_it() -> None:
    secret = {"password": "open sesame", "headers": {"a": "alibaba"}}
    for more in ({}, {"typed": {"config-password": "open sesame", "config-headers": "a: alibaba"}}):
        shown = form(secret, kept=["password"], **more)
        assert "sesame" not in str(shown)
        assert "alibaba" not in str(shown)
        assert (shown["password"].is_set, shown["headers"].is_set) == (True, False)
    assert not {entry.name for entry in entries(DoorConfig.model_json_schema(), {}, ["password"]) if entry.removable}


def test_what_was_typed_stands_in_it_with_what_is_wrong() -> None:
    shown = form(LEAST, typed={"config-url": "nonsense", "config-deep": "on"}, errors={"url": "This is no address."})
    assert (shown["url"].value, shown["url"].error) == ("nonsense", "This is no address.")
    assert (shown["deep"].checked, shown["verify"].checked) == (True, False)


class TestParse:
    @pytest.mark.parametrize(
        ("field", "text", "value"),
        [
            ("query", "select 1,\r\n 2", "select 1,\n 2"),
            ("name", "  shop ", "shop"),
            ("port", "80", "80"),
            ("port", "eighty", "eighty"),
            ("limit", "7", "7"),
            ("method", "HEAD", "HEAD"),
            ("hosts", "a\r\n\r\n  b \r\n", ["a", "b"]),
            ("labels", "a: b\r\n\r\nc : d:e", {"a": "b", "c": "d:e"}),
            ("labels", "job:up:sum: a: b", {"job:up:sum": "a: b"}),
            ("steps", '[{"path": "x"}]', [{"path": "x"}]),
            ("expected", "", ""),
            ("password", " open sesame ", " open sesame "),
            ("headers", "X-Key: alibaba", {"X-Key": "alibaba"}),
            ("picks", '[{"path": "x", "key": "y"}]', [{"path": "x", "key": "y"}]),
        ],
    )
    def test_what_is_typed_is_said(self, field: str, text: str, value: Any) -> None:
        assert typed(**{field: text}) == {field: value}

    @pytest.mark.parametrize(
        ("field", "text"), [("port", ""), ("port", "443"), ("limit", ""), ("name", " "), ("steps", ""), ("colour", "")]
    )
    def test_what_goes_without_saying_is_not_said(self, field: str, text: str) -> None:
        assert typed(**{field: text}) == {}

    def test_a_box_that_is_not_checked_is_said_where_it_usually_is(self) -> None:
        sent = {"config-url": "http://x/", "config-method": "GET", "config-expected": "2xx", "config-short": "x"}
        assert parse(SCHEMA, sent)[0] == {"url": "http://x/", "verify": False}

    def test_what_the_config_said_until_now_it_goes_on_to_say(self) -> None:
        assert parse(SCHEMA, {"config-port": "443"}, before=["port"])[0]["port"] == "443"

    def test_a_credential_is_removed_when_that_is_checked(self) -> None:
        assert typed(**{"password": "x"}) == {"password": "x"}
        config, _ = parse(SCHEMA, {"config-password": "x", "remove-password": "on"})
        assert config["password"] == ""

    @pytest.mark.parametrize(
        ("field", "text", "said"),
        [
            ("labels", "a: b\nnonsense", "Line 2 is not a name, a colon and a value."),
            ("labels", ": b", "Line 1 is not a name, a colon and a value."),
            ("steps", "{", "This is not JSON: Expecting property name enclosed in double quotes in line 1."),
            ("steps", "[" * 100_000, "This is not JSON that can be read."),
            ("steps", "9" * 5000, "This is not JSON that can be read."),
        ],
    )
    def test_what_can_not_be_read_is_a_sentence(self, field: str, text: str, said: str) -> None:
        config, errors = parse(SCHEMA, {PREFIX + field: text})
        assert errors == {field: said}
        assert field not in config

    @given(st.dictionaries(st.sampled_from([PREFIX + name for name in Config.model_fields]), st.text()))
    def test_no_text_breaks_it(self, sent: dict[str, str]) -> None:
        parse(SCHEMA, sent)
        entries(SCHEMA, {}, typed=sent)


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_form_that_is_left_alone_says_nothing(kind: str) -> None:
    schema = kinds()[kind].config_class.model_json_schema()
    config, errors = parse(schema, as_sent(entries(schema, {})))
    assert errors == {}
    given = {name for name in schema.get("required", ()) if "enum" in schema["properties"][name]}
    assert set(config) <= given


def test_a_config_that_is_left_alone_stays_what_it_was() -> None:
    config = {
        "url": "http://x/",
        "port": 80,
        "method": "GET",
        "verify": False,
        "hosts": ["a"],
        "ports": [1, 2],
        "labels": {"a": "b"},
        "steps": [{"path": "x"}],
        "step": {"path": "y"},
        "anything": {"a": [1, None, {"b": True}]},
        "either": "x",
        "expected": "",
        "ratio": 0.25,
    }
    said, errors = parse(SCHEMA, as_sent(entries(SCHEMA, config)), config)
    assert errors == {}
    assert Config.model_validate(said).model_dump(exclude_unset=True) == Config.model_validate(config).model_dump(
        exclude_unset=True
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("url", "URL"),
        ("timeout_s", "Timeout, seconds"),
        ("body_most_bytes", "Body most, bytes"),
        ("expected_json", "Expected JSON"),
        ("honor_labels", "Honor labels"),
        ("s", "S"),
    ],
)
def test_labels_are_as_people_write(name: str, expected: str) -> None:
    assert label(name) == expected
