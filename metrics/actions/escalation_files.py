"""Escalations as files: who is told of the alerts of a team, beside the dashboards' files.

A file says its team by `team`; without one it is that of the installation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from metrics import yaml
from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.access.sharing import Text
from metrics.actions import audience, escalation_specs, named_files, teams
from metrics.actions.dashboard_files import Change
from metrics.actions.errors import Conflict
from metrics.alerts.escalation import EscalationSpec
from metrics.models import Escalation
from metrics.widgets.spec import new_key

FOLDER = "escalations"
INSTALLATION = "installation"
"""How the file of the installation is called."""


class EscalationDocument(EscalationSpec):
    """How a team answers, as a file says it."""

    team: Text = ""


File = named_files.File[EscalationDocument]


@dataclass(frozen=True, slots=True)
class EscalationChange(Change):
    """A difference between how a team answers and its file; `was` is what was stored, None for nothing."""

    was: Mapping[str, Any] | None = None


def read(name: str, text: str) -> File:
    """Read the file that is called `name`. Raises Invalid with all that is wrong, each with its line."""
    return named_files.file(FOLDER, name, text, _parsed)


def compare(by: Principal, files: Mapping[str, str], *, prune: bool = False) -> list[EscalationChange]:
    """Return what differs between how teams that `by` may see answer and `files`, texts by the names of the files.

    With `prune`, teams without a file answer as the installation. Raises Invalid with all that is wrong.
    """
    stored = _rows(by)
    said = named_files.by_thing(FOLDER, files, read, _team)
    changes = [
        change for team, (name, file) in said.items() for change in _change(name, files[name], file, stored.get(team))
    ]
    gone = sorted(stored.keys() - said.keys()) if prune else []
    return changes + [
        EscalationChange(
            f"{FOLDER}/{_file_name(team)}", "delete", _text(stored[team]), "", None, {"team": team}, stored[team].spec
        )
        for team in gone
    ]


def apply(by: Principal, changes: Iterable[EscalationChange]) -> None:
    """Have teams answer as their files say: all, or none.

    Raises what escalation_specs.put and reset do, and Conflict if one was changed since it was compared.
    """
    with transaction.atomic():
        for one in changes:
            document = dict(one.document)
            team = document.pop("team")
            _check_unchanged(team, one.was)
            if one.verb == "delete":
                escalation_specs.reset(by, team)
            else:
                with named_files.prefixed(one.slug):  # such as a channel that there is not, also after those of files
                    escalation_specs.put(by, team, document)


def export(by: Principal, files: Mapping[str, str]) -> dict[str, str]:
    """Return the text for each team that says how it answers, by the name of its file: that in `files`, up to date.

    Raises Invalid if a file can't be read.
    """
    said = named_files.by_thing(FOLDER, files, read, _team)
    texts = dict[str, str]()
    for team, row in _rows(by).items():
        name, file = said.get(team, (_file_name(team, {*files, *texts}), None))
        texts[name] = _text(row, file)
    return texts


def _check_unchanged(team: str, was: Mapping[str, Any] | None) -> None:
    rows = Escalation.objects.select_for_update(of=("self",))
    row = (rows.filter(team__name=team) if team else rows.filter(team=None)).first()
    if (None if row is None else row.spec) != was:
        whose = f"the team {team}" if team else "the installation"
        raise Conflict(f"Somebody changed who is told for {whose} meanwhile: nothing was applied.", 0)


def _change(name: str, text: str, file: File, stored: Escalation | None) -> list[EscalationChange]:
    path, document = f"{FOLDER}/{name}", _plain(file.spec)
    if stored is None:
        with named_files.located(named_files.path(FOLDER, name), file.document):
            teams.named([file.spec.team] if file.spec.team else [], "team")
        return [EscalationChange(path, "create", "", text, None, document)]
    before = _stored(stored)
    if before is not None and _plain(before) == document:
        return []
    return [EscalationChange(path, "change", _text(stored, file), text, None, document, stored.spec)]


def _text(row: Escalation, file: File | None = None) -> str:
    """Return how a team answers as the text of its `file`, also if this release can't read it."""
    spec = _stored(row)
    if spec is None:
        return yaml.write({"team": _team_of(row), **row.spec})
    short = named_files.as_written(spec.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    short = {**({"team": short.pop("team")} if "team" in short else {}), **short}
    return (
        yaml.write(short)
        if file is None
        else named_files.text_after(file.document, _plain(file.spec), _plain(spec), short)
    )


def _stored(row: Escalation) -> EscalationDocument | None:
    try:
        spec = audience.spec_of(row)
    except ValueError:
        return None
    return EscalationDocument.model_validate({**spec.model_dump(by_alias=True), "team": _team_of(row)})


def _plain(spec: EscalationDocument) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True)


def _parsed(value: Any) -> EscalationDocument:
    return named_files.parsed(EscalationDocument, value, "escalation", "team and steps")


def _rows(by: Principal) -> dict[str, Escalation]:
    rows = visible(by, Escalation).select_related("team").order_by("team__name")
    return {_team_of(row): row for row in rows}


def _team(file: File) -> str:
    return file.spec.team


def _team_of(row: Escalation) -> str:
    return row.team.name if row.team else ""


def _file_name(team: str, taken: Iterable[str] = ()) -> str:
    return new_key(team or INSTALLATION, taken, "team")
