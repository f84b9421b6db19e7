"""A line as an SVG of its own: pixels and plain colours, with its lines and the moment that matters."""

from xml.etree import ElementTree

from metrics.widgets.chart_image import HEIGHT, LEFT, PLOT_WIDTH, WIDTH, svg
from metrics.widgets.line import LineConfig, LineKind, LineView
from tests.widgets.make import config, named, window

TITLE = 'Disk <full> & "more"'


def view(**fields: object) -> LineView:
    series = [named("web-1", 42, {1200: 40, 1190: 42, 1180: 44}), named("web-2", 97, {60: 97})]
    shown = LineKind().view(LineConfig.model_validate(config(**fields)), series, window())
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


def test_a_long_title_is_cut() -> None:
    assert texts(svg(view(), "x" * 500))[0].endswith("…")
