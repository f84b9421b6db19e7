"""Drafts: a person changes a dashboard step by step, undoes, and publishes what came of it.

Each step is stored as it is made, so nothing is lost with a closed tab. Nobody else sees it before it is published:
then it is a revision like any other, on every open page. Of two people who draft at once, the slower merges first.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from redis import RedisError

from metrics.access import policy
from metrics.access.policy import CHANGE, check
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import dashboards, drawn, facts, live_queries, pictures, variables
from metrics.actions.errors import Conflict, Forbidden, Invalid
from metrics.models import Dashboard, Draft, DraftStep, Widget
from metrics.redis_state import editors, outage
from metrics.times import datetime_of
from metrics.widgets import changes, merge, ranges
from metrics.widgets.filled import with_values
from metrics.widgets.render import WidgetView, widget_views
from metrics.widgets.spec import DashboardSpec, WidgetSpec, difference

STEPS_MOST = 200
"""So many steps can be undone."""
UNCHANGED_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Other:
    """Another person with a draft of the same dashboard: their `name`, whether they are at it `now`, and what they
    changed, "" if nothing yet.
    """

    name: str
    now: bool
    summary: str


@dataclass(frozen=True, slots=True)
class State:
    """A draft as it stands.

    `spec` is made of the revision `base`; `newest` is the newest there is. `summary` says how it differs from its base,
    "" if it does not. `undo` and `redo` name the step that would be undone or done again, "" if there is none.
    `version` is what a change of it must have seen; before it is begun, the number of the revision, below zero.
    """

    dashboard: Dashboard
    spec: DashboardSpec
    base: int
    version: int
    summary: str
    undo: str
    redo: str
    others: tuple[Other, ...]

    @property
    def newest(self) -> int:
        return self.dashboard.revision

    @property
    def is_behind(self) -> bool:
        """Whether somebody published since the draft was begun."""
        return self.base != self.newest


def current(by: Principal, slug: str) -> State:
    """Return the draft of `by`; one that there is not yet, or that changes nothing, is the newest revision.

    Writes nothing but that `by` has it open. Raises Missing and Forbidden.
    """
    dashboard = _changeable(by, slug)
    draft = Draft.objects.filter(dashboard=dashboard, user_id=by.pk or 0).first()
    _note(by, dashboard)
    if draft is not None:
        draft.dashboard = dashboard
    if draft is None or _is_over(draft):
        spec, newest = _without_access(dashboards.spec_of(dashboard)), dashboard.revision
        return State(dashboard, spec, newest, -newest, "", "", "", _others(by, dashboard))
    return _state(by, draft)


def edit(by: Principal, slug: str, changed: Mapping[str, Any], seen: int) -> State:
    """Set the fields of the document that `changed` names, as a new step. Nothing differs: no step.

    `seen` is the version of the draft that the change is based on. Raises Missing, Forbidden, Conflict, or Invalid with
    all that is wrong; then nothing is changed.
    """
    return _step(by, slug, lambda spec: changed, seen)


def add_widget(by: Principal, slug: str, widget: Mapping[str, Any], seen: int) -> State:
    """Add a widget. Raises what `edit` does."""
    return _step(by, slug, lambda spec: {"widgets": changes.added(spec, widget)[1]}, seen)


def change_widget(by: Principal, slug: str, key: str, changed: Mapping[str, Any], seen: int) -> State:
    """Set the fields of a widget that `changed` names. Raises what `edit` does."""
    return _step(by, slug, lambda spec: {"widgets": changes.changed(spec, key, changed)}, seen)


def delete_widget(by: Principal, slug: str, key: str, seen: int) -> State:
    """Remove a widget. Raises what `edit` does."""
    return _step(by, slug, lambda spec: {"widgets": changes.without(spec, key)}, seen)


def duplicate_widget(by: Principal, slug: str, key: str, seen: int) -> State:
    """Add a copy of a widget. Raises what `edit` does."""
    return _step(by, slug, lambda spec: {"widgets": changes.duplicated(spec, key)[1]}, seen)


def place_widgets(by: Principal, slug: str, places: Mapping[str, Mapping[str, Any]], seen: int) -> State:
    """Set x, y, w and h of each widget that `places` names by its key. Raises what `edit` does."""
    return _step(by, slug, lambda spec: {"widgets": changes.placed(spec, places)}, seen)


def arrange_on_phones(by: Principal, slug: str, column: Mapping[str, Mapping[str, Any]], seen: int) -> State:
    """Have widgets stand in the order of `column` on phones; it gives the `h` and `hidden` of each by its key.

    Raises what `edit` does.
    """
    return _step(by, slug, lambda spec: {"widgets": changes.on_phones(spec, column)}, seen)


def compact(by: Principal, slug: str, seen: int) -> State:
    """Move all widgets up as far as they go. Raises what `edit` does."""
    return _step(by, slug, lambda spec: {"widgets": changes.compacted(spec)}, seen)


def fit(by: Principal, slug: str, seen: int) -> State:
    """Widen all widgets as far as they go. Raises what `edit` does."""
    return _step(by, slug, lambda spec: {"widgets": changes.fitted(spec)}, seen)


def restore(by: Principal, slug: str, number: int, seen: int) -> State:
    """Take the state of revision `number` into the draft, but for the slug. Raises what `edit` does."""

    def restored(spec: DashboardSpec) -> Mapping[str, Any]:
        found = dashboards.stored_spec(dashboards.find_revision(dashboards.find(by, slug), number).spec)
        return found.model_dump(exclude={"slug", "access"})

    return _step(by, slug, restored, seen, f"Restored revision {number}.")


def undo(by: Principal, slug: str, seen: int) -> State:
    """Go back one step, if there is one. Raises Missing, Forbidden and Conflict."""
    return _go(by, slug, -1, seen)


def redo(by: Principal, slug: str, seen: int) -> State:
    """Go one step on again, if there is one. Raises Missing, Forbidden and Conflict."""
    return _go(by, slug, +1, seen)


def discard(by: Principal, slug: str) -> State:
    """Drop the draft of `by` with all its steps, and begin anew. Raises Missing and Forbidden."""
    with transaction.atomic():
        draft = _held(by, slug)
        _begin(draft)
        return _state(by, draft)


def publish(by: Principal, slug: str, seen: int) -> Dashboard:
    """Make the draft the newest revision, which every open page then shows.

    Raises Missing, Forbidden, Conflict if it changed in another tab or if somebody published meanwhile, or Invalid.
    """
    with transaction.atomic():
        draft = _held(by, slug, seen)
        document = _spec(draft).model_dump(exclude={"access"})
        dashboard = dashboards.change(by, slug, document, draft.base)
        draft.steps.filter(base=draft.base).update(base=dashboard.revision)  # so that undoing is no merge with oneself
        draft.base = dashboard.revision
        _save(draft)
    return dashboard


def differences(by: Principal, slug: str) -> tuple[State, list[merge.Choice]]:
    """Return the draft, and all in which it differs from what others published. Raises Missing and Forbidden."""
    state = current(by, slug)
    draft = Draft.objects.filter(dashboard=state.dashboard, user_id=by.pk or 0).first()
    if draft is None or not state.is_behind:
        return state, []
    draft.dashboard = state.dashboard
    return state, merge.choices(*_three(draft))


def merge_newest(by: Principal, slug: str, taken: Mapping[str, str], seen: int, newest: int) -> State:
    """Make the draft one of the revision `newest`: `taken` names a side by the key of each choice.

    Raises what `edit` does, Conflict if there is a newer revision by now, and Invalid if a choice is missing.
    """
    with transaction.atomic():
        draft = _held(by, slug, seen)
        if newest != draft.dashboard.revision:
            raise Conflict(
                f"Somebody published revision {draft.dashboard.revision} meanwhile; choose once more.",
                draft.dashboard.revision,
            )
        document, missing = merge.merged(*_three(draft), taken)
        if missing:
            first, *others = [(one.key, f"{one.title}: both of you changed it; choose a side.") for one in missing]
            raise Invalid(*first, *others)
        spec = dashboards.parse(document, dashboards.spec_of(draft.dashboard))
        draft.base = draft.dashboard.revision
        _append(draft, spec, f"Merged with revision {draft.base}.")
        return _state(by, draft)


def views(
    by: Principal, state: State, widgets: Sequence[WidgetSpec], at: float, wait_s: float = live_queries.WAIT_S
) -> list[WidgetView]:
    """Return the view-models of `widgets`, which may be in the draft or not yet, over its usual range as seen at `at`.

    They draw what both the dashboard and `by` may see: nobody has looked yet at what is being added. Variables have
    their defaults, and a repeated widget is drawn once. Servers that are asked live have `wait_s` seconds to answer.
    """
    choices = variables.choices(state.dashboard, "", state.spec.variables)
    rows = [Widget(dashboard=state.dashboard, **one.model_dump()) for one in widgets]
    range = state.spec.range if state.spec.range in ranges.RANGES_S else ranges.DEFAULT
    shown = [with_values(one, choices) for one in rows]
    hidden = policy.hidden_on(state.dashboard.pk) | policy.hidden_from(by)
    live_queries.wait(shown, range, at, at, hidden, most_s=wait_s)
    return widget_views(shown, range, at, hidden, known=facts.on(state.dashboard.pk, shown, at, by))


def forget_unchanged(now: float) -> None:
    """Remove the drafts that change nothing and that nobody had open for a day before `now` (Unix seconds)."""
    old = Draft.objects.filter(changed_at__lt=datetime_of(now) - UNCHANGED_KEPT)
    for pk in old.values_list("pk", flat=True):
        with transaction.atomic():  # somebody may come back to it
            draft = old.select_for_update().filter(pk=pk).first()
            if draft is not None and not _summary(draft):
                draft.delete()


def _step(
    by: Principal, slug: str, change: Callable[[DashboardSpec], Mapping[str, Any]], seen: int, said: str = ""
) -> State:
    with transaction.atomic():
        draft = _held(by, slug, seen)
        before = _spec(draft)
        try:
            document = {**before.model_dump(), **change(before)}
        except KeyError as problem:
            raise dashboards.no_widget(slug, problem.args[0]) from None
        after = dashboards.parse(document, before)
        drawn.check_added(by, list(draft.dashboard.teams.all()), before, after)  # publishing asks again
        if differs := difference(before, after):
            _append(draft, after, f"{said} {differs}".strip())
        return _state(by, draft)


def _held(by: Principal, slug: str, seen: int | None = None) -> Draft:
    """Return the draft of `by`, locked until the transaction ends, begun if there is none."""
    dashboard = _changeable(by, slug)
    draft, is_new = Draft.objects.select_for_update().get_or_create(
        dashboard=dashboard, user_id=by.pk or 0, defaults={"base": dashboard.revision, "changed_at": datetime.now(UTC)}
    )
    draft.dashboard = dashboard
    begins = is_new or _is_over(draft)
    if begins:
        _begin(draft)
    version = -draft.base if begins else draft.version
    if seen is not None and seen != version:
        why = f"Somebody published revision {draft.base}" if begins else "You changed this draft in another tab"
        raise Conflict(f"{why} meanwhile, so nothing was done here; this is how it stands now.", version)
    return draft


def _changeable(by: Principal, slug: str) -> Dashboard:
    dashboard = dashboards.find(by, slug)
    check(by, CHANGE, dashboard)
    if by.kind != "user" or by.pk is None:
        raise Forbidden("Only people have drafts; a token changes the dashboard itself.")
    return dashboard


def _is_over(draft: Draft) -> bool:
    """Return whether `draft` changes nothing, and somebody published since it was begun."""
    return draft.base != draft.dashboard.revision and not _summary(draft)


def _note(by: Principal, dashboard: Dashboard) -> None:
    try:
        editors.add(dashboard.pk, _name(by), time.time())
    except RedisError as error:
        outage.log("who edits is not known", error)


def _name(by: Principal) -> str:
    return by.name.removeprefix("user ")


def _begin(draft: Draft) -> None:
    """Have `draft` begin with the newest revision of its dashboard."""
    draft.steps.all().delete()
    draft.base, draft.position = draft.dashboard.revision, 0
    spec = dashboards.spec_of(draft.dashboard).model_dump()
    DraftStep.objects.create(draft=draft, number=0, base=draft.base, spec=spec, summary="")
    _save(draft)


def _append(draft: Draft, spec: DashboardSpec, said: str) -> None:
    """Add a step behind the one that is shown; those that were undone go, and the oldest of too many."""
    draft.steps.filter(number__gt=draft.position).delete()
    draft.position += 1
    DraftStep.objects.create(
        draft=draft, number=draft.position, base=draft.base, spec=spec.model_dump(), summary=said[:500]
    )
    draft.steps.filter(number__lt=draft.position - STEPS_MOST).delete()
    pictures.ask(draft.dashboard, spec)
    _save(draft)


def _go(by: Principal, slug: str, way: int, seen: int) -> State:
    with transaction.atomic():
        draft = _held(by, slug, seen)
        step = draft.steps.filter(number=draft.position + way).first()
        if step is not None:
            draft.position, draft.base = step.number, step.base
            _save(draft)
        return _state(by, draft)


def _save(draft: Draft) -> None:
    draft.version += 1
    draft.changed_at = datetime.now(UTC)
    draft.save()


def _state(by: Principal, draft: Draft) -> State:
    around = dict(
        draft.steps.filter(number__in=(draft.position - 1, draft.position, draft.position + 1)).values_list(
            "number", "summary"
        )
    )
    return State(
        dashboard=draft.dashboard,
        spec=_spec(draft),
        base=draft.base,
        version=draft.version,
        summary=_summary(draft),
        undo=around[draft.position] if draft.position - 1 in around else "",
        redo=around.get(draft.position + 1, ""),
        others=_others(by, draft.dashboard),
    )


def _others(by: Principal, dashboard: Dashboard) -> tuple[Other, ...]:
    """Return who else has the draft open, and who has one that changes something."""
    try:
        found = {name: Other(name, True, "") for name in editors.names(dashboard.pk, time.time())}
    except RedisError as error:
        outage.log("who edits is not known", error)
        found = {}
    rows = Draft.objects.filter(dashboard=dashboard).exclude(user_id=by.pk or 0).select_related("user")
    for row in rows.order_by("-changed_at"):
        row.dashboard, name = dashboard, row.user.get_username()
        try:
            summary = _summary(row)
        except DraftStep.DoesNotExist:  # it was dropped just now
            continue
        if summary:
            found[name] = Other(name, name in found, summary)
    found.pop(_name(by), None)
    return tuple(found.values())


def _spec(draft: Draft) -> DashboardSpec:
    """Return the step that is shown; who may see the dashboard is no part of a draft."""
    step = draft.steps.get(number=draft.position)
    return _without_access(dashboards.stored_spec(step.spec))


def _base(draft: Draft) -> DashboardSpec:
    return _without_access(dashboards.stored_spec(dashboards.find_revision(draft.dashboard, draft.base).spec))


def _without_access(spec: DashboardSpec) -> DashboardSpec:
    return spec.model_copy(update={"access": Access()})


def _three(draft: Draft) -> tuple[DashboardSpec, DashboardSpec, DashboardSpec]:
    return _base(draft), _spec(draft), _without_access(dashboards.spec_of(draft.dashboard))


def _summary(draft: Draft) -> str:
    return difference(_base(draft), _spec(draft))
