"""Logs: the numbers of what is appended to topics whose entries are all delivered."""

import re
from functools import lru_cache

from django.db import models

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Characters that are not seen, or that turn round what stands behind them."""


@lru_cache(4096)
def sender(by: str) -> str:
    """Return the name of a principal as people read it: user ada is ada."""
    return _CONTROLS.sub("", by.removeprefix("user "))


class LogHead(models.Model):
    """The number of the newest entry of a log topic, and how many things were said in it.

    A sequence of the database counts in the order of asking; this row is locked until the commit, so that numbers are
    in the order of commits, and without a gap. An entry is a new thing or a change of one; `said` counts the new ones.
    """

    topic = models.CharField(max_length=60, primary_key=True)
    newest = models.PositiveBigIntegerField(default=0)
    said = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.topic}: {self.newest}"
