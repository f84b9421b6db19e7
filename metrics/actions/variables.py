"""Variables of a dashboard: what there is to choose from, what is chosen, and the widgets that are then drawn."""

import hashlib
import json
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from redis import RedisError

from metrics.access import policy
from metrics.access.principal import Principal
from metrics.actions import live_queries
from metrics.actions.errors import Invalid
from metrics.models import Dashboard, Widget
from metrics.redis_state import outage
from metrics.redis_state.connection import KEY, client
from metrics.sample import UNSTORABLE
from metrics.series import read
from metrics.widgets import repeated
from metrics.widgets import variables as pure
from metrics.widgets.section import raised
from metrics.widgets.variables import CHOSEN_CHARACTERS, OPTIONS_MOST, Choice, VariableSpec

PREFIX = "var-"
"""Before the name of a variable in an address."""
KEPT_S = 20
"""All processes share what a label's values are, and look again after so long: a page and its frames have to agree."""


def variables_of(dashboard: Dashboard) -> list[VariableSpec]:
    """Return the variables of `dashboard`; what was stored is not checked again."""
    return [VariableSpec.model_construct(**one) for one in dashboard.variables]


def asked_in(query: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return what the parameters of an address ask for, by the variable's name; an empty value asks for nothing."""
    found: dict[str, list[str]] = {}
    for name, value in query:
        if name.startswith(PREFIX):
            found.setdefault(name.removeprefix(PREFIX), []).extend([value] if value else [])
    return found


def asked_by(by: Principal, asked: pure.Asked) -> dict[str, Sequence[str]]:
    """Return what is `asked`, with the values that are the only ones for `by` where nothing is asked."""
    return {**dict(by.shown.values if by.shown else ()), **asked}


def asked_as(chosen: str) -> dict[str, list[str]]:
    """Return the parameters of an address that ask for what is `chosen`."""
    return {PREFIX + name: values for name, values in pure.read(chosen).items()}


def address(chosen: str) -> str:
    """Return what stands behind an address with other parameters to ask for what is `chosen`: "&var-host=web-1"."""
    return f"&{urlencode(asked_as(chosen), doseq=True)}" if chosen else ""


def chosen(dashboard: Dashboard, asked: pure.Asked) -> str:
    """Return what is `asked`, as topics and addresses have it: without what is the default anyway.

    Raises Invalid for a variable, or a value, that there is not.
    """
    if not asked:
        return ""
    variables = {one.name: one for one in variables_of(dashboard)}
    options = options_of(dashboard, [one for name, one in variables.items() if name in asked])
    for name, values in asked.items():
        if name not in variables:
            raise Invalid(PREFIX + name, f"{PREFIX}{name}: the dashboard {dashboard.title} has no such variable.")
        of_one = options[name] if len(options[name]) < OPTIONS_MOST else None  # else there are more than are listed
        if problem := pure.wrong(variables[name], values, of_one):
            raise Invalid(PREFIX + name, f"{PREFIX}{name}: {problem}.")
    found = pure.canonical(variables.values(), asked)
    if len(found) > CHOSEN_CHARACTERS:
        raise Invalid(
            PREFIX, f"The values that are chosen have more than {CHOSEN_CHARACTERS} characters; choose fewer."
        )
    return found


def of_the_past(asked: pure.Asked) -> str:
    """Return what is `asked` as a text, whatever variables there are now: there may have been others."""
    found = pure.text(asked)
    is_storable = not any(UNSTORABLE.search(value) for values in asked.values() for value in values)
    return found if len(found) <= CHOSEN_CHARACTERS and is_storable else ""


@dataclass(frozen=True, slots=True)
class Picker:
    """A variable to choose on a page: what stands before it (`heading`), and what is chosen in words (`said`).

    `options` are values, each with whether it is chosen. Of `several` more than one may be, with `all` all at once, and
    `is_all` says that they are. `others` are the names and values of other parameters that the address keeps.
    """

    name: str
    heading: str
    said: str
    options: list[tuple[str, bool]]
    several: bool
    all: bool
    is_all: bool
    others: list[tuple[str, str]]


def pickers(dashboard: Dashboard, chosen: str) -> list[Picker]:
    """Return what a page of `dashboard` offers to choose from, when this is `chosen`."""
    variables = variables_of(dashboard)
    options = options_of(dashboard, variables)
    found = pure.choices(variables, options, chosen)
    return [_picker(one, options[one.name], found[one.name], chosen) for one in variables]


def _picker(variable: VariableSpec, options: Sequence[str], choice: Choice, chosen: str) -> Picker:
    marked = set() if choice.is_all else set(choice.chosen)
    others = {PREFIX + name: values for name, values in pure.read(chosen).items() if name != variable.name}
    return Picker(
        name=PREFIX + variable.name,
        heading=variable.heading,
        said=str(choice),
        options=[(value, value in marked) for value in pure.in_order({*options, *marked})],
        several=variable.several,
        all=variable.all,
        is_all=choice.is_all,
        others=[(name, value) for name, values in others.items() for value in values],
    )


def options_of(dashboard: Dashboard, variables: Sequence[VariableSpec]) -> dict[str, list[str]]:
    """Return what may be chosen of each of `variables`, in the order that people sort."""
    hidden = policy.hidden_on(dashboard.pk) if any(one.label for one in variables) else ()
    return {one.name: one.values or _options(one, hidden) for one in variables}


def doubts(dashboard: Dashboard, variables: Iterable[VariableSpec]) -> list[str]:
    """Return what may be mistyped in `variables`: labels that no stored series has which `dashboard` may show."""
    hidden = policy.hidden_on(dashboard.pk)
    asked = [one for one in variables if one.label and not one.source]
    missing = [one for one in asked if not read.values_of(one.label, one.metric, hidden, 1)]
    return [
        f"No series{f' of {one.metric}' if one.metric else ''} has the label {one.label} yet: "
        f"${one.name} has no values until one has."
        for one in missing
    ]


def _options(variable: VariableSpec, hidden: Collection[int]) -> list[str]:
    if not variable.source:
        return _values_of(variable.label, variable.metric, hidden)
    found = live_queries.label_values(variable.source, variable.label, variable.metric, hidden, time.time())
    return pure.in_order(one for one in found if one and one != pure.ALL)[:OPTIONS_MOST]


def choices(dashboard: Dashboard, chosen: str, variables: Sequence[VariableSpec] | None = None) -> dict[str, Choice]:
    """Return what is chosen of each variable, where `chosen` says what is not the default.

    The variables are those that the dashboard has now, unless others are given.
    """
    variables = variables_of(dashboard) if variables is None else variables
    return pure.choices(variables, options_of(dashboard, variables), chosen)


def drawn(dashboard: Dashboard, widgets: Sequence[Widget], chosen: str) -> list[Widget]:
    """Return `widgets`, all of `dashboard`, as they are drawn when this is `chosen`."""
    found = repeated.drawn(widgets, choices(dashboard, chosen)) if dashboard.variables else list(widgets)
    return raised(found)


def _values_of(label: str, metric: str, hidden: Collection[int]) -> list[str]:
    asked = json.dumps([label, metric, sorted(hidden)])
    key = f"{KEY}values:{hashlib.sha256(asked.encode()).hexdigest()[:32]}"
    try:
        known = client().get(key)
        if known is not None:
            return list(json.loads(str(known)))
    except RedisError as error:
        outage.log("values of a label not shared", error)
        return _read(label, metric, hidden)
    found = _read(label, metric, hidden)
    try:
        client().set(key, json.dumps(found), ex=KEPT_S)
    except RedisError as error:
        outage.log("values of a label not shared", error)
    return found


def _read(label: str, metric: str, hidden: Collection[int]) -> list[str]:
    return pure.in_order(one for one in read.values_of(label, metric, hidden, OPTIONS_MOST) if one != pure.ALL)
