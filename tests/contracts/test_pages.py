"""Promises of all pages to people who listen, type or print: alerts, scrolling, labels, times."""

import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string

from metrics.forms.fields import fields_of
from metrics.forms.labels import label
from metrics.sources import registry

ROOT = Path(settings.BASE_DIR)
TEMPLATES = {str(file.relative_to(ROOT)): file.read_text() for file in sorted((ROOT / "templates").rglob("*.html"))}
SCRIPTS = {str(file.relative_to(ROOT)): file.read_text() for file in sorted((ROOT / "static/js").rglob("*.js"))}
TICKING = ("data-lost-age", "data-clock", "data-until", "data-freshness")
"""Attributes of elements that scripts write anew each second."""


def test_what_changes_each_second_is_in_no_region_that_is_read_out() -> None:
    for template, text in TEMPLATES.items():
        for live in re.finditer(r'<(\w+)[^>]*(?:role="(?:alert|status)"|aria-live)[^>]*>(.*?)</\1>', text, re.S):
            assert not [hook for hook in TICKING if hook in live[0]], template


def test_a_page_with_a_body_of_its_own_says_what_follows() -> None:
    """The scripts of `base.html` need its menu, dialogs and socket: they break where these are not."""
    say = {template for template, text in TEMPLATES.items() if "{% block follows %}" in text}
    for template, text in TEMPLATES.items():
        above = re.search(r'{% extends "([^"]+)"', text)
        if above and "{% block body %}" in text:
            assert say & {template, f"templates/{above[1]}"} - {"templates/base.html"}, template


def test_an_age_is_never_written_into_an_alert() -> None:
    """An alert in a script is an element of its own, beside what shows an age."""
    for script, text in SCRIPTS.items():
        assert not re.search(r'setAttribute\("role", "alert"\)', text), script
        for alert in re.finditer(r'role="alert">(.*?)</', text):
            assert alert[1] == "", script


@cache
def scrolling() -> set[str]:
    """The classes of what gets scroll bars of its own, by the stylesheets."""
    css = "\n".join(file.read_text() for file in (ROOT / "static/css").glob("*.css") if file.name != "print.css")
    rules = re.findall(r"([^{}]+){[^{}]*overflow(?:-[xy])?: *(?:auto|scroll)", css)
    return {re.findall(r"\.([\w-]+)", selector)[-1] for rule in rules for selector in rule.split(",")} - {"grid"}


def test_there_is_something_that_scrolls() -> None:
    assert scrolling() == {
        "scroll",
        "tall",
        "ping-body",
        "log",
        "here-names",
        "notification-panel",
        "tabular",
        "prose",
        "drawer-body",
        "variable-options",
        "palette-options",
        "suggestions",
        "facts-side",
    }


def test_what_scrolls_can_be_reached_with_the_keyboard_and_has_a_name() -> None:
    for template, text in TEMPLATES.items():
        for tag, classes in re.findall(r'(<\w+ [^>]*class="([^"]*)"[^>]*>)', text):
            if scrolling() & set(classes.split()):
                assert 'tabindex="0"' in tag, (template, tag)
                assert 'aria-label="' in tag, (template, tag)


def test_a_wall_that_turns_its_pages_is_reached_too() -> None:
    assert 'tabindex="0" aria-label="Widgets"' in (ROOT / "templates/dashboard/_live.html").read_text()
    assert "with scrolls=True" in (ROOT / "templates/dashboard/wall.html").read_text()


def test_no_time_is_written_without_its_zone() -> None:
    """Seconds since 1970, for scripts, have none."""
    found = {template: re.findall(r"\|(?:date|time)\b(?!:'U')|{% now", text) for template, text in TEMPLATES.items()}
    assert {template: those for template, those in found.items() if those} == {}


def test_what_shows_the_time_of_day_names_its_zone() -> None:
    assert [
        one for one, text in TEMPLATES.items() if "data-clock" in text and not re.search(r"data-(in-)?zone", text)
    ] == []


