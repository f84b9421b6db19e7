"""Facts that widgets show besides series: a kind names the one that it needs, and whoever renders hands it in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from metrics.models import Widget
from metrics.widgets.annotated import Annotates, Noted, tags_of
from metrics.widgets.bad_alert import BadAlert
from metrics.widgets.base import OfFact
from metrics.widgets.maintained import Maintained
from metrics.widgets.on_call import Duty
from metrics.widgets.registry import kinds
from metrics.widgets.untold import Quiet

Fact = Literal["alerts", "on_call", "untold"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of a moment that a dashboard may show: `alerts` that are bad, who is `on_call`, all that keeps quiet.

    That is `untold`. None stands for what nobody knows. `maintenance` are windows that touch what charts draw, and
    `annotations` those that they mark. At `changes_at` (Unix seconds) time alone changes one of them; None if nothing
    ends or begins soon.
    """

    alerts: Sequence[BadAlert] | None = None
    on_call: Sequence[Duty] | None = None
    untold: Sequence[Quiet] | None = None
    maintenance: Sequence[Maintained] = ()
    annotations: Sequence[Noted] = ()
    changes_at: float | None = None

    def give(self, config: object) -> None:
        """Give `config` the fact that it needs, if it needs one, and the annotations that it shows."""
        if isinstance(config, OfFact):
            config.give(getattr(self, config.needs))
        elif isinstance(config, Annotates):
            config.annotate(self.annotations)


UNKNOWN = Facts()


@cache
def kinds_by_fact() -> dict[str, str]:
    """Return the fact that each kind needs, by the name of the kind; those that need none are left out."""
    classes = {name: one.config_class for name, one in kinds().items()}
    return {name: one.needs for name, one in classes.items() if issubclass(one, OfFact)}


def needed(widgets: Iterable[Widget]) -> frozenset[str]:
    """Return the facts that `widgets` need."""
    by_kind = kinds_by_fact()
    return frozenset(by_kind[one.kind] for one in widgets if one.kind in by_kind)


@cache
def annotating() -> dict[str, tuple[str, ...]]:
    """Return the tags that widgets show which say nothing of annotations, by each kind that shows some."""
    fields = {name: one.config_class.model_fields.get("annotations") for name, one in kinds().items()}
    return {name: tuple(one.get_default(call_default_factory=True)) for name, one in fields.items() if one is not None}


def annotations_of(kind: str, config: object) -> frozenset[str]:
    """Return the tags of the annotations that a widget of `kind` shows, given its config as it is stored."""
    usual = annotating().get(kind)
    return frozenset() if usual is None else tags_of(config, usual)
