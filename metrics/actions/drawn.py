"""The sources that dashboards draw and rules look at: those that not all may see, and those that nobody may add.

A dashboard, or a rule, shows what its teams may see. So an editor of one of several teams could read the data of all of
them by adding a widget, or another query, if that was not looked at here.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q
from pydantic import ValidationError

from metrics.access.policy import hidden_from, hidden_from_teams
from metrics.access.principal import Principal
from metrics.actions import drawn_facts, looked, rule_series
from metrics.actions.errors import Errors, Invalid
from metrics.alerts.rule import RuleSpec
from metrics.models import Dashboard, Series, Source, Team, Widget
from metrics.series import read
from metrics.widgets import filled, live_queries
from metrics.widgets.base import Config, OfFact, Still
from metrics.widgets.registry import kinds
from metrics.widgets.spec import DashboardSpec, WidgetSpec
from metrics.widgets.variables import VariableSpec

NOT_THEIRS = "this dashboard draws sources that you may not see, so what you add has to be of series that you see"
NOT_SHOWN_TO_THEM = (
    "this dashboard shows things of other teams that you may not see, so what you add has to be of a team of yours, or "
    "added by somebody who sees them"
)
NOT_LOOKED_AT = (
    "this rule looks at sources that you may not see, so it can be changed to look only at series that you see"
)


class Hidden(NamedTuple):
    """The ids of the sources that a thing of some teams does not show, and of those that its changer does not see.

    The latter, `seen_without`, are all that it `shows_without`, and more.
    """

    shows_without: frozenset[int]
    seen_without: frozenset[int]


def check_added(by: Principal, owners: Sequence[Team], before: DashboardSpec, after: DashboardSpec) -> None:
    """Raise Invalid if `after`, of a dashboard of `owners`, shows more than `before` of what `by` may not see.

    That is of series, alerts, schedules and of what nobody is told; annotations and incidents on charts are not asked
    about. Widgets of others stay, and may be moved, named and copied. Where there are such sources, `by` adds no query
    without series that they see: it could wait for some of another team, and a refusal tells nobody which there are.
    """
    if by.sees_all:
        return
    hidden, errors = _hidden(by, owners), Errors()
    known = [_drawing(one, before) for one in before.widgets]
    for index, widget in enumerate(after.widgets):
        if _drawing(widget, after) in known:
            continue
        config = _config(widget)
        if isinstance(config, OfFact) and not drawn_facts.shows_no_more(config, owners, by):
            errors.found.append(_refused(f"widgets.{index}.config", NOT_SHOWN_TO_THEM))
        if isinstance(config, Config) and hidden is not None and not _draws_the_same(config, hidden):
            errors.found.append(_refused(f"widgets.{index}.config"))
    for index, variable in enumerate(after.variables):
        if variable not in before.variables and hidden is not None and not _offers_the_same(variable, hidden):
            errors.found.append(_refused(f"variables.{index}"))
    errors.check()


def check_looked_at(by: Principal, owners: Iterable[Team], spec: RuleSpec) -> None:
    """Raise Invalid if `spec`, a rule of `owners` that is to look at something else, looks at what `by` may not see.

    As on a dashboard, where there are such sources, each of its queries needs series that `by` sees.
    """
    hidden = _hidden(by, owners)
    if hidden is None:
        return
    if spec.kind.of_sources:
        found = [[one.pk for one in looked.sources_of(spec.query.query(), without)] for without in hidden]
        is_the_same = found[0] == found[1] != []
    else:
        is_the_same = _finds_the_same([one.query() for one in rule_series.queries_of(spec)], hidden)
    if not is_the_same:
        raise Invalid("query", f"query: {NOT_LOOKED_AT}.")


def shared_wider(dashboard: Dashboard) -> list[Source]:
    """Return the sources that `dashboard` draws for people who may not see them, by name, deleted ones included."""
    owners = set(dashboard.teams.all())
    if not owners:
        return []
    restricted = Source.with_deleted.filter(for_everyone=False).exclude(pk__in=hidden_from_teams(owners))
    is_drawn = _is_drawn([one for one in map(_config, dashboard.widgets.all()) if isinstance(one, Config)])
    return [
        source
        for source in restricted.filter(is_drawn).prefetch_related("teams")
        if dashboard.for_everyone or owners - set(source.teams.all())
    ]


def shown_wider(dashboard: Dashboard, now: float) -> list[str]:
    """Return the nouns of what `dashboard` shows besides series to people who may not see all of it, in order."""
    return drawn_facts.shared_wider(dashboard, map(_config, dashboard.widgets.all()), now)


def _is_drawn(configs: Collection[Config]) -> Q:
    """Return the condition that widgets with `configs` draw a source, whatever the labels of their queries are."""
    queries = [query for config in configs for query in config.queries]
    series = Series.objects.filter(source=OuterRef("pk"))
    if not any(_is_of_all(config) for config in configs):
        series = series.filter(metric__in={query.metric for query in queries if not query.is_live})
    asked = {query.source for query in queries if query.is_live}
    return Q(Exists(series)) | Q(kind=live_queries.KIND, name__in=asked, deleted_at=None)


def _drawing(widget: WidgetSpec, spec: DashboardSpec) -> object:
    """Return all of `widget`, which is of `spec`, that says what it shows of series or else, and how."""
    config = _config(widget)
    if not isinstance(config, Config):
        return widget.kind, config
    text = json.dumps([one.labels or one.promql for one in config.queries])
    used = [one for one in spec.variables if filled.names(text, one.name)]
    return widget.kind, config.queries, config.expressions, used


def _config(widget: Widget | WidgetSpec) -> Config | Still | None:
    """Return the config of a widget, a row or in a document; None if it can't be drawn."""
    try:
        config: Config | Still = kinds()[widget.kind].config_class.model_validate(widget.config)
    except (KeyError, ValidationError):
        return None
    return config


