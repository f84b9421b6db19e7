"""The stylesheet that is made: it is what would be made now, for as many of everything as there can be."""

import math
from pathlib import Path
from typing import Any

from django.conf import settings

from metrics.widgets import history
from metrics.widgets.line import LINES_MOST
from metrics.widgets.registry import kinds
from metrics.widgets.room import MOST
from metrics.widgets.status import DOWN_MOST
from tests.widgets import counts


def of_rows(fields: dict[str, Any]) -> int:
    found: int = max(fields.get(name, {}).get("maximum", 0) for name in ("rows", "top"))
    return found


def test_it_is_what_would_be_made_now() -> None:
    made = (Path(settings.BASE_DIR) / counts.FILE).read_text()
    assert made == counts.stylesheet(), "make it anew: python -m tests.widgets.counts"


def test_it_reaches_as_far_as_the_kinds_do() -> None:
    most = max(
        history.ROWS_MOST, *(of_rows(one.config_class.model_json_schema()["properties"]) for one in kinds().values())
    )
    assert counts.ROWS_MOST == most + 1
    fields = kinds()["table"].config_class.model_json_schema()["properties"]
    curve = 1
    assert counts.COLUMNS_MOST == curve + sum(
        fields[name]["maxItems"] for name in ("columns", "queries", "expressions")
    )
    assert (counts.EMS_MOST, counts.LINES_MOST) == (MOST, LINES_MOST)
    assert counts.SIDE_MOST == math.ceil(math.sqrt(DOWN_MOST + 1))
