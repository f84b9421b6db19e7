"""Sources that dashboards draw: which ones not every viewer may see, and which ones an editor may not add.

A dashboard draws what its teams may see. So an editor of one of several teams could read the data of all of them by
adding a widget, if that was not looked at here.
"""

import json
from collections.abc import Collection, Iterable

from django.db.models import Exists, OuterRef, Q
from pydantic import ValidationError

from metrics.access.policy import hidden_from, hidden_from_teams
from metrics.access.principal import Principal
from metrics.actions.errors import Errors
from metrics.models import Dashboard, Series, Source, Team
from metrics.series import read
from metrics.widgets import filled, live_queries
from metrics.widgets.base import Config
from metrics.widgets.registry import kinds
from metrics.widgets.spec import DashboardSpec, WidgetSpec
from metrics.widgets.variables import VariableSpec

NOT_THEIRS = "this dashboard draws sources that you may not see, so what you add has to be of series that you see"


def check_added(by: Principal, owners: Iterable[Team], before: DashboardSpec, after: DashboardSpec) -> None:
    """Raise Invalid if `after`, of a dashboard of `owners`, draws more than `before` of sources that `by` may not see.

    Widgets that others put there stay, and may be moved, named and copied. Where there are such sources, `by` adds no
    query without series that they see: it could wait for some of another team, and a refusal tells nobody which there
    are.
    """
    drawn = hidden_from_teams(owners)
    seen = drawn | hidden_from(by)
    if seen == drawn:
        return
    errors = Errors()
    known = [_drawing(one, before) for one in before.widgets]
    for index, widget in enumerate(after.widgets):
        if _drawing(widget, after) not in known and not _draws_the_same(_config(widget), drawn, seen):
            errors.found.append(_refused(f"widgets.{index}.config"))
    for index, variable in enumerate(after.variables):
        if variable not in before.variables and not _offers_the_same(variable, drawn, seen):
            errors.found.append(_refused(f"variables.{index}"))
    errors.check()


def shared_wider(dashboard: Dashboard) -> list[Source]:
    """Return the sources that `dashboard` draws for people who may not see them, by name, deleted ones included."""
    owners = set(dashboard.teams.all())
    if not owners:
        return []
    restricted = Source.with_deleted.filter(for_everyone=False).exclude(pk__in=hidden_from_teams(owners))
    is_drawn = _is_drawn([config for one in dashboard.widgets.all() if (config := _config(one))])
    return [
        source
        for source in restricted.filter(is_drawn).prefetch_related("teams")
        if dashboard.for_everyone or owners - set(source.teams.all())
    ]


def _is_drawn(configs: Collection[Config]) -> Q:
    """Return the condition that widgets with `configs` draw a source, whatever the labels of their queries are."""
    queries = [query for config in configs for query in config.queries]
    series = Series.objects.filter(source=OuterRef("pk"))
    if not any(_is_of_all(config) for config in configs):
        series = series.filter(metric__in={query.metric for query in queries if not query.is_live})
    asked = {query.source for query in queries if query.is_live}
    return Q(Exists(series)) | Q(kind=live_queries.KIND, name__in=asked, deleted_at=None)


def _drawing(widget: WidgetSpec, spec: DashboardSpec) -> object:
    """Return all of `widget`, which is of `spec`, that says which series it draws, and how they become one."""
    config = _config(widget)
    if config is None:
        return None
    text = json.dumps([one.labels or one.promql for one in config.queries])
    used = [one for one in spec.variables if filled.names(text, one.name)]
    return widget.kind, config.queries, config.expressions, used


def _config(widget: object) -> Config | None:
    """Return the config of a widget, a row or in a document; None if it draws no series, or can't be drawn."""
    try:
        config = kinds()[widget.kind].config_class.model_validate(widget.config)  # type: ignore[attr-defined]
    except (KeyError, ValidationError):
        return None
    return config if isinstance(config, Config) else None


def _is_of_all(config: Config) -> bool:
    return config.all_without_queries and not config.queries


def _draws_the_same(config: Config | None, drawn: Collection[int], seen: Collection[int]) -> bool:
    """Return whether a widget with `config` draws something, and the same without the sources `drawn` as `seen` (ids).

    Labels that name variables count as any.
    """
    if config is None:
        return True
    if _is_of_all(config):
        return False
    stored = [
        read.Query(one.metric, {name: value for name, value in one.labels.items() if "$" not in str(value)})
        for one in config.queries
        if not one.is_live
    ]
    found = [[[one.pk for one in of_query] for of_query in read.find(stored, hidden)] for hidden in (drawn, seen)]
    asked = {one.source for one in config.queries if one.is_live}
    return found[0] == found[1] and all(found[1]) and asked == live_queries.servers(asked, seen).keys()


def _offers_the_same(variable: VariableSpec, drawn: Collection[int], seen: Collection[int]) -> bool:
    """Return whether what may be chosen of `variable` is the same without the sources `drawn` as without `seen` (ids).

    There has to be something to choose.
    """
    if variable.source:
        return bool(live_queries.servers([variable.source], seen))
    if not variable.label:
        return True
    values = [read.values_of(variable.label, variable.metric, hidden) for hidden in (drawn, seen)]
    return values[0] == values[1] and bool(values[1])


def _refused(field: str) -> tuple[str, str]:
    return field, f"{field}: {NOT_THEIRS}."
