"""The notice on top of every page: a part of the system stands still, or nearly all samples are late."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.template.loader import render_to_string
from django.utils.timezone import get_current_timezone

from metrics.health import standstill
from metrics.health.standstill import Part, PartStatus, State
from metrics.health.store import Arriving, Noted, SetBack
from metrics.schedule import CLOCKS_DIFFER_S
from metrics.series.read import COLLECTED, PUSHED

NOTHING_NEW = "Nothing new can be shown, and no source runs."
_STOPPED = {COLLECTED: "collecting", PUSHED: "pushes"}
_LIKELY = {
    (COLLECTED,): "Nearly all that is collected is late at once, though all processes run: the likely fault is this"
    " server's network, not what is measured.",
    (PUSHED,): "Nearly all that is pushed is late at once: the likely fault is the network, the senders, or the address"
    " of this server, not what they measure.",
    (COLLECTED, PUSHED): "Nearly everything is late at once, though all processes run: the likely fault is this server"
    " or its network, not what is measured.",
}
_CAUSES = {
    (Part.RENDER, State.SILENT): (
        "Rendering stopped",
        "Nothing on this page changes, and no source runs: look at the process render.",
    ),
    (Part.RENDER, State.BUSY): (
        "Rendering stopped",
        "The process render has no thread to spare, so nothing on this page changes, and no source runs: look at its"
        " log and at the database.",
    ),
    (Part.BEAT, State.SILENT): (
        "Beat stopped",
        "No source runs, and this page shows only what is pushed: look at the log of the process render, or of beat"
        " where it runs by itself.",
    ),
    (Part.DATABASE, State.SILENT): (
        "The database stopped answering",
        "Nothing is stored, and nothing on this page changes: look at the database, its disk and the way to it.",
    ),
    (Part.COLLECT, State.SILENT): (
        "Collecting stopped",
        "No source runs; what is pushed is shown: look at the process collect.",
    ),
    (Part.COLLECT, State.BUSY): (
        "Collecting stopped",
        "The process collect has no thread to spare; what is pushed is shown: look for sources that take long, or run"
        " one more.",
    ),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """View-model of `templates/notice/notice.html`: `what` stopped and when, and what the fault is `likely` to be.

    Both are sentences, and empty when there is nothing to say.
    """

    what: str = ""
    likely: str = ""


def of(noted: Noted, at: float) -> Notice:
    """Return the notice about what was `noted`, and read just now, at `at` (Unix seconds)."""
    statuses = standstill.look_at(noted.signs, at)
    part = standstill.first(statuses)
    if part is not None:
        return cause(part, statuses[part], at)
    back = noted.set_back
    if back is not None and back.at - CLOCKS_DIFFER_S <= at < back.until:
        return repeated(back, at)
    return words([one for one in noted.arriving if one.stopped_at is not None], at)


def repeated(back: SetBack, at: float) -> Notice:
    """Return what is said while time comes a second time, because the wall clock was set back."""
    seconds = round(back.until - back.at)
    by = f"{seconds} s" if seconds < 100 else f"{round(seconds / 60)} min"
    return Notice(
        f"The server's clock was set back by {by} {_when(back.at, at)}.",
        f"Until it is past {_when(back.until, at).removeprefix('at ')}, this time comes a second time: what was stored"
        " for it before is kept apart, and not shown.",
    )


def cause(part: Part, status: PartStatus, at: float) -> Notice:
    """Return what is said of a part of the system that stands still."""
    what, likely = _CAUSES[part, status.state]
    when = f" {_when(at - status.for_s, at)}" if math.isfinite(status.for_s) else ""
    return Notice(f"{what}{when}.", likely)


def fragment(said: Notice) -> str:
    """Return `said` as HTML: one element, which is there on every page, and empty without a notice."""
    return render_to_string("notice/notice.html", {"notice": said}).strip()


def words(stopped: Sequence[Arriving], at: float) -> Notice:
    """Return what is said of what `stopped`."""
    if not stopped:
        return Notice()
    whens = [_when(one.stopped_at or at, at) for one in stopped]
    names = [_STOPPED[one.way] for one in stopped]
    if len(set(whens)) == 1:
        names, whens = [" and ".join(names)], whens[:1]
    first, *more = zip(names, whens, strict=True)
    what = ", ".join([f"{first[0]} stopped {first[1]}", *(f"{name} {when}" for name, when in more)])
    return Notice(f"{what[0].upper()}{what[1:]}.", _LIKELY[tuple(one.way for one in stopped)])


def _when(seconds: float, at: float) -> str:
    """Return the time of day, and the day unless it is that of `at`, in the server's time zone, which is named."""
    zone = get_current_timezone()
    then, now = _moment(seconds, zone), _moment(at, zone)
    day = "" if then.date() == now.date() else f"on {then.day} {then:%B} "
    return f"{day}at {then:%H:%M %Z}"


def _moment(seconds: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(seconds, zone)
