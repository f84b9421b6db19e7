"""A source as it stands in a form: read from what was typed, tried, saved, or refused with a sentence per entry."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from zoneinfo import available_timezones

from metrics.actions import sources, trials
from metrics.actions.access import Actor
from metrics.actions.problems import Invalid, Problems
from metrics.models import Source
from metrics.sources.registry import kinds
from metrics.views.source_form import PREFIX, Entry, entries, label, parse

TEXTS = ("name", "every", "cron", "time_zone")
CONFIG = "config"
IN_CONFIG = "config."


@dataclass(frozen=True, slots=True)
class Form:
    """What the form shows.

    `values` of name, when (every or cron), every, cron, time_zone and enabled, with `errors` by the same names; the
    `entries` of the config; `above` them sentences that belong to no entry; and all time `zones`.
    """

    values: Mapping[str, str]
    errors: Mapping[str, str]
    entries: list[Entry]
    above: list[str]
    zones: list[str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A source of `kind` that is made, or with an `id` changed, from what stands in the form.

    `post` is what was typed, None before; `errors` are sentences by field.
    """

    kind: str
    id: int | None = None
    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    post: Mapping[str, str] | None = None
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_kind(cls, kind: str) -> Self:
        return cls(kind, values={"when": "every", "every": "60", "enabled": "on"})

    @classmethod
    def of(cls, source: Source) -> Self:
        values = {
            "name": source.name,
            "when": "cron" if source.cron else "every",
            "every": str(source.every_s or ""),
            "cron": source.cron,
            "time_zone": source.time_zone,
            "enabled": "on" if source.enabled else "",
        }
        kept = tuple(sources.credentials_of(source))
        return cls(source.kind, source.pk, source.name, values, source.config, kept)

    def typed(self, post: Mapping[str, str]) -> Self:
        """Return the draft with what was typed."""
        values = {name: post.get(name, "").strip() for name in (*TEXTS, "when", "enabled")}
        return replace(self, values=values, post=post)

    def test(self, by: Actor) -> trials.Trial:
        """Run it once. Raises Invalid, and what `trials.try_config` raises."""
        return trials.try_config(self.kind, self._config(), by, self.id)

    def save(self, by: Actor) -> Source:
        """Make or change the source. Raises Invalid and Forbidden."""
        name, enabled = self.values["name"], bool(self.values["enabled"])
        problems = Problems()
        with problems:
            every_s, cron, time_zone = self._schedule()
        with problems:
            config = self._config()
        problems.check()
        if self.id is None:
            return sources.create(self.kind, name, every_s, config, enabled, cron=cron, time_zone=time_zone, by=by)
        when = {"every": every_s, "cron": cron, "time_zone": time_zone}
        return sources.change(self.id, {"name": name, "config": config, "enabled": enabled, **when}, by)

    def refused(self, problem: Invalid) -> Self:
        """Return the draft with what is wrong with it beside its entries."""
        errors: dict[str, str] = {}
        for place, said in (_place(*one) for one in problem.all):
            errors.setdefault(place, said)
        return replace(self, errors=errors)

    def sentences(self) -> list[str]:
        """Return what is wrong, each with the name of its entry."""
        named = {place: label(place.removeprefix(IN_CONFIG)) if place else "" for place in self.errors}
        return [f"{named[place]}: {said}" if place else said for place, said in self.errors.items()]

    def form(self) -> Form:
        schema = kinds()[self.kind].config_class.model_json_schema()
        inside = {place.removeprefix(IN_CONFIG): said for place, said in self.errors.items() if IN_CONFIG in place}
        shown = entries(schema, self.config, self.kept, inside, self.post)
        beside = {IN_CONFIG + entry.name.removeprefix(PREFIX) for entry in shown} | {*TEXTS}
        above = [said for place, said in self.errors.items() if place not in beside]
        return Form(self.values, self.errors, shown, above, sorted(available_timezones()))

    def _config(self) -> dict[str, Any]:
        schema = kinds()[self.kind].config_class.model_json_schema()
        config, errors = parse(schema, self.post or {}, self.config)
        if errors:
            first, *others = [(f"{CONFIG}.{name}", said) for name, said in errors.items()]
            raise Invalid(*first, *others)
        return config

    def _schedule(self) -> tuple[int | None, str, str]:
        if self.values["when"] == "cron":
            if not self.values["cron"]:
                raise Invalid("cron", "Say when it runs, such as 30 6 * * MON-FRI.")
            return None, self.values["cron"], self.values["time_zone"]
        try:
            return int(self.values["every"]), "", ""
        except ValueError:
            message = f"every is a whole number of seconds from 1 to {sources.EVERY_MOST_S}."
            raise Invalid("every", message) from None


def _place(field: str, said: str) -> tuple[str, str]:
    """Return beside which entry a refusal belongs, empty for none, and what it says there."""
    if field != CONFIG and not field.startswith(IN_CONFIG):
        return field, _sentence(said.removeprefix(f"{field}: "))
    name = field.removeprefix(CONFIG).removeprefix(".").partition(".")[0]
    place = IN_CONFIG + name if name else ""
    return place, _sentence(said.removeprefix(place or CONFIG).removeprefix(".").removeprefix(": "))


def _sentence(said: str) -> str:
    return "This has to be given." if said == "Field required." else said[:1].upper() + said[1:]
