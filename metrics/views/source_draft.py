"""A source as it stands in a form: read from what was typed, tried, saved, or refused with a sentence per entry."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Self
from zoneinfo import available_timezones

from django.conf import settings

from metrics.access.principal import Principal
from metrics.actions import source_configs, source_kinds, source_retention, source_schedules, sources, trials
from metrics.actions.errors import Errors, Invalid
from metrics.forms.entries import Group
from metrics.forms.entries import form as drawn
from metrics.forms.fields import Field, beside, fields_of, label_of
from metrics.forms.labels import label
from metrics.forms.typed import parse, write
from metrics.models import Source
from metrics.sources.registry import kinds

TEXTS = ("name", "every", "cron", "time_zone", *source_retention.LIMITS)
CONFIG = "config"
IN_CONFIG = "config."


TIMES = {
    "raw_retention_hours": "Hours to keep every sample",
    "minute_retention_days": "Days to keep the rollups of minutes",
    "hour_retention_days": "Days to keep the rollups of hours",
}


@dataclass(frozen=True, slots=True)
class Time:
    """For how long something is kept: an entry's `name`, `label` and `value`; `usual` is what the settings say.

    It may be `most`; `error` is a sentence, empty if nothing is wrong.
    """

    name: str
    label: str
    value: str
    usual: int
    most: int
    error: str


@dataclass(frozen=True, slots=True)
class Form:
    """View-model of the form.

    `values` of name, when (every or cron), every, cron, time_zone and enabled, with `errors` by the same names; the
    `config`; `above` it sentences that belong to no entry; the `times` to keep it; all time `zones`.
    """

    values: Mapping[str, str]
    errors: Mapping[str, str]
    config: Group
    above: list[str]
    times: list[Time]
    zones: list[str]

    @property
    def keeps(self) -> bool:
        """Whether something is said about how long it is kept."""
        return any(time.value or time.error for time in self.times)


@cache
def zones() -> list[str]:
    """Return the names of all time zones, which takes a look into hundreds of files."""
    return sorted(available_timezones())


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
            **{name: str(getattr(source, name) or "") for name in source_retention.LIMITS},
        }
        kept = tuple(source_configs.credentials_of(source))
        return cls(source.kind, source.pk, source.name, values, source.config, kept)

    def typed(self, post: Mapping[str, str]) -> Self:
        """Return the draft with what was typed."""
        values = {name: post.get(name, "").strip() for name in (*TEXTS, "when", "enabled")}
        return replace(self, values=values, post=post)

    def test(self, by: Principal) -> trials.Trial:
        """Run it once. Raises Invalid, and what `trials.try_config` raises."""
        return trials.try_config(by, self.kind, self._config(), self.id)

    @property
    def is_made(self) -> bool:
        """Whether people say what it is; else, there is nothing to say but how long it is kept."""
        return self.kind != Source.PUSH and not self.comes_from

    @property
    def comes_from(self) -> str:
        """Origin of a source that is made and changed by itself, else empty."""
        return source_kinds.comes_from(self.kind)

    def save(self, by: Principal) -> Source:
        """Make or change the source. Raises Invalid and Forbidden."""
        if self.id is not None and not self.is_made:
            return sources.change(by, self.id, self._retention())
        name, enabled = self.values["name"], bool(self.values["enabled"])
        errors = Errors()
        with errors:
            every_s, cron, time_zone = self._schedule()
        with errors:
            config = self._config()
        with errors:
            retention = self._retention()
        if errors.found:  # what could be read may be wrong as well, and is said together with it
            with errors:
                sources.check_name(name)
            with errors:
                source_schedules.check(*self._schedule())
            with errors:
                self._check_rest({place for place, _ in errors.found})
        errors.check()
        if self.id is None:
            return sources.create(
                by, self.kind, name, every_s, config, enabled, cron=cron, time_zone=time_zone, retention=retention
            )
        when = {"every": every_s, "cron": cron, "time_zone": time_zone}
        return sources.change(by, self.id, {"name": name, "config": config, "enabled": enabled, **when, **retention})

    def refused(self, problem: Invalid) -> Self:
        """Return the draft with what is wrong with it beside its entries."""
        errors: dict[str, str] = {}
        for place, said in (self._place(*one) for one in problem.all):
            errors.setdefault(place, said)
        return replace(self, errors=errors)

    def sentences(self) -> list[str]:
        """Return what is wrong, each with the name of its entry."""
        return [f"{self._label(place)}: {said}" if place else said for place, said in self.errors.items()]

    def _label(self, place: str) -> str:
        return label_of(self._fields, place.removeprefix(IN_CONFIG)) if IN_CONFIG in place else label(place)

    def form(self) -> Form:
        inside = {place.removeprefix(IN_CONFIG): said for place, said in self.errors.items() if IN_CONFIG in place}
        typed = write(self._fields, self.config) if self.post is None else self.post
        shown = drawn(self._fields, typed, kept=self.kept, errors=inside)
        above = [said for place, said in self.errors.items() if IN_CONFIG not in place and place not in TEXTS]
        return Form(self.values, self.errors, shown, above, self._times(), zones())

    @property
    def _fields(self) -> tuple[Field, ...]:
        return fields_of(kinds()[self.kind].config_class) if self.is_made else ()

    def _times(self) -> list[Time]:
        usual = {name: getattr(settings, name.upper()) for name in source_retention.LIMITS}
        return [
            Time(name, TIMES[name], self.values.get(name, ""), usual[name], most, self.errors.get(name, ""))
            for name, most in source_retention.LIMITS.items()
        ]

    def _retention(self) -> dict[str, int | None]:
        found: dict[str, int | None] = {}
        for name, most in source_retention.LIMITS.items():
            text = self.values[name]
            if text and not (text.isascii() and text.isdigit() and len(text) < 10):
                raise Invalid(name, f"{name}: this is a whole number from 1 to {most}, or empty.")
            found[name] = int(text) if text else None
        return found

    def _config(self) -> dict[str, Any]:
        config, errors = parse(self._fields, self.post or {})
        if errors:
            first, *others = [(f"{CONFIG}.{name}", said) for name, said in errors.items()]
            raise Invalid(*first, *others)
        return config

    def _check_rest(self, said: Set[str]) -> None:
        """Raise Invalid for what is wrong with what can be read of the config, but for the fields that are `said`."""
        config, _ = parse(self._fields, self.post or {})
        try:
            source_configs.check(self.kind, config)
        except Invalid as problem:
            known = said | {IN_CONFIG + name for name in self.kept}
            if rest := [one for one in problem.all if one[0] not in known]:
                raise Invalid(*rest[0], *rest[1:]) from None

    def _schedule(self) -> tuple[int | None, str, str]:
        if self.values["when"] == "cron":
            if not self.values["cron"]:
                raise Invalid("cron", "Say when it runs, such as 30 6 * * MON-FRI.")
            return None, self.values["cron"], self.values["time_zone"]
        try:
            return int(self.values["every"]), "", ""
        except ValueError:
            message = f"every is a whole number of seconds from 1 to {source_schedules.EVERY_MOST_S}."
            raise Invalid("every", message) from None

    def _place(self, field: str, said: str) -> tuple[str, str]:
        """Return beside which entry a refusal belongs, empty for none, and what it says there."""
        said = said.removeprefix(f"{field}: ")
        if field != CONFIG and not field.startswith(IN_CONFIG):
            return field, sentence(said.replace(f"{field} is ", "This is ", 1).removeprefix(f"{field} "))
        place, rest = beside(self._fields, field.removeprefix(CONFIG).removeprefix("."))
        return IN_CONFIG + place if place else "", f"{rest}: {said}" if rest else sentence(said)


def sentence(said: str) -> str:
    """Return `said` with a capital letter."""
    return said[:1].upper() + said[1:]
