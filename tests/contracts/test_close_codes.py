"""Pages know the codes that sockets are closed with by their numbers: these are the numbers of `consumers.codes`."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from consumers import codes

BASE = Path(settings.BASE_DIR)
OF_THE_NETWORK = {1001, 1005, 1006, 1011, 1014}
"""Codes of RFC 6455 and its registry that browsers, proxies and servers close with, and we do not."""
LATER = {codes.NORMAL, codes.RESTART, codes.TRY_LATER}
OF_A_LOG = {codes.SIGN_IN, codes.NO_ACCESS, codes.NO_SUCH_THING}
SAID = {
    "static/js/live.js": OF_A_LOG | {codes.OVER, codes.TOO_MANY, codes.TRY_LATER},
    "static/js/room/connection.js": OF_A_LOG,
    "static/js/linked.js": {codes.OVER},
    "static/js/screen.js": {codes.OVER},
}
"""By script, the codes that it knows."""
RECONNECTING = {
    "templates/base.html": LATER,
    "templates/dashboard/past.html": LATER,
    "templates/room/_room.html": LATER,
    "templates/dashboard/_live.html": LATER | {codes.TOO_MANY},
}
"""By template, the codes of ours after which its socket connects again."""
NAMES = {"SIGN_IN": codes.SIGN_IN, "MOVED_OR_GONE": codes.NO_SUCH_THING, "OVER": codes.OVER}
"""Names of codes in scripts."""
CODE = re.compile(r"(?<![\w.])(?:10[01]\d|4[34]\d\d)(?![\w.])")


def codes_in(script: str) -> set[int]:
    return {int(one) for one in CODE.findall(re.sub(r"status === \d+", "", (BASE / script).read_text()))}


def reconnecting_in(template: str) -> set[int]:
    (found,) = re.findall(r'"reconnectCodes":\[([\d,]+)\]', (BASE / template).read_text())
    return {int(one) for one in found.split(",")}


def test_no_other_script_or_template_knows_codes() -> None:
    scripts = {str(file.relative_to(BASE)) for file in (BASE / "static/js").rglob("*.js")}
    assert {one for one in scripts if codes_in(one) & (codes.ALL - {codes.NORMAL})} == set(SAID)
    templates = {str(file.relative_to(BASE)) for file in (BASE / "templates").rglob("*.html")}
    assert {one for one in templates if "reconnectCodes" in (BASE / one).read_text()} == set(RECONNECTING)


@pytest.mark.parametrize("script", SAID)
def test_a_script_knows_codes_as_they_are(script: str) -> None:
    assert codes_in(script) - {codes.NORMAL} == SAID[script]
    named = re.findall(r"const (\w+) = (4\d\d\d);", (BASE / script).read_text())
    assert {name: int(code) for name, code in named} == {name: NAMES[name] for name, _ in named}


@pytest.mark.parametrize("template", RECONNECTING)
def test_a_page_connects_again_after_codes_that_pass(template: str) -> None:
    assert reconnecting_in(template) == RECONNECTING[template] | OF_THE_NETWORK


def test_a_flooded_socket_is_closed_as_one_that_sent_what_it_may_not() -> None:
    limits = (BASE / "dashboard_project/daphne_extensions/socket_limits.py").read_text()
    assert '"code": REFUSED_MESSAGE' in limits
    assert not CODE.search(limits)
