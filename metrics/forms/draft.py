"""A draft: what stands in the forms of one page, read as a whole, or refused with a sentence beside each entry."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from metrics.forms import entries
from metrics.forms.entries import Group
from metrics.forms.fields import Field, beside, label_of
from metrics.forms.typed import ADD, DROP, Typed, parse, pressed, write

Parts = Mapping[str, tuple[Field, ...]]
"""Forms of a page: the name that begins those of their inputs, and their fields."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Forms of a page, its `parts`, and the texts that were `typed` into them.

    `errors` are sentences by part and path ("config.queries.0.metric"), `above` those that belong to no entry.
    `focus` is the item or list that a button just changed. `folded` names fields, by part, that are folded while they
    are as they usually are. `kept` names credentials, by part, that are set and not shown.
    """

    parts: Parts
    typed: Typed
    errors: Mapping[str, str] = field(default_factory=dict)
    above: tuple[str, ...] = ()
    focus: str = ""
    folded: Mapping[str, Collection[str]] = field(default_factory=dict)
    kept: Mapping[str, Collection[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        parts: Parts,
        values: Mapping[str, Mapping[str, Any]],
        folded: Mapping[str, Collection[str]] | None = None,
    ) -> Self:
        """Return the draft in which `values` stand, by part."""
        typed: dict[str, str] = {}
        for name, fields in parts.items():
            typed |= write(fields, values.get(name, {}), name)
        return cls(parts, typed, folded=folded or {})

    def read(self) -> tuple[dict[str, dict[str, Any]], list[tuple[str, str]]]:
        """Return what was typed, by part, and place and sentence of each thing that can't be read."""
        values, errors = {}, []
        for name, fields in self.parts.items():
            values[name], wrong = parse(fields, self.typed, name)
            errors += [(f"{name}.{place}", said) for place, said in wrong.items()]
        return values, errors

    def pressed(self) -> Self | None:
        """Return the draft after a button of a list was pressed, None if none was."""
        part = (self.typed.get(ADD) or self.typed.get(DROP, "")).partition("-")[0]
        after = pressed(self.parts.get(part, ()), self.typed, part)
        return replace(self, typed=after[0], focus=after[1]) if after else None

    def refused(self, found: Iterable[tuple[str, str]]) -> Self:
        """Return the draft with what is wrong with it, each a place and a sentence, beside its entry.

        A sentence does not name the place there, or its end: of "config.url: it is no address." it has the last half.
        """
        errors: dict[str, str] = {}
        above: list[str] = []
        for place, said in found:
            part, _, path = place.partition(".")
            entry, rest = beside(self.parts.get(part, ()), path)
            said = _unnamed(place, said)
            if entry:
                errors.setdefault(f"{part}.{entry}", f"{rest}: {said}" if rest else _sentence(said))
            else:
                above.append(_sentence(said))
        return replace(self, errors=errors, above=tuple(above))

    def sentences(self) -> list[str]:
        """Return what is wrong, each with the name of its entry."""
        named = [(place.partition("."), said) for place, said in self.errors.items()]
        return [*self.above, *(f"{label_of(self.parts[part], path)}: {said}" for (part, _, path), said in named)]

    def forms(self) -> dict[str, Group]:
        """Return the form of each part."""
        return {
            name: entries.form(
                fields,
                self.typed,
                name,
                kept=self.kept.get(name, ()),
                errors=self._errors_of(name),
                focus=self.focus,
                folded=self.folded.get(name, ()),
            )
            for name, fields in self.parts.items()
        }

    def _errors_of(self, part: str) -> dict[str, str]:
        before = f"{part}."
        return {place.removeprefix(before): said for place, said in self.errors.items() if place.startswith(before)}


def _unnamed(place: str, said: str) -> str:
    name, _, rest = said.partition(": ")
    return rest if rest and f".{place}".endswith(f".{name}") else said


def _sentence(said: str) -> str:
    return said[:1].upper() + said[1:]
