"""Runs a function of your own: one with @metric(…) above it, in a file in PLUGINS_DIR. See docs/plugins.md."""

from pathlib import Path

from django.conf import settings
from pydantic import Field

from metrics.plugins.declare import TIMEOUT_MOST_S
from metrics.sample import Sample
from metrics.sources import plugin_process
from metrics.sources.base import SourceConfig, SourceError, SourceKind
from metrics.sources.folders import check_private
from metrics.sources.plugin_files import version
from metrics.sources.server import require_freedom


class PluginConfig(SourceConfig):
    """Which function. It is written by whoever finds the file, and following the file."""

    file: str = Field(
        max_length=100, pattern=r"^[A-Za-z][A-Za-z0-9_]*\.py$", description="Name of the file in PLUGINS_DIR."
    )
    function: str = Field(
        default="",
        max_length=100,
        pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$",
        description="Name of the function; none while the file can't be loaded.",
    )
    timeout_s: float = Field(default=10, gt=0, le=TIMEOUT_MOST_S, description="Seconds a run may take.")
    gone: bool = Field(default=False, description="Whether it was turned off because the function is gone.")


class Plugin(SourceKind[PluginConfig]):
    """A function of your own."""

    kind = "plugin"
    config_class = PluginConfig
    group = "programs"
    administrators_only = True
    comes_from = "a file in PLUGINS_DIR"

    def collect(self, config: PluginConfig) -> list[Sample]:
        require_freedom("Programs")
        file: Path = settings.PLUGINS_DIR / config.file
        if not file.is_file():
            raise SourceError(f"There is no file {config.file} in {settings.PLUGINS_DIR}.")
        check_private(file)
        if not config.function:
            plugin_process.functions(file)
            return []
        return plugin_process.run(file, config.function, config.timeout_s, version(file))
