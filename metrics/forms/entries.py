"""The entries of a form: what is drawn of each field, made of what was typed; of a config, `typed.write` says what."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from metrics.forms.fields import Field
from metrics.forms.labels import one_of
from metrics.forms.typed import PREFIX, REMOVE, Typed, indices, is_usual

ROWS = {"long": 6, "lines": 3, "pairs": 3, "json": 5}
ROWS_MOST = 20
ITEM_SHOWS = 3
"""So many fields of an item are always shown; others when they say something, else folded."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the form.

    `type` says how it is drawn: text, long, number, time, checkbox, select, lines, pairs, json, group or list; a
    credential `is_secret`. `name` is that of the input, `value` what stands in it, and a checkbox may be `checked`.
    `label` and `help` are for people. `least` and `most` bound a number, or how many items a list has; `options` are
    what a select offers; `rows` the lines of what has some. Of a credential, `is_set` says whether there is one, and
    `remove` is the name of the checkbox that removes it, empty if that can't be. An entry that may be empty on purpose
    has a checkbox that says `empty`, and `is_empty` says whether it is; `is_exact` says that blanks around a text
    belong to it. A group has a `group`, a list `items`. `error` is a sentence, empty if nothing is wrong; what is
    `required` has to be given. One entry may have the `focus`. `suggest` is as in `Field`.
    """

    name: str
    type: str
    label: str
    help: str
    value: str
    checked: bool
    required: bool
    options: tuple[str, ...]
    least: float | None
    most: float | None
    rows: int
    is_secret: bool
    is_set: bool
    remove: str
    empty: str
    is_empty: bool
    is_exact: bool
    error: str
    group: "Group | None" = None
    items: tuple["Group", ...] = ()
    focus: bool = False
    suggest: str = ""

    @property
    def item_label(self) -> str:
        """The word for one item of a list."""
        return one_of(self.label)

    @property
    def may_add(self) -> bool:
        """Whether a list takes one more item."""
        return self.most is None or len(self.items) < self.most


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that belong together: those of a config, of a model in it, or of one item of a list.

    Its inputs' names begin with `name`; `said` is a note for `typed.parse`. `number` counts the items of a list from 1.
    `entries` are shown, `more` are folded. `error` is a sentence about all of it, empty if nothing is wrong.
    """

    name: str
    said: str
    entries: tuple[Entry, ...]
    more: tuple[Entry, ...] = ()
    number: int = 0
    error: str = ""


def form(
    fields: Collection[Field],
    typed: Typed,
    name: str = PREFIX,
    *,
    kept: Iterable[str] = (),
    errors: Mapping[str, str] | None = None,
    focus: str = "",
    folded: Collection[str] = (),
) -> Group:
    """Return the form of what was `typed`; `kept` names credentials, `errors` are sentences by path.

    Required entries come first. Credentials are never shown again, not even those just typed. `focus` is the name of an
    item or a list. Fields whose names are in `folded` are folded while they are as they usually are.
    """
    drawing = _Drawing(typed, frozenset(kept), errors or {}, focus)
    whole = drawing.group(fields, name, name, "")
    return drawing.folded(whole, [one for one in fields if one.name in folded], name, name, "")


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Input of all entries of one form."""

    typed: Typed
    kept: frozenset[str]
    errors: Mapping[str, str]
    focus: str

    def group(self, fields: Collection[Field], source: str, name: str, path: str) -> Group:
        """Return the group that was typed as `source` and is now called `name`; `path` is its place in the config."""
        in_order = sorted(fields, key=lambda field: not field.required)
        before = f"{path}." if path else ""
        found = [self.entry(one, f"{source}-{one.name}", f"{name}-{one.name}", before + one.name) for one in in_order]
        if self.focus == name and found:
            found[0] = replace(found[0], focus=True)
        return Group(name, self.typed.get(f"{source}.said", ""), tuple(found), error=self.errors.get(path, ""))

    def item(self, field: Field, source: str, name: str, path: str, number: int) -> Group:
        whole = self.group(field.fields, source, name, path)
        shown = {one.name for one in whole.entries[:ITEM_SHOWS]}
        shown |= {f"{name}-{one.name}" for one in field.fields if one.shown}
        may_fold = [one for one in field.fields if f"{name}-{one.name}" not in shown]
        return replace(self.folded(whole, may_fold, source, name, path), number=number)

    def folded(self, whole: Group, may_fold: Collection[Field], source: str, name: str, path: str) -> Group:
        """Return `whole` with those that `may_fold` folded, but for what is set, wrong, or has the focus."""
        usual = {f"{name}-{one.name}" for one in may_fold if is_usual(one, self.typed, f"{source}-{one.name}")}
        wrong = {
            f"{name}{place.removeprefix(path).replace('.', '-')}" if path else f"{name}-{place.replace('.', '-')}"
            for place in self.errors
        }
        folded = [
            one
            for one in whole.entries
            if one.name in usual
            and not any(f"{place}-".startswith(f"{one.name}-") for place in wrong)
            and not f"{self.focus}-".startswith(f"{one.name}-")
        ]
        shown = tuple(one for one in whole.entries if one not in folded)
        return replace(whole, entries=shown, more=tuple(folded))

    def entry(self, field: Field, source: str, name: str, path: str) -> Entry:
        written = "" if field.fields else self.typed.get(source, "")
        value = "" if field.is_secret else written
        is_set = field.name in self.kept
        least, most = _bounds(field)
        return Entry(
            name=name,
            type=field.type,
            label=field.label,
            help=field.help,
            value=value,
            checked=field.type == "checkbox" and bool(value),
            required=field.required,
            options=tuple(field.values),
            least=least,
            most=most,
            rows=_rows(field, value),
            is_secret=field.is_secret,
            is_set=is_set,
            remove=REMOVE + field.name if is_set and not field.required else "",
            empty=field.empty,
            is_empty=bool(self.typed.get(f"{source}.empty")),
            is_exact=f"{source}.exact" in self.typed and not field.is_secret,
            error=self.errors.get(path, ""),
            group=self.group(field.fields, source, name, path) if field.type == "group" else None,
            items=tuple(
                self.item(field, f"{source}-{index}", f"{name}-{place}", f"{path}.{place}", place + 1)
                for place, index in enumerate(indices(self.typed, source))
            )
            if field.type == "list"
            else (),
            focus=self.focus == name,
            suggest=field.suggest,
        )


def _rows(field: Field, value: str) -> int:
    """Return how many lines it takes; 0 for what has only one. A line that has several all the same must keep them."""
    if field.type not in ROWS and not (field.type == "text" and "\n" in value):
        return 0
    return min(ROWS_MOST, max(ROWS.get(field.type, 3), value.count("\n") + 2))


def _bounds(field: Field) -> tuple[float | None, float | None]:
    if field.type == "list":
        return field.schema.get("minItems"), field.schema.get("maxItems")
    least = field.schema.get("minimum", field.schema.get("exclusiveMinimum"))
    return least, field.schema.get("maximum", field.schema.get("exclusiveMaximum"))
