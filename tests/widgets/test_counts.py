"""The stylesheet that is made: it is what would be made now, for as many of everything as there can be."""

import math
from pathlib import Path

from django.conf import settings

from metrics.widgets.bars import BarsConfig
from metrics.widgets.line import LINES_MOST
from metrics.widgets.room import MOST
from metrics.widgets.status import DOWN_MOST
from tests.widgets import counts


def test_it_is_what_would_be_made_now() -> None:
    made = (Path(settings.BASE_DIR) / counts.FILE).read_text()
    assert made == counts.stylesheet(), "make it anew: python -m tests.widgets.counts"


def test_it_reaches_as_far_as_the_kinds_do() -> None:
    most = BarsConfig.model_json_schema()["properties"]["top"]["maximum"]
    assert counts.ROWS_MOST == most + 1
    assert (counts.EMS_MOST, counts.LINES_MOST) == (MOST, LINES_MOST)
    assert counts.SIDE_MOST == math.ceil(math.sqrt(DOWN_MOST + 1))
