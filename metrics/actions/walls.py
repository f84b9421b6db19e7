"""Walls that went dark: the time since a wall last showed a dashboard that one showed within a day, as samples.

The newest sample says for how long that is already, so nothing else is stored. Time in which nobody could look, such as
while Redis did not answer or Watchfloor was off, does not count: there is no sample for two minutes or longer then.

Dashboards that are for some teams alone are left out: a series is for everyone, and their addresses are not.
"""

from collections.abc import Iterable, Iterator

import structlog
from django.db.models import Exists, OuterRef

from metrics.actions import samples
from metrics.live import watchers
from metrics.live.topic import Topic
from metrics.models import Dashboard, Series
from metrics.models import Sample as Stored
from metrics.sample import BadSamples, Sample
from metrics.series import read

log = structlog.get_logger(__name__)

METRIC, LABEL = "wall_dark_seconds", "dashboard"
REPORT_EVERY_S = 60
FOLLOWED_S = 86_400.0
UNKNOWN_S = 2.0 * REPORT_EVERY_S
"""Between two samples that are so far apart nobody looked."""


def report(now: float) -> None:
    """Store for how long each dashboard has been on no wall (Unix seconds); raises RedisError if nobody knows."""
    shown = {topic.id for one in watchers.viewers(now) if one.wall and (topic := Topic.parse(one.topic)).is_variant}
    open_to_all = Dashboard.objects.filter(for_everyone=True).order_by()
    here = set(open_to_all.filter(pk__in=shown).values_list("slug", flat=True))
    before = dict(_before(now))
    there = set(open_to_all.filter(slug__in=before.keys() - here).values_list("slug", flat=True))
    _store([*((slug, 0.0) for slug in sorted(here)), *((slug, before[slug]) for slug in sorted(there))], now)


def _before(now: float) -> Iterator[tuple[str, float]]:
    """Yield the dashboards (slugs) that a wall showed within a day, each with the seconds that they are dark by now."""
    since_ms, until_ms = round((now - FOLLOWED_S) * 1000) + 1, round(now * 1000) - 1
    lately = Stored.objects.filter(series=OuterRef("pk"), at_ms__range=(since_ms, until_ms))
    followed = Series.objects.filter(Exists(lately), metric=METRIC, source=None)
    known = {one.pk: one.labels.get(LABEL, "") for one in followed}
    for pk, ((at_ms, dark_s), *_) in read.newest(dict.fromkeys(known, until_ms), 1).items():
        passed_s = now - at_ms / 1000
        if dark_s < FOLLOWED_S:
            yield known[pk], dark_s + (passed_s if passed_s < UNKNOWN_S else 0.0)


def _store(found: Iterable[tuple[str, float]], now: float) -> None:
    made = [
        Sample(
            METRIC,
            dark_s,
            {LABEL: slug},
            now,
            "seconds",
            expected_every_s=REPORT_EVERY_S,
            expires_after_s=10 * REPORT_EVERY_S,  # one that is followed no more is dark no more
        )
        for slug, dark_s in found
    ]
    if not made:
        return
    try:
        (accepted,) = samples.accept([samples.checked(made, None, now, whole=False)], now)
        if accepted.refused:
            log.warning("dark walls were not stored", error=accepted.refused.sentence(len(made)))
    except BadSamples as problem:
        log.warning("dark walls were not stored", error=str(problem))
