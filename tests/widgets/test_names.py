"""Names in templates: the two parts that a long one is cut between."""

import pytest

from metrics.templatetags.names import ends


@pytest.mark.parametrize(
    ("name", "html"),
    [
        ("web-1", "<span>web-1</span>"),
        ("eu-checkout-017", "<span>eu-checkou</span>t-017"),
        ("<b>&</b> and more", "<span>&lt;b&gt;&amp;&lt;/b&gt; and</span> more"),
        ("", "<span></span>"),
    ],
)
def test_a_long_name_keeps_its_end_and_all_is_escaped(name: str, html: str) -> None:
    assert ends(name) == html
