"""Promises of the widgets' templates to the page: its policy, its ids, its size, and that they are pure."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import render_to_string

from metrics.widgets import freshness, ranges
from metrics.widgets.base import Named, Still
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView
from tests.widgets.make import AT, config, named, steps, window

WINDOW = ranges.finer(window())
"""Points as often as samples are expected."""
SERIES = [named("<a> & 'b'", 42.5, steps(42, WINDOW), unit="percent"), named("c", 0, steps(7, WINDOW), age_s=900)]


NEEDED: dict[str, dict[str, Any]] = {
    "text": {"text": "<a> *now* & <script>alert(1)</script>"},
    "clock": {"places": [{"zone": "Asia/Tokyo", "name": "<a>"}, {"zone": "UTC"}]},
    "countdown": {"until": "2026-12-24T18:00:00Z", "reached": "<a>"},
    "progress": {"goal": 100},
    "image": {"picture": "0" * 64, "alt": "<a>"},
}
STILL = [kind for kind, one in kinds().items() if issubclass(one.config_class, Still)]
OF_SERIES = sorted(kinds().keys() - STILL)


def html(kind: str, series: list[Named], **fields: Any) -> str:
    made = kinds()[kind]
    fields = NEEDED.get(kind, {}) | fields
    checked = made.config_class.model_validate(fields if kind in STILL else config(**fields))
    view = WidgetView(
        element="w-7",
        kind=kind,
        title="Ti<tle",
        x=0,
        y=0,
        w=3,
        h=1,
        freshness=freshness.STILL if kind in STILL else freshness.of_tracks([one.track for one in series], None, AT),
        template=f"widgets/{kind}.html",
        view=made.view(checked, series, made.window(checked, window())),
        hint="Push <something>.",
    )
    return render_to_string("widgets/widget.html", {"widget": view})


@pytest.mark.parametrize("kind", sorted(kinds()))
class TestEveryKind:
    def test_it_obeys_the_content_security_policy(self, kind: str) -> None:
        assert not re.search(r"<style|<script|\sstyle=|\son\w+=|hx-on", html(kind, SERIES))

    def test_names_are_escaped(self, kind: str) -> None:
        assert "<a>" not in html(kind, SERIES)
        assert "<tle" not in html(kind, SERIES)

    def test_it_is_small(self, kind: str) -> None:
        assert len(html(kind, SERIES).encode()) < 4096

    def test_the_same_state_is_the_same_html(self, kind: str) -> None:
        assert html(kind, SERIES) == html(kind, SERIES)


@pytest.mark.parametrize("kind", OF_SERIES)
class TestOfSeries:
    def test_it_has_one_id_and_tells_the_times_that_decide_its_freshness(self, kind: str) -> None:
        text = html(kind, SERIES)
        assert re.findall(r'\sid="([^"]*)"', text) == ["w-7"]
        assert f'data-state="fresh" data-at="{AT - 2:.3f}" data-late-at="' in text
        assert '<span class="freshness-text" data-freshness>fresh</span>' in text

    def test_without_data_it_shows_the_hint_and_no_times(self, kind: str) -> None:
        text = html(kind, [])
        assert 'data-state="nodata"' in text
        assert "data-at" not in text
        assert "Push &lt;something&gt;." in text


@pytest.mark.parametrize("kind", STILL)
def test_what_shows_no_samples_is_never_late_and_has_no_times(kind: str) -> None:
    text = html(kind, [])
    assert 'data-state="still"' in text
    assert "data-at" not in text
    assert "data-freshness" not in text
    assert "No data" not in text


def test_an_error_is_a_sentence() -> None:
    view = WidgetView(
        "w-7", "line", "T", 0, 0, 3, 1, freshness.NO_DATA, "widgets/line.html", None, error="No <metric>."
    )
    assert "can’t be drawn. No &lt;metric&gt;." in render_to_string("widgets/widget.html", {"widget": view})  # noqa: RUF001


def test_light_is_the_same_whether_it_is_chosen_or_preferred() -> None:
    css = (Path(settings.BASE_DIR) / "static/css/theme.css").read_text()
    chosen, preferred = (
        re.findall(r"[\w-]+: [^;]+;", css.split(f':root[data-theme="{theme}"] {{')[1].split("}")[0])
        for theme in ("light", "auto")
    )
    assert chosen == preferred


def test_widgets_use_no_class_of_the_pages_around_them() -> None:
    """A stylesheet is one for the whole page: a name that both use gives a widget the look of something else."""
    root = Path(settings.BASE_DIR)
    sheets = "\n".join((root / f"static/css/{name}.css").read_text() for name in ("page", "talk"))
    around = set(re.findall(r"^\s*\.([\w-]+)", sheets, re.M))
    assert "button" in around
    for template in (root / "templates/widgets").glob("*.html"):
        named = re.sub(r"{[{%].*?[%}]}", " ", template.read_text())
        used = {name for names in re.findall(r'class="([^"]*)"', named) for name in names.split()}
        assert used & around == set(), template.name
