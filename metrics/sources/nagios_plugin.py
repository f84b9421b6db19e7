"""Runs a check that was written for Nagios or its kin: its exit code is the status, its performance data are samples.

The contract: https://www.monitoring-plugins.org/doc/guidelines.html
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from django.conf import settings
from pydantic import Field, SecretStr, StringConstraints

from metrics.sample import LABEL_VALUE_MOST, Sample
from metrics.sources import perfdata, process
from metrics.sources.base import Noted, SourceConfig, SourceError, SourceKind
from metrics.sources.folders import check_private
from metrics.sources.perfdata import Said
from metrics.sources.process import Finished
from metrics.sources.server import require_freedom
from metrics.verdict import Verdict

Argument = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]

STATUSES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
VERDICTS = (Verdict.UP, Verdict.WARNING, Verdict.DOWN)
"""By exit code; a check that ends with 3 could not find out."""
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
}
"""All of it: a check gets none of our own settings, and no decimal comma."""
PASSWORD = "{password}"  # noqa: S105 -- where it goes


class NagiosPluginConfig(SourceConfig):
    """Which check to run, and how."""

    plugin: str = Field(
        max_length=100,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$",
        description="Name of the file in the folder of checks.",
    )
    arguments: list[Argument] = Field(
        default_factory=list, max_length=50, description="The arguments to give it, word by word."
    )
    password: SecretStr = Field(
        default=SecretStr(""), max_length=500, description="Replaces {password} in the arguments."
    )
    name: str = Field(default="", max_length=100, description="Value of the label check; else the name of the file.")
    timeout_s: float = Field(default=10, gt=0, le=25, description="Seconds the check may take.")


class NagiosPlugin(SourceKind[NagiosPluginConfig]):
    """Runs a check for Nagios: status by its exit code, samples by its performance data."""

    kind = "nagios_plugin"
    config_class = NagiosPluginConfig
    group = "programs"
    administrators_only = True

    def collect(self, config: NagiosPluginConfig) -> list[Sample]:
        require_freedom("Programs")
        command = [str(_file(config.plugin)), *_arguments(config)]
        finished = process.run(command, config.timeout_s, ENVIRONMENT, settings.PLUGIN_MEMORY_BYTES)
        _check_status(config.plugin, finished)
        said = perfdata.read(finished.output)
        labels = {"check": config.name or config.plugin}
        samples = [Sample("nagios_status", float(finished.code), labels), *_data(said, labels)]
        note = _note(finished.code, said)
        if finished.code >= len(VERDICTS):
            raise SourceError(f"{config.plugin} could not find out: {note.rstrip('.')}.", samples)
        return Noted(samples, note, VERDICTS[finished.code])


def _file(name: str) -> Path:
    folder: Path | None = settings.NAGIOS_PLUGINS_DIR
    if folder is None:
        raise SourceError("Checks are off; NAGIOS_PLUGINS_DIR names the folder they are in.")
    file = folder / name
    if not file.is_file() or not os.access(file, os.X_OK):
        raise SourceError(f"There is no check {name} in {folder} that can be run.")
    check_private(file)
    return file


def _arguments(config: NagiosPluginConfig) -> list[str]:
    password = config.password.get_secret_value()
    return [argument.replace(PASSWORD, password) if password else argument for argument in config.arguments]


def _check_status(name: str, finished: Finished) -> None:
    if 0 <= finished.code < len(STATUSES):
        return
    how = f"was ended by signal {-finished.code}" if finished.code < 0 else f"ended with code {finished.code}"
    words = (finished.errors.strip() or finished.output.strip()).partition("\n")[0].rstrip(".")
    raise SourceError(f"{name} {how}, which is no status{f': {words}' if words else ''}.")


def _data(said: Said, labels: dict[str, str]) -> Iterator[Sample]:
    for datum in said.data:
        labelled = {**labels, "label": datum.label[:LABEL_VALUE_MOST]}
        kind = "counter" if datum.is_counter else None
        yield Sample("nagios_value", datum.value, labelled, unit=datum.unit, type=kind)


def _note(code: int, said: Said) -> str:
    text = said.text or STATUSES[code]
    return f"{text} (can't be read: {' '.join(said.unreadable)})" if said.unreadable else text
