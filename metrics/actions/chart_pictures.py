"""Pictures of charts for messages: drawn as a message is sent, and left out if that does not work."""

from dataclasses import replace
from functools import lru_cache

import structlog

from metrics.actions import rule_index
from metrics.actions.alert_charts import chart_of
from metrics.models import Rule
from metrics.notify.message import Message
from metrics.notify.sending import picture
from metrics.widgets.chart_image import svg
from metrics.widgets.line import LineView

log = structlog.get_logger(__name__)

RANGES = ((1200, "1h"), (4800, "6h"), (16 * 3600, "24h"), (4 * 86_400, "7d"))
"""For how long it lasts at most (seconds), and the range of its chart."""
KEPT = 8


def with_picture(message: Message) -> Message:
    """Return `message` with the picture of its chart; as it is if it has one, or none can be drawn."""
    if message.picture or message.chart is None:
        return message
    try:
        drawing = _drawing(message)
    except Exception:  # whatever is wrong with its chart, the message goes
        log.exception("a message goes without its picture")
        return message
    return replace(message, picture=_picture(drawing)) if drawing else message


def _drawing(message: Message) -> str:
    """Return the chart of `message` as SVG; empty if there is nothing to draw."""
    wanted = message.chart
    rule = Rule.objects.filter(pk=wanted.rule).first() if wanted else None
    spec = rule_index.readable(rule) if rule else None
    if wanted is None or rule is None or spec is None or not spec.kind.is_evaluated:
        return ""
    age_s = wanted.at - (wanted.at if wanted.fired is None else wanted.fired)
    range = next((range for most_s, range in RANGES if age_s < most_s), "30d")
    shown = chart_of(rule, spec, wanted.series, range, wanted.at)
    if not isinstance(shown.view, LineView) or shown.view.empty:
        return ""
    return svg(shown.view, f"{message.subject}", wanted.fired, shown.maintenance)


@lru_cache(maxsize=KEPT)  # several channels are told the same
def _picture(drawing: str) -> bytes | None:
    try:
        return picture.png(drawing)
    except picture.NoPicture as problem:
        log.warning("a message goes without its picture", error=str(problem))
        return None
