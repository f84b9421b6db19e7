"""Dashboards as files: YAML that people read and write, compared with what is stored, applied, and written again.

A file is called after its dashboard's slug. A field that it leaves out has its default; a widget's `version` is 1
there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import Any

from django.db import transaction
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from metrics import yaml
from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import dashboards
from metrics.actions.errors import Errors, Invalid
from metrics.models import Dashboard
from metrics.widgets.registry import kinds
from metrics.widgets.spec import DashboardSpec, WidgetSpec, with_keys

ENDING = ".yaml"
WIDGETS = ("widgets",)
ALIASES = {"w": "width", "h": "height"}


@dataclass(frozen=True, slots=True)
class File:
    """A dashboard's file as it was read: what it says (`document`), and the dashboard that this is (`spec`).

    `keys` are those of its widgets, in the order of the file.
    """

    document: yaml.Document
    spec: DashboardSpec
    keys: list[str]


@dataclass(frozen=True, slots=True)
class Change:
    """A difference between a dashboard and its file: `verb` is create, change or delete, for what makes them equal.

    `stored` is what an export would write, `wanted` what the file says; each is empty if there is none. `seen` is the
    revision that was compared.
    """

    slug: str
    verb: str
    stored: str
    wanted: str
    seen: int | None
    document: Mapping[str, Any] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Yield the lines of a unified difference, from what is stored to what the file says."""
        revision = "as stored" if self.seen is None else f"revision {self.seen}"
        stored = f"{self.slug}, {revision}" if self.stored else "/dev/null"
        wanted = f"{self.slug}{ENDING}" if self.wanted else "/dev/null"
        yield from unified_diff(self.stored.splitlines(), self.wanted.splitlines(), stored, wanted, lineterm="")


def text_of(spec: DashboardSpec) -> str:
    """Return `spec` as the text of a file: without defaults, in the order in which people read it."""
    return yaml.write(_shortest(spec))


def text_after(file: File, spec: DashboardSpec) -> str:
    """Return the text of `file`, changed so that it is `spec`; comments and what did not change stay."""
    if _same(file.spec, spec):
        return file.document.text
    value, origins = _like(file, spec, exact=False)
    text = file.document.changed(value, {WIDGETS: origins})
    if _same(_spec_of_text(text, spec.slug), spec):
        return text
    # Keys and places that followed from others do so no more: all are named.
    value, origins = _like(file, spec, exact=True)
    return file.document.changed(value, {WIDGETS: origins})


def read(text: str, before: DashboardSpec | None = None, slug: str = "") -> File:
    """Read a file. Raises Invalid with all that is wrong, each with its line; `before` is what dashboards.parse takes.

    A file without a slug gets `slug`, and one with another is refused.
    """
    return _checked(load(text), before, slug)


def _checked(document: yaml.Document, before: DashboardSpec | None, slug: str) -> File:
    value = with_versions(document.value)
    if slug and value.setdefault("slug", slug) != slug:
        line = document.line(["slug"])
        raise Invalid("slug", f"Line {line}: slug: it is {value['slug']!r}, and the file's name says {slug!r}.")
    try:
        spec = dashboards.parse(value, before)
    except Invalid as problem:
        first, *others = _located(problem, document, value)
        raise Invalid(*first, *others) from None
    return File(document, spec, _keys(value))


def load(text: str) -> yaml.Document:
    """Return `text` as a document that is a map. Raises Invalid."""
    try:
        document = yaml.read(text)
    except yaml.BadYaml as problem:
        raise Invalid("", f"Line {problem.line}: {problem}" if problem.line else str(problem)) from None
    if not isinstance(document.value, dict):
        raise Invalid("", "Line 1: It is no dashboard: that begins with names, such as title and widgets.")
    return document


