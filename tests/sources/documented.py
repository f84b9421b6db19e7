"""Which metrics docs/sources.md tells of."""

import re
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from metrics.sample import Sample

PAGE = Path(settings.BASE_DIR) / "docs" / "sources.md"


def undocumented(samples: Iterable[Sample]) -> set[str]:
    """Return the metrics of `samples` that the page does not name."""
    named = set(re.findall(r"`([a-z_0-9]+)`", PAGE.read_text()))
    return {sample.metric for sample in samples} - named


def of_kind(kind: str) -> set[str]:
    """Return the metrics that the page names in the tables about `kind`."""
    section = PAGE.read_text().partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z_0-9`, ]+`) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([a-z_0-9]+)`", row)}
