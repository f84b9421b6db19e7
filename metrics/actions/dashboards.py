"""Dashboards: making, changing, deleting and restoring them.

Every change is a revision, written in the transaction that makes the change. A change names the revision that it is
based on: of two people who change the same one, the slower is refused and told what the other did.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from pydantic import ValidationError
from redis import RedisError

from metrics.access.policy import CHANGE, CREATE, DELETE, check, visible
from metrics.access.principal import SYSTEM, Principal
from metrics.access.sharing import Access
from metrics.actions import drawn, file_retention, journal, locks, pictures, places, teams, watches
from metrics.actions.errors import Conflict, Errors, Invalid, Missing, check_storable, sentences
from metrics.actions.variables import variables_of
from metrics.live import bus, marks, watchers
from metrics.models import Attachment, Dashboard, FormerSlug, Revision, Room, Widget
from metrics.redis_state import outage
from metrics.times import datetime_of
from metrics.versioned import NewerVersionError, upgraded
from metrics.widgets import changes
from metrics.widgets.registry import kinds
from metrics.widgets.spec import DashboardSpec, WidgetSpec, difference, new_key
from metrics.widgets.variables import VariableSpec

log = structlog.get_logger(__name__)

FIELDS = ("key", "kind", "title", "config", "version", "x", "y", "w", "h", "repeat", "phone")
"""Of a widget, both as a row and in a document."""
DELETED_KEPT = timedelta(days=30)
"""A deleted dashboard can be restored for so long."""


def find(by: Principal, slug: str) -> Dashboard:
    """Return the dashboard `slug`, or the one that had this slug before. Raises Missing, also if it is not for `by`."""
    seen = visible(by, Dashboard)
    found = seen.filter(slug=slug).first() or seen.filter(former_slugs=slug).first()
    if found is None:
        raise Missing(f"There is no dashboard {slug!r}.")
    return found


def find_revision(dashboard: Dashboard, number: int) -> Revision:
    """Return the revision of that number. Raises Missing."""
    found = dashboard.revisions.filter(number=number).first()
    if found is None:
        raise Missing(f"The dashboard {dashboard.slug!r} has no revision {number}.")
    return found


def spec_of(dashboard: Dashboard) -> DashboardSpec:
    """Return `dashboard` as a document; what was stored is not checked again."""
    return DashboardSpec.model_construct(
        slug=dashboard.slug,
        title=dashboard.title,
        description=dashboard.description,
        range=dashboard.range,
        tags=list(dashboard.tags),
        access=Access(everyone=dashboard.for_everyone, teams=sorted(team.name for team in dashboard.teams.all())),
        variables=variables_of(dashboard),
        widgets=[
            WidgetSpec.model_construct(**{name: getattr(one, name) for name in FIELDS})
            for one in dashboard.widgets.all()
        ],
    )


def stored_spec(stored: Mapping[str, Any]) -> DashboardSpec:
    """Return the document that was stored of a revision or a draft, its configs in the present form."""
    widgets = [stored_widget(one) for one in stored["widgets"]]
    try:
        spec = DashboardSpec.model_validate({**stored, "widgets": []})
    except ValidationError:  # an earlier release took it; whoever saves it is told what is wrong
        variables = [VariableSpec.model_construct(**one) for one in stored.get("variables", [])]
        spec = DashboardSpec.model_construct(**{**stored, "variables": variables})
    return spec.model_copy(update={"widgets": widgets})


def stored_widget(stored: Mapping[str, Any]) -> WidgetSpec:
    """Return a widget that was stored, with its config in the present form if it has one."""
    found = WidgetSpec.model_construct(**stored)
    with suppress(NewerVersionError):
        found = in_present_form(found)
    return found


def create(by: Principal, document: Mapping[str, Any]) -> Dashboard:
    """Make the dashboard that `document` describes. Raises Forbidden, or Invalid with all that is wrong with it."""
    check(by, CREATE, Dashboard)
    spec = parse(document)
    teams.check_sharing(by, [], teams.named(spec.access.teams))
    with transaction.atomic():
        dashboard = Dashboard(slug=_free(spec.slug), title=spec.title)
        _save(dashboard, spec.slug)
        _store(by, "create", dashboard, None, spec)
    return dashboard


def change(by: Principal, slug: str, changed: Mapping[str, Any], seen: int | None) -> Dashboard:
    """Set the fields of a dashboard that `changed` names, if its newest revision is still the one that was `seen`.

    `seen` is None for a change that holds whatever others did. Widgets are matched by their keys. A change without a
    difference is no revision. Raises Missing, Forbidden, Conflict, or Invalid with all that is wrong; then nothing is
    changed.
    """
    with transaction.atomic():
        dashboard = _held(by, CHANGE, slug, seen)
        before = spec_of(dashboard)
        after = parse({**before.model_dump(), **changed}, before)
        teams.check_sharing(by, teams.named(before.access.teams), teams.named(after.access.teams))
        _store(by, "change", dashboard, before, after)
    return dashboard


def duplicate(by: Principal, slug: str, new_slug: str, title: str) -> Dashboard:
    """Make a dashboard with the widgets of another. Raises Missing, Forbidden, or Invalid."""
    return create(by, {**spec_of(find(by, slug)).model_dump(), "slug": new_slug, "title": title})


def delete(by: Principal, slug: str, seen: int | None) -> None:
    """Delete a dashboard, which can be restored for `DELETED_KEPT`. Raises Missing, Forbidden, or Conflict."""
    with transaction.atomic():
        dashboard = _held(by, DELETE, slug, seen)
        spec = spec_of(dashboard)
        dashboard.widgets.all().delete()
        dashboard.slug, dashboard.deleted_at = f"deleted {dashboard.pk}", datetime.now(UTC)
        _record(by, "delete", dashboard, spec, "Deleted.")
        transaction.on_commit(partial(bus.recheck, dashboard=dashboard.pk))


def restore(by: Principal, id: int) -> Dashboard:
    """Bring the deleted dashboard `id` back as it was, for the teams that it is still for.

    Raises Missing, Forbidden, or Invalid if its slug is taken.
    """
    with transaction.atomic():
        dashboard = deleted(by).select_for_update().filter(pk=id).first()
        if dashboard is None:
            raise Missing(f"There is no deleted dashboard {id}.")
        check(by, CHANGE, dashboard)
        stored = stored_spec(dashboard.revisions.first().spec)  # type: ignore[union-attr]  # each has one
        spec = stored.model_copy(update={"access": teams.access_of(dashboard)})
        dashboard.slug, dashboard.deleted_at = _free(spec.slug), None
        _store(by, "restore", dashboard, None, spec, "Brought back.")
    return dashboard


def restore_revision(by: Principal, slug: str, number: int, seen: int | None) -> Dashboard:
    """Give a dashboard the state that it had in revision `number`, as a new revision; it keeps its present slug.

    Raises Missing, Forbidden, Conflict, or Invalid if a widget of that time can't be made any more.
    """
    with transaction.atomic():
        dashboard = _held(by, CHANGE, slug, seen)
        found = find_revision(dashboard, number)
        before = spec_of(dashboard)
        # A revision restores how it looked, and not the people it was for.
        after = parse({**found.spec, "slug": before.slug, "access": before.access.model_dump()}, before)
        said = difference(before, after)
        _store(by, "restore", dashboard, before, after, f"Restored revision {number}. {said}" if said else "")
    return dashboard


def find_widget(by: Principal, slug: str, key: str) -> tuple[Dashboard, WidgetSpec]:
    """Return the widget `key` of a dashboard, and that. Raises Missing."""
    dashboard = find(by, slug)
    found = next((one for one in spec_of(dashboard).widgets if one.key == key), None)
    if found is None:
        raise no_widget(slug, key)
    return dashboard, found


def add_widget(by: Principal, slug: str, widget: Mapping[str, Any], seen: int | None) -> tuple[Dashboard, str]:
    """Add a widget; return the dashboard and the key of the widget. Raises what `change` does."""
    with transaction.atomic():
        key, widgets = changes.added(spec_of(_held(by, CHANGE, slug, seen)), widget)
        return change(by, slug, {"widgets": widgets}, seen), key


def change_widget(by: Principal, slug: str, key: str, changed: Mapping[str, Any], seen: int | None) -> Dashboard:
    """Set the fields of a widget that `changed` names. Raises what `change` does."""
    return _change_widgets(by, slug, lambda spec: changes.changed(spec, key, changed), seen)


def delete_widget(by: Principal, slug: str, key: str, seen: int | None) -> Dashboard:
    """Remove a widget. Raises what `change` does."""
    return _change_widgets(by, slug, lambda spec: changes.without(spec, key), seen)


def slug_for(title: str) -> str:
    """Return a slug made of `title` that no dashboard has."""
    return new_key(title, Dashboard.objects.values_list("slug", flat=True), "dashboard")


def upgrade_configs() -> None:
    """Give widgets that an earlier release stored the form that this one has, in a revision of each dashboard."""
    for dashboard in Dashboard.objects.select_for_update():
        before = spec_of(dashboard)
        after = before.model_copy(
            update={"widgets": [in_present_form(one) if _is_old(one) else one for one in before.widgets]}
        )
        if after != before:
            _store(SYSTEM, "upgrade", dashboard, before, after, "Upgraded to the form of this release.")


def forget_deleted(now: float) -> None:
    """Remove what was deleted more than `DELETED_KEPT` before `now` (Unix seconds), with its revisions."""
    oldest = datetime_of(now) - DELETED_KEPT
    with transaction.atomic():
        gone = Dashboard.with_deleted.filter(deleted_at__lt=oldest)
        file_retention.discard(Attachment.objects.filter(room__dashboard__in=gone))
        gone.delete()


def parse(document: Mapping[str, Any], before: DashboardSpec | None = None) -> DashboardSpec:
    """Return `document`, checked. Raises Invalid with all that is wrong with it.

    A config that is the same as `before` is not checked again: one that a new release refuses prevents no other change.
    """
    stored = {one.key: one for one in before.widgets} if before else {}
    try:
        spec = DashboardSpec.model_validate(document)
    except ValidationError as problem:
        first, *others = sentences(problem, "")
        raise Invalid(*first, *others) from None
    errors, widgets = Errors(), list[WidgetSpec]()
    for index, widget in enumerate(spec.widgets):
        with errors:
            old = stored.get(widget.key)
            if old and (old.kind, old.config) == (widget.kind, widget.config) and widget.version in (None, old.version):
                widgets.append(widget.model_copy(update={"version": old.version}))
            else:
                widgets.append(_checked(widget, f"widgets.{index}"))
    with errors:
        teams.named(spec.access.teams)
    errors.check()
    return spec.model_copy(update={"widgets": widgets})


def _checked(widget: WidgetSpec, where: str) -> WidgetSpec:
    """Return `widget` with its config in the present form. Raises Invalid if its kind does not take it."""
    try:
        found = in_present_form(widget)
    except NewerVersionError as problem:
        raise Invalid(f"{where}.version", f"{where}.version: {problem}.") from None
    check_widget(found.kind, found.config, where)
    if found.kind == pictures.KIND:
        sealed = pictures.with_sealed_password(found.config, f"{where}.config.password")
        return found.model_copy(update={"config": sealed})
    return found


def _is_old(widget: WidgetSpec) -> bool:
    return widget.kind in kinds() and (widget.version or 1) < kinds()[widget.kind].config_class.version


def in_present_form(widget: WidgetSpec) -> WidgetSpec:
    """Return `widget` with its config in the present form, if there is such a kind. Raises NewerVersionError."""
    if widget.kind not in kinds():
        return widget
    config_class = kinds()[widget.kind].config_class
    config = upgraded(config_class, widget.config, widget.version or config_class.version)
    return widget.model_copy(update={"config": config, "version": config_class.version})


def check_widget(kind: str, config: Any, where: str = "widget") -> None:
    """Raise Invalid if `config` is not one that widgets of `kind` take; `where` begins the name of the field."""
    if kind not in kinds():
        raise Invalid(f"{where}.kind", f"There is no widget kind {kind!r}; there are {', '.join(sorted(kinds()))}.")
    if not isinstance(config, dict):
        raise Invalid(f"{where}.config", f"{where}.config: this is not an object.")
    check_storable(config, f"{where}.config")
    try:
        kinds()[kind].config_class.model_validate(config)
    except ValidationError as problem:
        first, *others = sentences(problem, f"{where}.config")
        raise Invalid(*first, *others) from None


def deleted(by: Principal) -> QuerySet[Dashboard]:
    """Return the deleted dashboards that `by` may see, the newest first."""
    return visible(by, Dashboard, Dashboard.with_deleted.exclude(deleted_at=None).order_by("-deleted_at"))


def _held(by: Principal, verb: str, slug: str, seen: int | None) -> Dashboard:
    """Return the dashboard `slug`, which `by` may do `verb` to, locked until the transaction ends."""
    dashboard = locks.locked(find(by, slug))
    check(by, verb, dashboard)
    _check_seen(dashboard, seen)
    return dashboard


def _check_seen(dashboard: Dashboard, seen: int | None) -> None:
    if seen is None or seen == dashboard.revision:
        return
    since = dashboard.revisions.filter(number__gt=seen).order_by("number")
    summaries = [f"Revision {one.number} by {one.by}: {one.summary}" for one in since[:3]]
    refused = (
        f"The dashboard {dashboard.slug!r} is at revision {dashboard.revision}, not {seen}, so nothing was changed."
    )
    raise Conflict(" ".join([refused, *summaries]), dashboard.revision)


def _free(slug: str) -> str:
    if Dashboard.objects.filter(slug=slug).exists():
        raise Invalid("slug", f"There is a dashboard {slug!r} already.")
    return slug


def _change_widgets(
    by: Principal, slug: str, made: Callable[[DashboardSpec], list[dict[str, Any]]], seen: int | None
) -> Dashboard:
    with transaction.atomic():
        try:
            widgets = made(spec_of(_held(by, CHANGE, slug, seen)))
        except KeyError as problem:
            raise no_widget(slug, problem.args[0]) from None
        return change(by, slug, {"widgets": widgets}, seen)


def no_widget(slug: str, key: str) -> Missing:
    """Return the error that says that the dashboard `slug` has no widget `key`."""
    return Missing(f"The dashboard {slug!r} has no widget {key!r}.")


def _store(
    by: Principal,
    verb: str,
    dashboard: Dashboard,
    before: DashboardSpec | None,
    after: DashboardSpec,
    said: str = "",
) -> None:
    """Make the rows of `dashboard` what `after` says, and record the revision, unless nothing differs."""
    said = said or difference(before, after)
    if not said:
        return
    if before is not None:
        drawn.check_added(by, teams.named(after.access.teams), before, after)
    if before is not None and before.slug != after.slug:
        _rename(dashboard, before.slug, _free(after.slug))
    dashboard.slug, dashboard.title, dashboard.description = after.slug, after.title, after.description
    dashboard.range, dashboard.for_everyone = after.range, after.access.everyone
    dashboard.tags = list(after.tags)
    dashboard.variables = [one.model_dump() for one in after.variables]
    dashboard.teams.set(teams.named(after.access.teams))
    changed = _store_widgets(dashboard, after)
    pictures.adopt(by, dashboard, after.widgets)
    pictures.ask(dashboard, after)
    if before is None or before.title != after.title:
        Room.objects.update_or_create(dashboard=dashboard, defaults={"title": after.title, "for_everyone": False})
    _record(by, verb, dashboard, after, said, changed)


def _rename(dashboard: Dashboard, old: str, new: str) -> None:
    FormerSlug.objects.filter(slug=new).delete()
    FormerSlug.objects.update_or_create(slug=old, defaults={"dashboard": dashboard})


def _store_widgets(dashboard: Dashboard, spec: DashboardSpec) -> list[str]:
    """Match widgets by key: one that stays keeps its row, and so its element on open pages.

    Return the keys of those that stay and are not as before.
    """
    changed = []
    rows = {one.key: one for one in dashboard.widgets.all()}
    dashboard.widgets.exclude(key__in=[one.key for one in spec.widgets]).delete()
    for one in spec.widgets:
        row = rows.get(one.key) or Widget(dashboard=dashboard, key=one.key)
        if row.pk is None or WidgetSpec.model_construct(**{name: getattr(row, name) for name in FIELDS}) != one:
            changed += [one.key] if row.pk else []
            for name in FIELDS:
                setattr(row, name, getattr(one, name))
            row.save()
    return changed


def _record(
    by: Principal, verb: str, dashboard: Dashboard, spec: DashboardSpec, said: str, changed: Sequence[str] = ()
) -> None:
    """Write the revision, the dashboard's own row and the journal; open pages follow once that is committed.

    They have the widgets with the keys `changed` first.
    """
    dashboard.revision += 1
    _save(dashboard, spec.slug)
    Revision.objects.create(
        dashboard=dashboard,
        number=dashboard.revision,
        spec=spec.model_dump(),
        by=by.name,
        at=datetime.now(UTC),
        summary=said[:500],
    )
    before, after = {"revision": dashboard.revision - 1}, {"revision": dashboard.revision, "summary": said[:500]}
    journal.record(by, verb, dashboard, before, after)  # the revision has all the rest
    log.info("dashboard changed", dashboard=spec.slug, revision=dashboard.revision, by=by.name, what=said)
    _notify_watchers(by, verb, dashboard, said)
    if dashboard.deleted_at is None:
        transaction.on_commit(partial(_refresh_open_pages, dashboard.pk, changed))


def _save(dashboard: Dashboard, slug: str) -> None:
    """Write the row of `dashboard`. Raises Invalid if another took its `slug` meanwhile."""
    try:
        with transaction.atomic():
            dashboard.save()
    except IntegrityError:
        raise Invalid("slug", f"There is a dashboard {slug!r} already.") from None


def _notify_watchers(by: Principal, verb: str, dashboard: Dashboard, said: str) -> None:
    what, about = f"changed {dashboard.title}: {said}", places.path_of(dashboard)
    if dashboard.deleted_at is not None:
        what, about = f"deleted {dashboard.title}.", ""
    if verb not in ("create", "upgrade"):
        watches.notify_of_change(by, dashboard, what, f"dashboard:{dashboard.pk}:{dashboard.revision}", about)


def _refresh_open_pages(dashboard: int, changed: Sequence[str]) -> None:
    try:
        concerned = [variant for variant in watchers.watched(time.time()) if variant.id == dashboard]
        marks.mark_each({variant: [marks.ALL, *changed] for variant in concerned})
    except RedisError as error:
        outage.log("open pages were not told", error)
    bus.recheck(dashboard=dashboard)
