"""A form of a thing that people share, as it was typed: its fields as texts, whom it is for, and what is wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from django.http import HttpRequest

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions.errors import Invalid
from metrics.models import Team
from metrics.views.refusals import by_field


@dataclass(frozen=True, slots=True)
class Typed:
    """Fields of every such form; a subclass has more, which are texts, or boxes to check."""

    everyone: bool = True
    teams: Sequence[str] = ()
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: HttpRequest, prefix: str = "") -> Self:
        """Return what was typed, in fields whose names begin with `prefix`."""
        found: dict[str, Any] = {"teams": request.POST.getlist(f"{prefix}teams")}
        for one in fields(cls):
            if isinstance(one.default, bool):
                found[one.name] = request.POST.get(prefix + one.name) == "on"
            elif isinstance(one.default, str):
                found[one.name] = request.POST.get(prefix + one.name, "")
        return cls(**found)

    def refused(self, problem: Invalid) -> Self:
        """Return it with what is wrong beside each field."""
        return replace(self, errors=by_field(problem.all))

    @property
    def access(self) -> Access:
        """The people whom it is for."""
        return Access(everyone=self.everyone, teams=sorted(self.teams))

    def choices(self, by: Principal, more: Iterable[str] = ()) -> list[tuple[str, bool]]:
        """Return the teams that `by` may choose, and `more`, each with whether it is chosen."""
        names = {*visible(by, Team).values_list("name", flat=True), *more}
        return [(one, one in self.teams) for one in sorted(names)]