def _is_of_all(config: Config) -> bool:
    return config.all_without_queries and not config.queries


def _hidden(by: Principal, owners: Iterable[Team]) -> Hidden | None:
    """Return what a thing of `owners` does not show, and `by` not see; None if `by` sees all that it shows."""
    shown = hidden_from_teams(owners)
    hidden = Hidden(shown, shown | hidden_from(by))
    return None if hidden.shows_without == hidden.seen_without else hidden


def _draws_the_same(config: Config, hidden: Hidden) -> bool:
    """Return whether a widget with `config` draws something, and nothing that is `hidden` from who adds it.

    Labels that name variables count as any.
    """
    if _is_of_all(config):
        return False
    stored = [
        read.Query(one.metric, {name: value for name, value in one.labels.items() if "$" not in str(value)})
        for one in config.queries
        if not one.is_live
    ]
    asked = {one.source for one in config.queries if one.is_live}
    return _finds_the_same(stored, hidden) and asked == live_queries.servers(asked, hidden.seen_without).keys()


def _finds_the_same(queries: Iterable[read.Query], hidden: Hidden) -> bool:
    """Return whether each of `queries` finds series, and none that is `hidden` from who adds them."""
    stored = list(queries)
    found = [[[one.pk for one in of_query] for of_query in read.find(stored, without, None)] for without in hidden]
    return found[0] == found[1] and all(found[1])


def _offers_the_same(variable: VariableSpec, hidden: Hidden) -> bool:
    """Return whether there is something to choose of `variable`, and nothing `hidden` from who adds it."""
    if variable.source:
        return bool(live_queries.servers([variable.source], hidden.seen_without))
    if not variable.label:
        return True
    values = [read.values_of(variable.label, variable.metric, without) for without in hidden]
    return values[0] == values[1] and bool(values[1])


def _refused(field: str, why: str = NOT_THEIRS) -> tuple[str, str]:
    return field, f"{field}: {why}."
