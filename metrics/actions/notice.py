"""The notice: what a page says above all else, once, when nearly everything is late at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.template.loader import render_to_string
from django.utils.timezone import get_current_timezone

from metrics.live import health
from metrics.live.health import Arriving
from metrics.series.arrivals import COLLECTED, PUSHED

_STOPPED = {COLLECTED: "collecting", PUSHED: "pushes"}
_LIKELY = {
    (COLLECTED,): "Nearly all that is collected is late at once: the likely fault is the collecting worker or beat, not"
    " what they measure.",
    (PUSHED,): "Nearly all that is pushed is late at once: the likely fault is the network, the senders, or the address"
    " of this server, not what they measure.",
    (COLLECTED, PUSHED): "Nearly everything is late at once: the likely fault is this server, its workers, its database"
    " or its network, not what is measured.",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What `templates/notice/notice.html` says: `what` stopped and when, and what the fault is `likely` to be.

    Both are sentences, and empty when there is nothing to say.
    """

    what: str = ""
    likely: str = ""


def notice(at: float) -> Notice:
    """Return the notice, with times as they are told at `at` (Unix seconds). Raises redis.RedisError."""
    return words([one for one in health.arriving() if one.stopped_at is not None], at)


def fragment(at: float) -> str:
    """Return the notice as HTML: one element, which is there on every page, and empty without one."""
    return render_to_string("notice/notice.html", {"notice": notice(at)}).strip()


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
    """Return the time of day, and the day unless it is that of `at`, in the server's time zone."""
    zone = get_current_timezone()
    then, now = _moment(seconds, zone), _moment(at, zone)
    day = "" if then.date() == now.date() else f"on {then.day} {then:%B} "
    return f"{day}at {then:%H:%M}"


def _moment(seconds: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(seconds, zone)