def with_versions(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file says as a document: widgets that name no version have the first."""
    widgets = value.get("widgets")
    if not isinstance(widgets, list):
        return dict(value)
    return {**value, "widgets": [{"version": 1, **one} if isinstance(one, dict) else one for one in widgets]}


def compare(by: Principal, files: Mapping[str, str], *, prune: bool = False) -> list[Change]:
    """Return what differs between the dashboards that `by` may see and `files`, texts by slug.

    With `prune`, dashboards without a file are to be deleted. Raises Invalid with all that is wrong.
    """
    stored = {one.slug: one for one in visible(by, Dashboard).prefetch_related("widgets", "teams")}
    errors, changes = Errors(), list[Change]()
    for slug, text in sorted(files.items()):
        with errors:
            change = _change(slug, text, stored.get(slug))
            if change:
                changes.append(change)
    errors.check()
    gone = sorted(stored.keys() - files.keys()) if prune else []
    changes += [
        Change(slug, "delete", text_of(dashboards.spec_of(stored[slug])), "", stored[slug].revision) for slug in gone
    ]
    return changes


def apply(by: Principal, changes: Iterable[Change]) -> None:
    """Make the dashboards what their files say: all, or none. Raises what dashboards.create, change and delete do."""
    with transaction.atomic():
        for one in changes:
            if one.verb == "create":
                dashboards.create(by, one.document)
            elif one.verb == "change":
                dashboards.change(by, one.slug, one.document, one.seen)
            else:
                dashboards.delete(by, one.slug, one.seen)


def export(by: Principal, files: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each dashboard that `by` may see, by slug: that of its file in `files`, brought up to date.

    Raises Invalid if a file can't be read.
    """
    errors, texts = Errors(), dict[str, str]()
    for one in visible(by, Dashboard).prefetch_related("widgets", "teams"):
        spec = dashboards.spec_of(one)
        with errors:
            texts[one.slug] = (
                text_after(_read(one.slug, files[one.slug], spec), spec) if one.slug in files else text_of(spec)
            )
    errors.check()
    return texts


def create(by: Principal, text: str) -> Dashboard:
    """Make the dashboard that `text` says; without a slug it gets one from its title. Raises Forbidden, or Invalid."""
    document = load(text)
    slug = "" if "slug" in document.value else dashboards.slug_for(str(document.value.get("title")))
    return dashboards.create(by, _checked(document, None, slug).spec.model_dump())


def is_there(by: Principal, slug: str) -> bool:
    """Return whether `by` sees a dashboard that has this slug now."""
    return visible(by, Dashboard).filter(slug=slug).exists()


def put(by: Principal, slug: str, text: str, seen: int | None) -> tuple[Dashboard, bool]:
    """Make the dashboard `slug` what `text` says, and return it and whether it is new. Raises what `apply` does.

    `seen` is the revision that a change is based on.
    """
    found = visible(by, Dashboard).filter(slug=slug).first()
    file = read(text, dashboards.spec_of(found) if found else None, slug)
    if found is None:
        return dashboards.create(by, file.spec.model_dump()), True
    return dashboards.change(by, slug, file.spec.model_dump(), seen), False


def _change(slug: str, text: str, stored: Dashboard | None) -> Change | None:
    before = dashboards.spec_of(stored) if stored else None
    file = _read(slug, text, before)
    document = file.spec.model_dump()
    if stored is None or before is None:
        return Change(slug, "create", "", text, None, document)
    if _same(before, file.spec):
        return None
    return Change(slug, "change", text_after(file, before), text, stored.revision, document)


def _read(slug: str, text: str, before: DashboardSpec | None) -> File:
    """Read the file of `slug`. Raises Invalid whose sentences begin with the name of the file."""
    try:
        return read(text, before, slug)
    except Invalid as problem:
        first, *others = ((where, f"{slug}{ENDING}: {said[:1].lower()}{said[1:]}") for where, said in problem.all)
        raise Invalid(*first, *others) from None


def _same(one: DashboardSpec, other: DashboardSpec) -> bool:
    def dumped(spec: DashboardSpec) -> dict[str, Any]:
        return {**spec.model_dump(), "widgets": {widget.key: widget.model_dump() for widget in spec.widgets}}

    return dumped(one) == dumped(other)


def _spec_of_text(text: str, slug: str) -> DashboardSpec:
    """Return the dashboard that a text means, whose configs were checked before."""
    spec = DashboardSpec.model_validate({"slug": slug, **with_versions(yaml.read(text).value)})
    return spec.model_copy(update={"widgets": [dashboards.in_present_form(one) for one in spec.widgets]})


def _keys(value: Mapping[str, Any]) -> list[str]:
    return [one.key for one in with_keys([WidgetSpec.model_validate(one) for one in value.get("widgets") or []])]


def _located(problem: Invalid, document: yaml.Document, value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is wrong by the fields of the file, each sentence with its line."""
    try:
        # Configs are checked in the order of their places, and not in that of the file.
        placed = [one.key for one in DashboardSpec.model_validate(value).widgets]
        keys = _keys(value)
    except ValidationError:
        placed = keys = []
    found = []
    for where, said in problem.all:
        words = said.removeprefix(f"{where}: ")
        path = where.split(".")
        if placed and path[0] == "widgets" and len(path) > 1:
            path[1] = str(keys.index(placed[int(path[1])]))
        field = ".".join(path)
        found.append((field, f"Line {document.line(path)}: {field}: {words}"))
    return found


def _shortest(spec: DashboardSpec) -> dict[str, Any]:
    """Return `spec` as plain values, without what has its default."""
    return {
        name: [_shortest_widget(one) for one in spec.widgets] if name == "widgets" else value
        for name, value in _fields(spec)
    }


def _shortest_widget(widget: WidgetSpec) -> dict[str, Any]:
    found = {name: value for name, value in _fields(widget) if name != "config" and (name, value) != ("version", 1)}
    return {**found, "config": _ordered(widget)}


def _fields(model: BaseModel) -> Iterator[tuple[str, Any]]:
    """Yield the fields of `model` that don't have their default; of models in it, only such fields."""
    for name, about in type(model).model_fields.items():
        value = getattr(model, name)
        if not _is_default(value, about):
            yield name, _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return dict(_fields(value))
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _is_default(value: Any, about: FieldInfo) -> bool:
    return not about.is_required() and bool(value == about.get_default(call_default_factory=True))


def _ordered(widget: WidgetSpec) -> dict[str, Any]:
    """Return the config of `widget` in the order of its kind's fields; a database may have another."""
    if widget.kind not in kinds():
        return widget.config
    try:
        model = kinds()[widget.kind].config_class.model_validate(widget.config)
    except ValidationError:  # what an earlier release took
        return widget.config
    ordered = _in_order(widget.config, model.model_dump(exclude_unset=True))
    assert isinstance(ordered, dict)
    return ordered


def _in_order(value: Any, like: Any) -> Any:
    if isinstance(value, dict) and isinstance(like, dict):
        names = [*(name for name in like if name in value), *(name for name in value if name not in like)]
        return {name: _in_order(value[name], like.get(name)) for name in names}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [_in_order(one, other) for one, other in zip(value, like, strict=True)]
    return value


def _like(file: File, spec: DashboardSpec, *, exact: bool) -> tuple[dict[str, Any], list[int | None]]:
    """Return `spec` as `file` would say it, and for each widget which of the file's it is, None for a new one.

    A value that the file has already stays as it is written there. If it is `exact`, each widget has its key and its
    place.
    """
    raw: dict[str, Any] = file.document.value
    value = _merged(raw, file.spec, spec, _shortest(spec), {"widgets"})
    if "slug" not in raw and file.spec.slug == spec.slug:  # the file's name says it
        value.pop("slug")
    was = {one.key: one for one in file.spec.widgets}
    now = {one.key: one for one in spec.widgets}
    order = _file_order(file.keys, [one.key for one in spec.widgets])
    origins = [file.keys.index(key) if key in file.keys else None for key in order]
    widgets = []
    for key, origin in zip(order, origins, strict=True):
        short = _shortest_widget(now[key])
        if origin is not None:
            said = raw["widgets"][origin]
            merged = _merged(said, was[key], now[key], short, {"config"})
            merged["config"] = said["config"] if was[key].config == now[key].config else short["config"]
            short = _without_derived(merged, said, was[key], now[key]) if not exact else merged
        widgets.append(short)
    if widgets or "widgets" in raw:
        value["widgets"] = widgets
    return value, origins


def _merged(
    raw: Mapping[str, Any], was: BaseModel, now: BaseModel, short: Mapping[str, Any], but: set[str]
) -> dict[str, Any]:
    """Return the fields of `now`: those that did not change as they are in `raw`, the others as in `short`."""
    found: dict[str, Any] = {}
    for name in type(now).model_fields:
        said = next((one for one in (name, ALIASES.get(name, "")) if one in raw), None)
        if said is not None and name not in but and getattr(was, name) == getattr(now, name):
            found[said] = raw[said]
        elif name in short and name not in but:
            found[name] = short[name]
    return found


def _without_derived(
    merged: dict[str, Any], said: Mapping[str, Any], was: WidgetSpec, now: WidgetSpec
) -> dict[str, Any]:
    """Return `merged` without a key and a place that follow from other fields, as they do in the file."""
    leave = set()
    if "key" not in said and was.title == now.title:
        leave.add("key")
    if "x" not in said and (was.x, was.y, was.w, was.h) == (now.x, now.y, now.w, now.h):
        leave |= {"x", "y"}
    return {name: value for name, value in merged.items() if name not in leave}


def _file_order(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return the keys of `new`: those that the file has in its order, the others behind the one they stand behind."""
    order = [key for key in old if key in new]
    for index, key in enumerate(new):
        if key not in old:
            before = next((one for one in reversed(new[:index]) if one in order), None)
            order.insert(order.index(before) + 1 if before else 0, key)
    return order
