"""The parts of Daphne that are replaced, each by a module of this package, and which of them fit.

A module may have `extend(server)`, called once the server has its factories, and `Socket`, a base class for sockets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from types import ModuleType

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

TRIED_WITH = {"autobahn": "26.10.2", "daphne": "4.2.3", "twisted": "26.10.0"}
"""The releases whose private parts are known to fit; `requirements.txt` pins the same."""


@dataclass(frozen=True)
class Part:
    """A module's name, what is so without it, and the part that it builds on, if any."""

    name: str
    without: str
    needs: str = ""

    def module(self) -> ModuleType:
        """Return the module. Raises whatever is raised when libraries lack what it imports."""
        return import_module(f"{__package__}.{self.name}")


PARTS = (
    Part("http_limits", "requests of any size may take any time to arrive, and no proxy's word counts"),
    Part("close_codes", "sockets close with 1000 where others would with 1008, 1012 or 1013"),
    Part("socket_limits", "clients may send pings and messages without a limit"),
    Part("prepared_frames", "every frame is made for every socket"),
    Part("compression", "frames are not compressed", needs="prepared_frames"),
    Part("socket_memory", "an open socket takes twice the memory"),
)
"""Later ones come first among the base classes of a socket."""

Failure = Callable[[Sequence[Part]], str]
"""Returns why those parts do not work together; nothing if they do."""


def usable(failure: Failure) -> tuple[Part, ...]:
    """Return the parts to use: those that are wanted and fit. One line of the log says which of the wanted do not."""
    if not settings.EXTEND_DAPHNE:
        _warn(PARTS, "EXTEND_DAPHNE is false")
        return ()
    wanted = tuple(part for part in PARTS if part.name != "compression" or settings.COMPRESS_FRAMES)
    if not failure(wanted):
        return wanted
    fit: tuple[Part, ...] = ()
    reasons = []
    if stock := failure(()):
        _warn(wanted, f"the self-test itself: {stock}")
        return ()
    for part in wanted:
        if part.needs and part.needs not in (one.name for one in fit):
            continue
        if reason := failure((*fit, part)):
            reasons.append(f"{part.name}: {reason}")
        else:
            fit = (*fit, part)
    left_out = tuple(part for part in wanted if part not in fit)
    if left_out:
        _warn(left_out, "; ".join(reasons))
    return fit


def _warn(left_out: Sequence[Part], because: str) -> None:
    installed = {name: version(name) for name in TRIED_WITH}
    log.warning(
        "Daphne is used as it comes, in part",
        parts=", ".join(part.name for part in left_out),
        so="; ".join(part.without for part in left_out),
        because=because,
        **({} if installed == TRIED_WITH else {"installed": installed, "tried_with": TRIED_WITH}),
    )
