"""Samples at rest. Other packages import `write`, `read` and `keep`; the other modules are internal."""
