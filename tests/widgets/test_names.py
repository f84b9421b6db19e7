"""Names in templates: the two parts that one is cut between."""

import pytest

from metrics.templatetags.names import ends


@pytest.mark.parametrize(
    ("name", "html"),
    [
        ("Database", "<span>Database</span>"),
        ("web-1", "<span>web</span>-1"),
        ("check 01", "<span>check</span> 01"),
        ("cpu0", "<span>cpu</span>0"),
        ("eu west 2", "<span>eu west</span> 2"),
        ("20261128", "<span>2026</span>1128"),
        ("7", "<span>7</span>"),
        ("-7", "<span>-</span>7"),
        ("eu-checkout-017", "<span>eu-checkou</span>t-017"),
        ("<b>&</b> and more", "<span>&lt;b&gt;&amp;&lt;/b&gt; and</span> more"),
        ("", "<span></span>"),
    ],
)
def test_a_name_that_is_long_or_numbered_keeps_its_end_and_all_is_escaped(name: str, html: str) -> None:
    assert ends(name) == html
