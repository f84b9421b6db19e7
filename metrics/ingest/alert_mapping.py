"""Alerts in any JSON that a webhook sends, as JMESPath expressions find them (https://jmespath.org/)."""

import math
import time
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from metrics.ingest import alert_webhooks
from metrics.ingest.alerts import BadAlert, NotAlerts, Sent, SentAlert, document
from metrics.names import is_label
from metrics.sources import jmespath_values
from metrics.sources.jmespath_values import EXPRESSION_MOST, NoValue
from metrics.versioned import Versioned

LABELS_MOST = 20


def _expression(text: str) -> str:
    if text:
        jmespath_values.compile(text)
    return text


def _labels(given: dict[str, str]) -> dict[str, str]:
    wrong = next((name for name in given if not is_label(name)), None)
    if wrong is not None:
        raise ValueError(f"{wrong[:50]!r} can't be the name of a label")
    return given


Expression = Annotated[str, Field(max_length=EXPRESSION_MOST), AfterValidator(_expression)]


class AlertMapping(Versioned):
    """Expressions that find alerts. All but `alerts` are followed in each of those that it finds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alerts: Expression = Field(default="", description="The list of alerts; else the body is one, or a list of them.")
    name: Expression = Field(min_length=1, description="Its name, such as check.title; 'Backup' in quotes is fixed.")
    state: Expression = Field(default="", description="Its state, such as firing, down, ok, true; else it is bad.")
    severity: Expression = Field(default="", description="How bad it is.")
    text: Expression = Field(default="", description="The text to say.")
    link: Expression = Field(default="", description="Address of what was looked at.")
    value: Expression = Field(default="", description="A number.")
    since: Expression = Field(default="", description="When it began.")
    labels: Annotated[dict[str, Expression], AfterValidator(_labels)] = Field(
        default_factory=dict, max_length=LABELS_MOST, description="Labels by name; each tells it from others."
    )


FIELDS = ("name", "state", "severity", "text", "link", "value", "since")


def parse(
    mapping: AlertMapping, body: bytes, now: float, most: int | None = None, time_most_s: float = math.inf
) -> Sent:
    """Return the alerts that `mapping` finds in `body`: the first `most`, in so much time. Raises NotAlerts."""
    given, until = document(body), time.monotonic() + time_most_s
    try:
        found = jmespath_values.follow(mapping.alerts, given, until) if mapping.alerts else given
    except NoValue as problem:
        raise NotAlerts(f"the expression for alerts {problem}") from None
    every = found if isinstance(found, list) else [] if found is None else [found]
    sent = Sent(more=len(every[most:]) if most is not None else 0)
    for one in every[:most]:
        sent.add(_made, mapping, one, now, until)
    return sent


def _made(mapping: AlertMapping, one: Any, now: float, until: float) -> SentAlert:
    plain = {field: _found(getattr(mapping, field), one, field, until) for field in FIELDS}
    labels = {name: _found(expression, one, name, until) for name, expression in mapping.labels.items()}
    return alert_webhooks.plain({**plain, "labels": labels}, now)


def _found(expression: str, one: Any, field: str, until: float) -> Any:
    try:
        return jmespath_values.follow(expression, one, until) if expression else None
    except NoValue as problem:
        raise BadAlert(f"the expression for {field} {problem}") from None
