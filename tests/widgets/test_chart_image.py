"""A line as an SVG of its own: pixels and plain colours, with its lines and the moment that matters."""

from collections.abc import Sequence
from xml.etree import ElementTree

from metrics.widgets import maintained
from metrics.widgets.annotated import Noted
from metrics.widgets.chart_image import HEIGHT, LEFT, PLOT_WIDTH, SAID_HEIGHT, SAID_MOST, WIDTH, svg
from metrics.widgets.line import LineKind, LineView
from metrics.widgets.line_config import LineConfig
from metrics.widgets.maintained import Maintained
from tests.widgets.make import AT, config, named, window

TITLE = 'Disk <full> & "more"'


def view(noted: Sequence[Noted] = (), **fields: object) -> LineView:
    series = [named("web-1", 42, {1200: 40, 1190: 42, 1180: 44}), named("web-2", 97, {60: 97})]
    found = LineConfig.model_validate(config(**fields))
    found.annotate(noted)
    shown = LineKind().view(found, series, window())
    assert isinstance(shown, LineView)
    return shown


def texts(drawing: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]


def test_it_stands_by_itself() -> None:
    drawing = svg(view(goals=[{"value": 90}]), TITLE)
    root = ElementTree.fromstring(drawing)
    assert (root.get("width"), root.get("height")) == (str(WIDTH), str(HEIGHT))
    assert texts(drawing)[0] == TITLE
    assert "90" in texts(drawing)
    assert not [word for word in ("class=", "var(", "%", "vector-effect", "rem") if word in drawing]


def test_the_moment_is_marked_where_it_was_if_it_was_in_the_window() -> None:
    shown = view()
    middle = (shown.start + shown.end) / 2
    assert f"M{LEFT + PLOT_WIDTH / 2:.1f} " in svg(shown, TITLE, middle)
    assert svg(shown, TITLE, shown.start - 1) == svg(shown, TITLE, shown.end + 1) == svg(shown, TITLE)


def test_what_no_xml_may_have_is_left_out() -> None:
    drawing = svg(view([Noted(1, AT - 60, None, "Re\x08start\x1b[0m\ufffe")], unit="a\x01"), "Disk\x1b full \U0001f525")
    assert texts(drawing)[0] == "Disk full \U0001f525"
    assert texts(drawing)[-1].endswith("Restart[0m.")


def test_a_long_title_is_cut() -> None:
    assert texts(svg(view(), "x" * 500))[0].endswith("…")


def test_what_happened_and_maintenance_are_drawn_and_said_under_it() -> None:
    shown = view([Noted(1, AT - 1800, AT - 900, "Shop <4.2> deployed " * 9), Noted(2, AT - 60, None, "Restart")])
    axis = shown.start, shown.end
    now = maintained.shown([Maintained(1, AT - 600, AT + 600, "New disks", ())], AT, axis)
    drawing = svg(shown, TITLE, None, now)
    assert ElementTree.fromstring(drawing).get("height") == str(HEIGHT + 3 * SAID_HEIGHT)
    *noted, in_maintenance = texts(drawing)[-3:]
    assert noted[0].startswith("Annotations: 11:30 to 11:45, Shop <4.2> deployed")
    assert noted[1].endswith("11:59, Restart.")
    assert max(map(len, noted)) <= SAID_MOST
    assert in_maintenance == "Maintenance: 11:50 to 12:10, New disks."
    assert drawing.count("<circle") == 2
    assert now
    assert now.band in drawing
    assert not [word for word in ("class=", "var(", "%", "vector-effect", "rem") if word in drawing]