def test_where_a_time_is_typed_its_zone_is_named() -> None:
    asks = {template: text for template, text in TEMPLATES.items() if 'type="datetime-local"' in text}
    named = re.compile(r'Times are those of {{ (time_)?zone }}|name="time_zone"')
    assert len(asks) > 2
    assert [template for template, text in asks.items() if not named.search(text)] == []


@pytest.mark.parametrize("kind", sorted(registry.kinds()))
def test_no_two_fields_of_a_form_have_one_label(kind: str) -> None:
    """The form of a source has fields of its own beside those of its kind."""
    form = (ROOT / "templates/source/form.html").read_text() + (ROOT / "templates/source/_when.html").read_text()
    own = re.findall(r"<label[^>]*>(?:<input[^>]*>)?\s*([^<{]+)", form)
    theirs = [label(field.name) for field in fields_of(registry.kinds()[kind].config_class)]
    labels = [text.strip() for text in [*own, *theirs]]
    assert "Name of the source" in labels
    assert sorted({text for text in labels if labels.count(text) > 1}) == []


def test_a_tested_source_is_brought_into_view() -> None:
    """A focused element is scrolled to, by browsers without scripts and by htmx."""
    for context in ({"refused": ["No."]}, {"trial": {"count": 1, "took": "1 s"}}):
        assert 'tabindex="-1" autofocus' in render_to_string("source/_trial.html", context)


def test_there_is_a_stylesheet_for_paper_and_it_has_the_last_word() -> None:
    head, link, rest = (ROOT / "templates/base.html").read_text().partition('css/print.css\' %}" media="print">')
    assert link
    assert "{% block head %}" in head
    assert "stylesheet" not in rest


def test_paper_takes_no_colour_of_the_dark_theme() -> None:
    def colours(file: str, theme: str) -> set[str]:
        css = (ROOT / "static/css" / file).read_text()
        found = re.search(rf"{re.escape(theme)} {{(.*?)}}", css, re.S)
        assert found
        return set(re.findall(r"(--[\w-]+):", found[1]))

    light = colours("theme.css", ':root[data-theme="light"]')
    assert len(light) > 20
    assert colours("print.css", ":root, :root[data-theme]") == light


COPIES = re.compile(r'{% include "_copy.html" with of="([\w-]+)" what="the \w+" only %}')


def test_a_secret_that_is_shown_can_be_copied() -> None:
    secrets = {template: re.findall(r'<\w+[^>]*class="secret"[^>]*>', text) for template, text in TEMPLATES.items()}
    shown = {template: tags for template, tags in secrets.items() if tags}
    assert sorted(shown) == [
        "templates/access/tokens.html",
        "templates/access/users.html",
        "templates/alert_webhook/list.html",
        "templates/link/list.html",
    ]
    for template, tags in shown.items():
        ids = [re.findall(r' id="([\w-]+)"', tag) for tag in tags]
        assert ids == [[of] for of in COPIES.findall(TEMPLATES[template])], template


@pytest.mark.parametrize(
    ("template", "of"),
    [
        ("heartbeat/_state.html", ["command", "address"]),
        ("on_call/page.html", ["secret"]),
        ("screen/_pair.html", ["screen-url"]),
    ],
)
def test_an_address_that_goes_elsewhere_can_be_copied(template: str, of: list[str]) -> None:
    text = TEMPLATES[f"templates/{template}"]
    assert COPIES.findall(text) == of
    assert [f' id="{one}"' in text for one in of] == [True for _ in of]


def test_pages_that_copy_have_the_script_of_it() -> None:
    assert "js/copy.js" in TEMPLATES["templates/source/base.html"]
    for page in ("access/tokens", "access/users", "alert_webhook/list", "link/list", "heartbeat/page", "on_call/page"):
        assert TEMPLATES[f"templates/{page}.html"].startswith('{% extends "source/base.html" %}'), page
    assert TEMPLATES["templates/screen/list.html"].startswith('{% extends "source/base.html" %}')


def test_what_is_copied_is_read_out() -> None:
    button = render_to_string("_copy.html", {"of": "secret", "what": "the token"})
    assert '<button type="button" class="button second" data-copy="secret">Copy<span class="sr"> the token' in button
    assert '</button> <span role="status"></span>' in button
