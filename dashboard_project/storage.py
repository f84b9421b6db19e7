"""Static files under hashed names, compressed, with the hashes carried into ES module imports."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
    # Not where source maps are: those of libraries are not collected.
    patterns = tuple(
        (files, tuple(one for one in patterns if "sourceMappingURL" not in str(one)))
        for files, patterns in CompressedManifestStaticFilesStorage.patterns
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._urls: dict[tuple[str, bool], str] = {}

    def url(self, name: str | None, force: bool = False) -> str:
        """Return the URL of a file, which stays: a process reads the manifest once, and a page asks for twenty."""
        key = str(name), force
        if key not in self._urls:
            self._urls[key] = super().url(name, force)
        return self._urls[key]
