"""Sources for the functions in PLUGINS_DIR: they come, change and go with the files."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

from metrics.access.principal import SYSTEM
from metrics.actions import sources
from metrics.actions.errors import Invalid
from metrics.models import Source
from metrics.sources import plugin_process
from metrics.sources.base import SourceError
from metrics.sources.folders import check_private
from metrics.sources.plugin import Plugin
from metrics.sources.plugin_files import Version, files, version

log = structlog.get_logger(__name__)

AGAIN_S = 30
"""How long until a file that could not be loaded is tried again, unchanged: what it needs may be back."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was last looked at, and when to do that again if it stays as it is (monotonic seconds)."""

    version: Version
    again_at: float


class Follower:
    """Remembers what one process has seen in PLUGINS_DIR, so that only what changed is loaded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, Seen] | None = None

    def follow(self, now: float) -> None:
        """Make, change and turn off sources for what is new, changed or gone; `now` is in monotonic seconds."""
        if not self._lock.acquire(blocking=False):  # somebody loads a file that takes its time
            return
        try:
            there = {file.name: file for file in files(settings.PLUGINS_DIR)}
            seen = self._seen
            if seen is None or seen.keys() - there.keys():
                _forget_all_but(there)
            self._seen = {name: _look(file, (seen or {}).get(name), now) for name, file in there.items()}
        finally:
            self._lock.release()
        plugin_process.sweep()


_follower = Follower()


def follow() -> None:
    """Have the sources follow the files; called every few seconds in each collecting worker."""
    _follower.follow(time.monotonic())


def _look(file: Path, seen: Seen | None, now: float) -> Seen:
    try:
        newest = version(file)
    except OSError:  # it went just now
        return Seen((), now)
    if seen and seen.version == newest and now < seen.again_at:
        return seen
    try:
        check_private(file)
        found = plugin_process.functions(file)
    except SourceError as problem:
        log.warning("plugin can't be loaded", file=file.name, error=str(problem))
        _show_error_of(file.name)
        return Seen(newest, now + AGAIN_S)
    _agree(file.name, {one["function"]: one for one in found})
    return Seen(newest, float("inf"))


def _show_error_of(file: str) -> None:
    """Make sure of a source that loads the file and nothing else: with a new file, there is no other to show why."""
    if "" not in _sources_of(file):
        _make(file, AGAIN_S, {"file": file})


def _agree(file: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Have the sources of `file` be those of the functions that were `found` in it."""
    known = _sources_of(file)
    for function, one in found.items():
        config = {"file": file, "function": function, "timeout_s": one["timeout_s"]}
        if function in known:
            _change(known[function], one["every_s"], config)
        else:
            _make(f"{file}:{function}", one["every_s"], config)
    for function in known.keys() - found.keys():
        _forget(known[function])


def _make(name: str, every_s: int, config: dict[str, Any]) -> None:
    try:
        sources.create(SYSTEM, Plugin.kind, name, every_s, config)
    except Invalid as problem:
        log.warning("plugin gets no source", name=name, problem=str(problem))


def _change(source: Source, every_s: int, config: dict[str, Any]) -> None:
    changes: dict[str, Any] = {}
    if source.every_s != every_s:
        changes["every"] = every_s
    if source.config != config:
        changes["config"] = config
    if source.config.get("gone"):
        changes["enabled"] = True
    if changes:
        sources.change(SYSTEM, source.pk, changes)


def _forget_all_but(there: Mapping[str, Path]) -> None:
    for source in Source.objects.filter(kind=Plugin.kind):
        if source.config.get("file") not in there:
            _forget(source)


def _forget(source: Source) -> None:
    """Turn off what is gone, and say in its config that this is why, so that it comes back with its function."""
    if not source.config.get("function"):
        sources.delete(SYSTEM, source.pk)
    elif source.enabled:
        sources.change(SYSTEM, source.pk, {"enabled": False, "config": {**source.config, "gone": True}})


def _sources_of(file: str) -> dict[str, Source]:
    found = (source for source in Source.objects.filter(kind=Plugin.kind) if source.config.get("file") == file)
    return {source.config.get("function", ""): source for source in found}
