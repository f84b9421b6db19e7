"""Static files under hashed names, compressed, with the hashes carried into ES module imports."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
    # Not where source maps are: those of libraries are not collected.
    patterns = tuple(
        (files, tuple(one for one in patterns if "sourceMappingURL" not in str(one)))
        for files, patterns in CompressedManifestStaticFilesStorage.patterns
    )
