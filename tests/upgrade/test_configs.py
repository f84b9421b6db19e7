"""Every later release takes the configs that a release stored, and gives them the present form."""

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, source_configs
from metrics.actions.errors import Invalid
from metrics.models import Source, Widget
from metrics.sources import registry as source_kinds
from metrics.sources.http_check import HttpCheckConfig
from metrics.versioned import NewerVersionError, Versioned, upgraded
from metrics.widgets import registry as widget_kinds
from metrics.widgets.number import NumberConfig
from tests import make

STORED: dict[str, dict[str, dict[str, Any]]] = json.loads((Path(__file__).parent / "configs.json").read_text())
"""By kind and version."""
CLASSES: dict[str, type[Versioned]] = {
    name: kind.config_class for kinds in (source_kinds.kinds(), widget_kinds.kinds()) for name, kind in kinds.items()
}


def test_there_is_one_of_every_version_of_every_kind() -> None:
    expected = {name: [str(version + 1) for version in range(one.version)] for name, one in CLASSES.items()}
    assert {name: sorted(versions) for name, versions in STORED.items()} == expected


@pytest.mark.parametrize(("kind", "version"), [(kind, version) for kind in STORED for version in STORED[kind]])
def test_it_is_taken(kind: str, version: str) -> None:
    now = upgraded(CLASSES[kind], STORED[kind][version], int(version))
    CLASSES[kind].model_validate(now)


def test_what_a_later_release_stored_is_refused() -> None:
    with pytest.raises(NewerVersionError, match="this release knows version 1, not 2"):
        upgraded(NumberConfig, {}, 2)


def inverted(old: dict[str, Any], from_version: int) -> dict[str, Any]:
    """Return what a second version of two kinds could make of the first."""
    assert from_version == 1
    if "target" in old:
        return {"url": old["target"], "password": old["key"]}
    return {**old, "decimals": old["decimals"] + 1}


@pytest.fixture
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    for config_class in (NumberConfig, HttpCheckConfig):
        monkeypatch.setattr(config_class, "version", 2)
        monkeypatch.setattr(config_class, "upgrade", inverted)


OLD = {"queries": [{"metric": "m"}], "decimals": 0}
NEW = {**OLD, "decimals": 1}


def of(dashboard: str) -> list[tuple[dict[str, Any], int]]:
    return list(Widget.objects.filter(dashboard__slug=dashboard).values_list("config", "version"))


@pytest.mark.django_db
class TestStored:
    def test_widgets_are_upgraded_in_a_revision(self, request: pytest.FixtureRequest) -> None:
        made = dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [number()]})
        request.getfixturevalue("_later")
        for _ in range(2):
            dashboards.upgrade_configs()
        assert of("d") == [(NEW, 2)]
        assert [one.summary for one in made.revisions.all()] == [
            "Upgraded to the form of this release.",
            "Made with 1 widget.",
        ]

    def test_a_revision_of_an_earlier_release_is_restored_in_the_present_form(
        self, request: pytest.FixtureRequest
    ) -> None:
        dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [number()]})
        dashboards.change(SYSTEM, "d", {"widgets": []}, None)
        request.getfixturevalue("_later")
        dashboards.restore_revision(SYSTEM, "d", 1, None)
        assert of("d") == [(NEW, 2)]

    def test_a_config_that_this_release_refuses_prevents_no_other_change(self) -> None:
        dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [{**number(), "key": "n"}]})
        Widget.objects.update(config={"gone": 1})
        for config_version in ({}, {"version": 1}):
            widget = {**number(), "key": "n", "config": {"gone": 1}, "title": f"N{config_version}", **config_version}
            dashboards.change(SYSTEM, "d", {"widgets": [widget]}, None)
            assert of("d") == [({"gone": 1}, 1)]

    def test_sources_are_upgraded_with_their_credentials(self, request: pytest.FixtureRequest) -> None:
        source = make.source("http_check", url="http://a/", password="secret")
        with_old = {"target": "http://a/", "key": "secret"}
        Source.objects.update(config=with_old)
        request.getfixturevalue("_later")
        for _ in range(2):
            source_configs.upgrade()
        source.refresh_from_db()
        assert (source.config, source.version) == ({"url": "http://a/"}, 2)
        assert source_configs.credentials_of(source) == ["password"]


@pytest.mark.django_db
@pytest.mark.usefixtures("_later")
class TestGiven:
    def test_a_document_of_an_earlier_release_is_upgraded(self) -> None:
        dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [{**number(), "version": 1}]})
        assert of("d") == [(NEW, 2)]

    def test_one_without_a_version_is_of_the_present_one(self) -> None:
        dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [number()]})
        assert of("d") == [(OLD, 2)]

    def test_one_of_a_later_release_is_refused(self) -> None:
        with pytest.raises(Invalid, match=r"widgets\.0\.version: this release knows version 2, not 3\."):
            dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [{**number(), "version": 3}]})


def number() -> dict[str, Any]:
    return {"kind": "number", "title": "N", "config": OLD}
