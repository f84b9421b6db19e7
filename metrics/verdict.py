"""The verdict of a check: how the thing that a source's run checked is doing.

A run without a verdict checked nothing, it only measured; a run that failed found nothing out.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """What a check found, as monitoring plug-ins grade it: as it should be, soon not any more, not."""

    UP = "up"
    WARNING = "warning"
    DOWN = "down"
