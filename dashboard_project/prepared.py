"""Waiting until a start is prepared; until then, a process imports what it will need, and sets itself up.

`make run` starts its processes while the database and the static files are brought up to date. Each inherits the
reading end of a pipe, whose end says that all is prepared. A process that somebody else starts has no pipe, and does
not wait.
"""

import os

FD = "WATCHFLOOR_PREPARED_FD"


class Prepared:
    """The pipe, as the supervisor has it: those that inherit `reader` wait until `say`, or until it is gone."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()

    def say(self) -> None:
        """Have those that wait go on, and those that come later not wait."""
        os.close(self._writer)


def wait() -> None:
    """Return once the start is prepared."""
    number = os.environ.pop(FD, "")
    if number:
        with open(int(number), "rb") as pipe:
            pipe.read()
