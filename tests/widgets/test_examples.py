"""Examples: every kind can be shown before anybody has a series."""

import pytest
from django.template.loader import render_to_string

from metrics.widgets.examples import example
from metrics.widgets.registry import kinds
from tests.widgets.make import AT


@pytest.mark.parametrize("kind", sorted(kinds()))
@pytest.mark.parametrize("at", [AT, AT + 12_345.6])
def test_every_kind_has_one_that_shows_something(kind: str, at: float) -> None:
    view = example(kinds()[kind], at)
    assert view.freshness.state in ("fresh", "still")
    html = render_to_string("widgets/widget.html", {"widget": view})
    assert f'id="example-{kind}"' in html
    assert "No data" not in html
    assert "No samples" not in html
