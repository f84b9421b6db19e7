"""The verdict of a check: how the thing that a source's run checked is doing.

A run without a verdict checked nothing, it only measured; a run that failed found nothing out.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """Result of a check, as monitoring plug-ins grade it: good, soon not good any more, bad."""

    UP = "up"
    WARNING = "warning"
    DOWN = "down"
