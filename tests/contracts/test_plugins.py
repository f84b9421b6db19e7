"""A plug-in is one file and one test, and says what its config is."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
from django.conf import settings
from pydantic import BaseModel

from metrics.sources import registry as sources
from metrics.widgets import registry as widgets

ROOT = Path(settings.BASE_DIR)
PLUGINS = [("sources", kind) for kind in sorted(sources.kinds())] + [
    ("widgets", kind) for kind in sorted(widgets.kinds())
]


def plugin(folder: str, kind: str) -> Any:
    return (sources if folder == "sources" else widgets).kinds()[kind]


def configs(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """`model` and the models its fields are made of."""
    yield model
    for field in model.model_fields.values():
        waiting: list[Any] = [field.annotation]
        while waiting:
            one = waiting.pop()
            waiting += get_args(one)
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield from configs(one)


def test_there_are_some_of_both() -> None:
    assert {folder for folder, _ in PLUGINS} == {"sources", "widgets"}


@pytest.mark.parametrize(("folder", "kind"), PLUGINS)
class TestPlugin:
    def test_it_is_the_file_of_its_name(self, folder: str, kind: str) -> None:
        assert type(plugin(folder, kind)).__module__ == f"metrics.{folder}.{kind}"

    def test_its_file_has_no_other(self, folder: str, kind: str) -> None:
        base = import_module(f"metrics.{folder}.base")
        parent = base.SourceKind if folder == "sources" else base.WidgetKind
        inside = vars(import_module(f"metrics.{folder}.{kind}")).values()
        own = [one for one in inside if isinstance(one, type) and issubclass(one, parent) and one is not parent]
        assert own == [type(plugin(folder, kind))]

    def test_it_has_a_test(self, folder: str, kind: str) -> None:
        assert "def test_" in (ROOT / "tests" / folder / f"test_{kind}.py").read_text()

    def test_a_widget_has_a_template(self, folder: str, kind: str) -> None:
        assert folder != "widgets" or (ROOT / "templates" / "widgets" / f"{kind}.html").is_file()

    def test_every_field_of_its_config_says_what_it_means(self, folder: str, kind: str) -> None:
        silent = [
            f"{model.__name__}.{name}"
            for model in configs(plugin(folder, kind).config_class)
            for name, field in model.model_fields.items()
            if not (field.description or "").endswith(".")
        ]
        assert silent == []

    def test_its_config_refuses_what_it_does_not_know(self, folder: str, kind: str) -> None:
        assert {model.model_config.get("extra") for model in configs(plugin(folder, kind).config_class)} == {"forbid"}


def test_no_template_is_left_over() -> None:
    templates = {file.stem for file in (ROOT / "templates" / "widgets").glob("[!_]*.html")}
    assert templates == {*widgets.kinds(), "widget"}


def test_no_source_waits_longer_than_it_may() -> None:
    assert [kind for kind, source in sources.kinds().items() if not 0 < source.timeout_s <= 30] == []
