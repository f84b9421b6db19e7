"""The form of a config: how each type of field looks, and what is typed becomes; left alone, it says nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from metrics.forms.entries import Entry, form
from metrics.forms.fields import fields_of
from metrics.forms.labels import label
from metrics.forms.typed import PREFIX, parse, pressed, write
from tests.door import DoorConfig
from tests.forms.config import CLASSES, Config, sent_back

FIELDS = fields_of(Config)
LEAST = {"url": "http://x/"}


NAMES = st.sampled_from(
    [f"{PREFIX}-{name}" for name in Config.model_fields]
    + [f"{PREFIX}-steps-{index}-path" for index in ("0", "7", "x", "-1", "99999")]
    + [f"{PREFIX}.said", f"{PREFIX}-steps-0.said", f"{PREFIX}-name.empty", "add", "drop"]
)


def entries(config: dict[str, Any], typed: dict[str, str] | None = None, **more: Any) -> dict[str, Entry]:
    drawn = form(FIELDS, write(FIELDS, config) if typed is None else typed, **more)
    return {entry.name.removeprefix(f"{PREFIX}-"): entry for entry in drawn.entries}


def typed(**fields: str) -> dict[str, Any]:
    """Return the config of a form in which these fields were typed over, with every other left alone."""
    config, errors = parse(FIELDS, write(FIELDS, LEAST) | {f"{PREFIX}-{k}": v for k, v in fields.items()})
    assert errors == {}
    assert config.pop("url") == "http://x/"
    return config


def test_each_type_of_field_has_its_entry() -> None:
    assert {name: entry.type for name, entry in entries({}).items()} == {
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
        "steps": "list",
        "step": "group",
        "anything": "json",
        "expected": "text",
        "password": "text",
        "perhaps": "text",
        "headers": "pairs",
        "picks": "json",
        "begins": "time",
        "short": "text",
    }


def test_credentials_are_those_that_are_kept_as_such() -> None:
    assert {name for name, entry in entries({}).items() if entry.is_secret} == {
        "password",
        "perhaps",
        "headers",
        "picks",
    }


def test_what_the_schema_says_is_on_the_form() -> None:
    shown = entries({})
    assert (shown["url"].required, shown["port"].required) == (True, False)
    assert (shown["port"].least, shown["port"].most) == (1, 65535)
    assert (shown["ratio"].least, shown["ratio"].most) == (0, 1)
    assert (shown["method"].options, shown["colour"].options) == (("GET", "HEAD"), ("", "red", "blue"))
    assert (shown["url"].help, shown["hosts"].help) == ("Where.", "One a line.")


def test_values_stand_in_it_and_defaults_where_there_are_none() -> None:
    shown = entries({"url": "http://x/", "hosts": ["a", "b"], "labels": {"a": "b:c"}, "steps": [{"path": "x"}]})
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
    assert [entry.value for item in shown["steps"].items for entry in item.entries] == ["x"]
    assert (shown["verify"].checked, shown["deep"].checked) == (True, False)


def test_a_credential_never_stands_in_it() -> None:
    secret = {"password": "open sesame", "headers": {"a": "alibaba"}}
    for more in ({}, {"typed": {"config-password": "open sesame", "config-headers": "a: alibaba"}}):
        shown = entries(secret, kept=["password"], **more)
        assert "sesame" not in str(shown)
        assert "alibaba" not in str(shown)
        assert (shown["password"].is_set, shown["headers"].is_set) == (True, False)
    assert entries({}, kept=["password"])["password"].remove == "remove-password"
    of_door = form(fields_of(DoorConfig), {}, kept=["password"])
    assert not [entry.name for entry in of_door.entries if entry.remove]


def test_what_was_typed_stands_in_it_with_what_is_wrong() -> None:
    shown = entries(LEAST, typed={"config-url": "nonsense", "config-deep": "on"}, errors={"url": "This is no address."})
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
            ("labels", "a: b\nc: d\na: e", {"a": ["b", "e"], "c": "d"}),
            ("anything", '{"a": [1, null]}', {"a": [1, None]}),
            ("step-path", "x", {"path": "x"}),
            ("expected", "", ""),
            ("begins", "2026-11-30T09:00", "2026-11-30T09:00"),
            ("password", " open sesame ", " open sesame "),
            ("headers", "X-Key: alibaba", {"X-Key": "alibaba"}),
            ("picks", '[{"path": "x", "key": "y"}]', [{"path": "x", "key": "y"}]),
        ],
    )
    def test_what_is_typed_is_said(self, field: str, text: str, value: Any) -> None:
        assert typed(**{field: text}) == {field.partition("-")[0]: value}

    @pytest.mark.parametrize(
        ("field", "text"),
        [
            ("port", ""),
            ("port", "443"),
            ("limit", ""),
            ("begins", ""),
            ("name", " "),
            ("anything", ""),
            ("step-path", ""),
            ("colour", ""),
        ],
    )
    def test_what_goes_without_saying_is_not_said(self, field: str, text: str) -> None:
        assert typed(**{field: text}) == {}

    def test_a_box_that_is_not_checked_is_said_where_it_usually_is(self) -> None:
        sent = {"config-url": "http://x/", "config-method": "GET", "config-expected": "2xx", "config-short": "x"}
        assert parse(FIELDS, sent)[0] == {"url": "http://x/", "verify": False}

    def test_what_the_config_said_until_now_it_goes_on_to_say(self) -> None:
        assert parse(FIELDS, {"config-port": "443", "config.said": "port"})[0]["port"] == "443"

    def test_a_credential_is_removed_when_that_is_checked(self) -> None:
        assert typed(**{"password": "x"}) == {"password": "x"}
        config, _ = parse(FIELDS, {"config-password": "x", "remove-password": "on"})
        assert config["password"] == ""

    @pytest.mark.parametrize(
        ("field", "text", "said"),
        [
            ("labels", "a: b\nnonsense", "Line 2 is not a name, a colon and a value."),
            ("labels", ": b", "Line 1 is not a name, a colon and a value."),
            ("anything", "{", "This is not JSON: Expecting property name enclosed in double quotes in line 1."),
            ("anything", "[" * 100_000, "This is not JSON that can be read."),
            ("anything", "9" * 5000, "This is not JSON that can be read."),
        ],
    )
    def test_what_can_not_be_read_is_a_sentence(self, field: str, text: str, said: str) -> None:
        config, errors = parse(FIELDS, {f"{PREFIX}-{field}": text})
        assert errors == {field: said}
        assert field not in config

    @given(st.dictionaries(NAMES, st.text()))
    def test_no_text_breaks_it(self, sent: dict[str, str]) -> None:
        parse(FIELDS, sent)
        entries({}, sent)
        pressed(FIELDS, sent)


@pytest.mark.parametrize("config_class", CLASSES, ids=lambda one: one.__name__)
def test_a_form_that_is_left_alone_says_nothing(config_class: type[BaseModel]) -> None:
    fields = fields_of(config_class)
    config, errors = parse(fields, write(fields, {}))
    assert errors == {}
    given = {one.name for one in fields if one.required and one.type in ("select", "list")}
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
    assert sent_back(Config, config) == config


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
